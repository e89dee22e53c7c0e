"""The history of a sector: log, tags, references, reads as of then, retention."""

import pytest

import knhk


@pytest.fixture
def sector(tmp_path):
    with knhk.open(tmp_path / "limits", history=2) as engine:
        sector = engine.create_sector("orders")
        for number, why in enumerate(("first", "second", "third", "fourth"), start=1):
            sector.promote({"max_qty": 10 * number}, by="ops-1", why=why)
        yield sector


def test_the_log_tells_every_version(sector):
    log = sector.log()
    assert [(entry.version, entry.why, entry.parents) for entry in log] == [
        (4, "fourth", [3]),
        (3, "third", [2]),
        (2, "second", [1]),
        (1, "first", []),
    ]
    assert all(entry.retained and entry.receipt and entry.by == "ops-1" and not entry.major for entry in log)
    assert [entry.version for entry in sector.log(before=3, limit=1)] == [2]
    assert log[0] == sector.log()[0] and "4" in repr(log[0])
    sector.rollback(1)
    assert sector.log(limit=1)[0].rollback_of == 1


def test_references(sector):
    newest = sector.log()[0]
    cases = {"2": 2, 2: 2, "current": 4, "~3": 1, newest.snapshot_id: 4, newest.snapshot_id[:40]: 4, "@0s": 4}
    for reference, version in cases.items():
        assert sector.resolve(reference) == version, reference
    for reference in ("~4", "9", "no-such-tag", "1970-01-02"):
        with pytest.raises(knhk.NotFound):
            sector.resolve(reference)
    for reference in ("", "~", "two words", "@2y"):
        with pytest.raises(knhk.InvalidArgument, match="write a number, current"):
            sector.resolve(reference)


def test_tags(sector):
    assert sector.tag("stable", "~1", by="risk-1") == 3
    assert sector.tag("stable", 2, by="risk-2") == 2
    assert sector.tag("newest") == 4
    assert [(tag.name, tag.version, tag.by) for tag in sector.tags()] == [("newest", 4, ""), ("stable", 2, "risk-2")]
    assert sector.resolve("stable") == 2 and sector.log()[2].tags == ["stable"]
    assert sector.export("stable") == sector.export(2)
    assert sector.diff("stable", "newest").added and sector.rollback("stable").rollback_of == 2
    with pytest.raises(knhk.InvalidArgument):
        sector.tag("current")
    with pytest.raises(knhk.NotFound):
        sector.tag("other", 77)
    sector.untag("newest", by="risk-1")
    with pytest.raises(knhk.NotFound, match="it has stable"):
        sector.untag("newest")


def test_reads_as_of_then(sector):
    key = sector.key("max_qty", int)
    risk = sector.engine.create_sector("risk")
    risk.promote({"max_var": 7})
    for reference, value in ((1, 10), ("~1", 30), ("current", 40), ("@0s", 40)):
        with sector.as_of(reference) as then:
            assert then[key] == value, reference
    with sector.as_of(4) as then, pytest.raises(knhk.NotReady):
        then["risk/max_var"]
    with risk.as_of(1) as then:
        assert then["risk/max_var"] == 7 and then[key] == 40
        sector.promote({"max_qty": 50})
        assert then[key] == 40 and key() == 50


def test_retention_never_breaks_the_chain(sector):
    sector.tag("audited", 1)
    assert sector.engine.prune() == 0  # Everything is kept.
    sector.engine.close()
    with knhk.open(sector.engine.location, history=1, retain_versions=2) as engine:
        sector = engine.sector("orders")
        assert engine.prune() == 1 and engine.prune() == 0
        assert {entry.version: entry.retained for entry in sector.log()} == {4: True, 3: True, 2: False, 1: True}
        assert engine.verify().versions == 3
        with pytest.raises(knhk.NotFound, match="retention removed|not retained"):
            sector.as_of(2)
        with sector.as_of("audited") as then:
            assert then["orders/max_qty"] == 10
        sector.promote({"max_qty": 50})
        sector.promote({"max_qty": 60})
        engine.prune()
        assert [entry.version for entry in sector.log() if entry.retained] == [6, 5, 1]
        assert engine.verify().versions == 3


def test_retention_by_age(tmp_path):
    with knhk.open(tmp_path, retain_age=0.000001, history=1) as engine:
        sector = engine.create_sector("orders")
        for number in range(4):
            sector.promote({"n": number})
        engine.prune()
        assert sum(entry.retained for entry in sector.log()) <= 2 and len(sector.log()) == 4
        engine.verify()
    for settings in ({"retain_versions": 0}, {"retain_age": -1.0}):
        with pytest.raises(knhk.InvalidArgument, match=next(iter(settings))):
            knhk.open(tmp_path, **settings)
