"""Knowledge beyond documents: formats, changes by statement, shapes, proofs, conflicts, what is shipped."""

import asyncio

import pytest

import knhk

ONTOLOGY = """
@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix ex: <http://example.com/> .
:max_qty k:value 1000 ; k:min 1 ; k:max 5000 ; k:unit "lots" .
ex:Order a rdfs:Class . ex:Limit a rdfs:Class ; rdfs:subClassOf ex:Order .
ex:OrderShape a sh:NodeShape ; sh:targetClass ex:Order ; sh:property [ sh:path ex:qty ; sh:minCount 1 ; sh:maxInclusive 5000 ] .
ex:o1 a ex:Limit ; ex:qty 7 .
"""
BROKEN = "<http://example.com/o2> a <http://example.com/Order> ; <http://example.com/qty> 9000 ."
VALUE = '<urn:knhk:orders:max_qty> <urn:knhk:core:value> "{}"^^<http://www.w3.org/2001/XMLSchema#integer> .'


@pytest.fixture
def known():
    with knhk.open() as engine:
        sector = engine.create_sector("orders")
        sector.promote_rdf(ONTOLOGY, by="ops-1", why="first limits")
        yield sector


def test_an_ontology_is_promoted_and_changed_by_statement(known):
    max_qty = known.key("max_qty", int)
    assert max_qty() == 1000 and max_qty.allows(5000) and not max_qty.allows(5001)
    changed = known.promote_delta(remove=VALUE.format(1000), add=VALUE.format(2000), by="ops-2", why="desk asked")
    assert (changed.version, changed.by, max_qty()) == (2, "ops-2", 2000)
    diff = known.diff(1, 2)
    assert (diff.removed, diff.added) == ([VALUE.format(1000)], [VALUE.format(2000)])
    assert str(diff).splitlines() == [f"- {VALUE.format(1000)}", f"+ {VALUE.format(2000)}"]
    with pytest.raises(knhk.NotFound):
        known.diff(1, 9)


@pytest.mark.parametrize("format", ["turtle", "ntriples", "nquads", "jsonld", "rdfxml"])
def test_every_format_says_the_same(known, format):
    before = known.history()[-1].snapshot_id
    text = known.export(format=format)
    assert known.promote_rdf(text, format).snapshot_id == before
    assert known.promote_rdf(text.encode(), format).snapshot_id == before


def test_json_is_the_front_door(known):
    assert '"max_qty"' in known.export()
    known.promote({"max_qty": {"$value": 7, "$min": 1, "$max": 5000, "$unit": "lots"}})
    assert known.key("max_qty", int)() == 7
    assert "OrderShape" in known.export(format="turtle"), "a document replaces values, and keeps the rest"


def test_what_breaks_a_shape_is_refused_with_a_report(known):
    assert known.validate() and known.validate().conforms and len(known.validate()) == 0
    report = known.validate_delta(add=BROKEN)
    assert not report and not report.conforms and len(report) == 1
    (result,) = report.results
    assert result.severity == "violation" and "o2" in result.focus and "qty" in result.path and "9000" in result.value
    assert "MaxInclusive" in result.component and result.message in str(report)
    assert "ValidationReport" in report.to_rdf() and "ValidationReport" in report.to_rdf("jsonld")
    with pytest.raises(knhk.Nonconforming, match="9000") as refused:
        known.promote_delta(add=BROKEN)
    assert (refused.value.code, str(refused.value.report)) == (204, str(report))
    with pytest.raises(knhk.Nonconforming):
        known.promote_rdf(ONTOLOGY + BROKEN)
    assert not known.validate_rdf(ONTOLOGY + BROKEN)
    assert [version.version for version in known.history()] == [1]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda sector: sector.promote_rdf("<a> <b"), knhk.InvalidDocument),
        (lambda sector: sector.promote_rdf("", "docx"), knhk.InvalidArgument),
        (lambda sector: sector.promote_rdf(7), TypeError),
        (lambda sector: sector.promote_rdf("<http://a> <http://b> <http://c> <http://g> .", "nquads"), knhk.InvalidDocument),
        (lambda sector: sector.promote_delta(add="<urn:knhk:core:value> <http://b> 1 ."), knhk.Conflict),
        (lambda sector: sector.promote_delta(add="<urn:knhk:other:x> <urn:knhk:core:value> 1 ."), knhk.Conflict),
        (lambda sector: sector.promote_rdf("[" * 100_000), (knhk.InvalidDocument, knhk.LimitExceeded)),
        (lambda sector: sector.promote_rdf('{"@context": "http://a.example/context"}', "jsonld"), knhk.InvalidDocument),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(known, call, error):
    before = known.history()[-1]
    with pytest.raises(error):
        call(known)
    assert known.history()[-1].snapshot_id == before.snapshot_id and known.history()[-1].version == before.version


def test_a_statement_is_proven_to_a_stranger(known):
    version = known.history()[-1]
    proof = known.prove(VALUE.format(1000))
    knhk.verify_proof(version.snapshot_id, proof, VALUE.format(1000))
    with pytest.raises(knhk.Unproven):
        knhk.verify_proof(version.snapshot_id, proof, VALUE.format(1001))
    for at in range(len(proof)):
        with pytest.raises(knhk.Unproven):
            knhk.verify_proof(version.snapshot_id, proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :], VALUE.format(1000))
    with pytest.raises(knhk.NotFound):
        known.prove(VALUE.format(1001))
    with pytest.raises(knhk.InvalidDocument):
        known.prove("no statement")
    with pytest.raises(knhk.InvalidArgument, match="64 hexadecimal digits"):
        knhk.verify_proof("7c41e0", proof, VALUE.format(1000))


def test_conflicts_between_sectors_are_found(known):
    assert known.engine.conflicts() == []
    other = known.engine.create_sector("other")
    other.promote_rdf(
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
        "<http://example.com/Limit> a rdfs:Class ; rdfs:subClassOf <http://example.com/Thing> ."
    )
    (conflict,) = known.engine.conflicts()
    assert conflict.identifier == "http://example.com/Limit" and {conflict.first, conflict.second} == {"orders", "other"}


@pytest.mark.parametrize("name", ["finance", "healthcare", "logistics", "manufacturing"])
def test_shipped_sectors_conform(name):
    with knhk.open() as engine:
        sector = engine.create_shipped_sector(name)
        assert sector.validate() and len(sector.keys()) >= 30
        with pytest.raises(knhk.NotFound):
            engine.create_shipped_sector("alchemy")


def test_the_asyncio_forms(known):
    async def main():
        assert await known.avalidate()
        assert not await known.avalidate_delta(add=BROKEN)
        assert await known.avalidate_rdf(ONTOLOGY)
        await known.apromote_delta(remove=VALUE.format(1000), add=VALUE.format(3))
        await known.apromote_rdf(await known.aexport(1, format="turtle"))
        assert (await known.adiff(1, 3)).added == []
        assert await known.aprove(VALUE.format(1000))
        assert await known.engine.aconflicts() == []
        assert (await known.engine.acreate_shipped_sector("finance")).name == "finance"

    asyncio.run(main())
