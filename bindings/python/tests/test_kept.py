"""Observations that the engine keeps by itself: aggregates, objectives, segments, proofs."""

import pytest

import knhk

ONTOLOGY = """
@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:max_qty k:value 1000 ; k:unit "lots" .
:reject_share k:value 5 ; k:unit "%" .
:OrderChecked a k:ObservationKind ; k:concerns :max_qty ; k:valueType "i64" ; k:unit "lots" ; k:min 1 ;
    rdfs:comment "Recorded for each order that was checked, with its quantity."@en .
:Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ;
    k:window 60 ; k:onMissingData "hold" ; rdfs:comment "Few orders are refused."@en .
"""


@pytest.fixture
def observed(tmp_path):
    with knhk.open(tmp_path / "limits", observations={"segment_records": 1024, "window": 10.0}) as engine:
        sector = engine.create_sector("orders")
        sector.promote_rdf(ONTOLOGY)
        key = sector.key("max_qty", int)
        for quantity in (100, 700, 1100, 300):
            assert engine.observe(key, quantity, knhk.Outcome.SUCCESS if quantity <= key() else knhk.Outcome.REJECTED)
        engine.flush_observations()
        yield sector


def test_what_they_add_up_to(observed):
    (checked,) = observed.aggregates()
    assert (checked.key, checked.kind, checked.unit) == ("max_qty", "OrderChecked", "lots")
    assert (checked.total.count, checked.total.success, checked.total.rejected) == (4, 3, 1)
    assert checked.window.max == 1100 and checked.window.failure_share == 25 and checked.window.p50 is not None
    (rejects,) = observed.objectives()
    assert (rejects.name, rejects.value, rejects.met, rejects.burn, rejects.limit) == ("Rejects", 25, False, 5, 5)
    stats = observed.engine.observe_stats()
    assert (stats.drained, stats.persisted, stats.lost, stats.failing) == (4, 4, 0, None)


def test_each_one_is_kept_and_proven(observed):
    engine = observed.engine
    (segment,) = engine.segments(sector="orders")
    assert segment.count == 4 and engine.receipt(segment.receipt).kind == "observations ingested"
    assert engine.receipt(segment.receipt).evidence["root"] == segment.root
    kept = engine.observations(segment.number)
    assert [(one.value, one.outcome) for one in kept] == [(100, 1), (700, 1), (1100, 2), (300, 1)]
    assert {one.key for one in kept} == {"max_qty"}
    record, proof = engine.prove_observation(segment.number, 2)
    engine.verify_observation(record, proof)
    with pytest.raises(knhk.Unproven):
        engine.verify_observation(record[:8] + bytes([record[8] ^ 1]) + record[9:], proof)
    with pytest.raises(knhk.InvalidArgument):
        engine.verify_observation(record, record)
    with pytest.raises(knhk.NotFound):
        engine.prove_observation(segment.number, 99)
    assert engine.verify().observations == 4
    with pytest.raises(knhk.InvalidArgument, match="drains its observations by itself"):
        engine.drain()


def test_settings_that_make_no_sense(tmp_path):
    for settings in ({"window": -1.0}, {"segment_records": 0}, {"retain_age": "long"}):
        with pytest.raises(knhk.InvalidArgument, match=next(iter(settings))):
            knhk.open(tmp_path, observations=settings)
    with pytest.raises(TypeError, match="no setting"):
        knhk.open(tmp_path, observations={"colour": 1})
    with pytest.raises(knhk.InvalidArgument, match="observations"):
        knhk.open(tmp_path, observations=5)
    with pytest.raises(knhk.InvalidArgument, match="under receipts"):
        knhk.open(observations=True)
    with knhk.open() as engine, pytest.raises(knhk.NotReady, match="nothing is observed"):
        engine.observe_stats()
