"""Documents: what is refused, with which words, and that nothing changes then."""

import json

import pytest

import knhk
from conftest import DOCUMENT


def refused(sector, document, kind, item=None, match=None):
    """Checks that promoting and declaring are refused, and that the sector is as it was."""
    before = sector.export()
    with pytest.raises(kind, match=match) as caught:
        sector.promote(document)
    with pytest.raises(kind):
        sector.declare(document)
    assert sector.export() == before
    if item is not None:
        assert (caught.value.stage, caught.value.item) == ("parse", item)
    return caught.value


@pytest.mark.parametrize(
    ("text", "item", "match"),
    [
        ("", "", "not JSON"),
        ("{", "", "not JSON"),
        ("[]", "", "an object of values"),
        ("5", "", "an object of values"),
        ("null", "", "an object of values"),
        ('{"a": null}', "a", "is null"),
        ('{"a": 1, "a": 2}', "a", "twice"),
        ('{"b": {"a/c": 1}}', "b", "a/c"),
        ('{"": 1}', "", "empty name"),
        ('{"a": [1, "x"]}', "a", "a list has one type"),
        ('{"a": []}', "a", "empty list"),
        ('{"a": [[1]]}', "a", "lists hold scalars"),
        ('{"a": {"$value": 1, "$what": 2}}', "a", r"\$what"),
        ('{"a": {"$value": 1, "b": 2}}', "a", "does not belong here"),
        ('{"a": {"$value": 9, "$max": 5}}', "a", "outside"),
        ('{"a": {"$value": 1, "$min": 2}}', "a", "outside"),
        ('{"a": {"$value": 1, "$enum": [2, 3]}}', "a", ""),
        ('{"a": {"$type": "i64"}}', "a", r"neither \$value nor \$default"),
        ('{"a": {"b": 9223372036854775808}}', "a/b", "64-bit integer"),
        ('{"a": 1e400}', "a", "out of range"),
        ('{"a": NaN}', "a", "not JSON"),
        ('{"a": 1} x', "", "trailing"),
        ('{"a": "\\ud800"}', "a", "not JSON"),
        ('{"a": {"$bytes": "***"}}', "a", "not base64"),
        ('{"$classes": {"a": ["nowhere"]}}', "$classes/a", "nowhere"),
    ],
)
def test_bad_json_is_refused_with_its_path(orders, text, item, match):
    error = refused(orders, text, knhk.InvalidDocument, item, match or None)
    assert (error.code, error.status) == (200, "invalid document")
    assert isinstance(error, ValueError)


def test_deep_nesting_is_refused(orders):
    depth = 100_000
    refused(orders, '{"a":' * depth + "1" + "}" * depth, knhk.LimitExceeded, match="too many names on a path")
    refused(orders, '{"a":' * depth, knhk.Error)
    refused(orders, '{"a":' + "[" * depth + "]" * depth + "}", knhk.InvalidDocument, "a")
    nested = 1
    for _ in range(500):
        nested = {"a": nested}
    refused(orders, nested, knhk.LimitExceeded)


def test_a_mapping_too_deep_for_python_is_refused(orders):
    nested = {"a": 1}
    for _ in range(100_000):
        nested = {"a": nested}
    refused(orders, nested, knhk.LimitExceeded)
    while isinstance(nested, dict):  # Takes it apart: freeing it at once would recurse as deep.
        nested = nested.pop("a")


def test_limits_are_settings():
    with knhk.open(max_document_bytes=100, max_keys=3, max_depth=2) as engine:
        sector = engine.create_sector("small")
        sector.promote({"a": 1})
        refused(sector, {"a": "x" * 200}, knhk.LimitExceeded)
        refused(sector, {name: 1 for name in "abcd"}, knhk.LimitExceeded)
        refused(sector, {"a": {"b": {"c": {"d": 1}}}}, knhk.LimitExceeded)


def test_a_big_document_is_refused_by_default(orders):
    refused(orders, '{"a": "' + "x" * (17 << 20) + '"}', knhk.LimitExceeded)


@pytest.mark.parametrize(
    ("document", "match"),
    [
        ({"a": float("nan")}, "no document"),
        ({"a": float("inf")}, "no document"),
        ({"a": {1, 2}}, "write a list"),
        ({"a": object()}, "cannot be a value"),
        ({"a": 1j}, "cannot be a value"),
        ({(1, 2): 1}, "no document"),
        ({"a": 2**63}, "64-bit"),
        ({"a": None}, "is null"),
        ({"a": [1, 2.5]}, "a list has one type"),
    ],
)
def test_mappings_that_are_no_documents(orders, document, match):
    refused(orders, document, knhk.InvalidDocument, match=match)


@pytest.mark.parametrize("document", [{"a": "\ud800"}, {"\ud800": 1}, '{"a": "\ud800"}'])
def test_lone_surrogates_are_no_text(orders, document):
    with pytest.raises(UnicodeEncodeError):
        orders.promote(document)


def test_a_cycle_is_refused(orders):
    document = {}
    document["a"] = document
    refused(orders, document, knhk.InvalidDocument, match="Circular")


@pytest.mark.parametrize("document", [None, 5, ["a"], object()])
def test_what_is_neither_mapping_nor_text(orders, document):
    with pytest.raises(TypeError, match="a mapping or JSON text"):
        orders.promote(document)


def test_bytes_of_json_are_text(orders):
    orders.promote(b'{"a": "\xc3\xbc"}', major=True)
    assert orders.key("a", str)() == "ü"
    with pytest.raises(knhk.InvalidArgument, match="not UTF-8") as caught:
        orders.promote(b'{"a": "\xff"}')
    assert (caught.value.code, caught.value.status) == (3, "not UTF-8")


def test_what_is_exported_imports_to_the_same(engine, orders):
    text = orders.export()
    with knhk.open() as elsewhere:
        other = elsewhere.create_sector("orders")
        other.promote(text)
        assert other.export() == text
        assert other.history()[0].snapshot_id == orders.history()[0].snapshot_id
        other.promote(json.loads(text))
        assert other.history()[1].snapshot_id == orders.history()[0].snapshot_id
    # Names belong to their sector, so another sector's knowledge is another one.
    copy = engine.create_sector("copy")
    copy.promote(text)
    assert copy.export() == text
    assert copy.history()[0].snapshot_id != orders.history()[0].snapshot_id
    assert json.loads(engine.dump())["orders"] == json.loads(text)


def test_any_mapping_will_do(engine):
    from collections import OrderedDict
    from types import MappingProxyType

    sector = engine.create_sector("maps")
    sector.promote(MappingProxyType(OrderedDict(b=MappingProxyType({"c": 1}), a=bytearray(b"x"), m=memoryview(b"y"))))
    assert sector.key("b/c", int)() == 1
    assert sector.key("a", bytes)() == b"x"
    assert sector.key("m", bytes)() == b"y"


def test_enumeration(engine, orders):
    keys = {key.name: key for key in orders.keys()}
    assert keys["max_qty"].type == "i64"
    assert (keys["max_qty"].unit, keys["max_qty"].doc) == ("lots", "largest order")
    assert "1000 lots" in keys["max_qty"].display
    assert keys["venues"].type == "list<string>" and keys["venues"].unit is None
    engine.create_sector("empty")
    assert engine.sector("empty").keys() == []
    listed = engine.sectors()
    assert [(sector.name, sector.kind, sector.ready, sector.version) for sector in listed] == [
        ("orders", "direct", True, 1),
        ("empty", "direct", False, 0),
    ]
    assert listed[0].snapshot_id == orders.history()[0].snapshot_id


@pytest.mark.parametrize("name", ["", "Orders", "a b", "a/b", "-a", "x" * 65, "ä", "..", "a\x00"])
def test_sector_names(engine, name):
    with pytest.raises(knhk.InvalidArgument, match="cannot name a sector"):
        engine.create_sector(name)


def test_sectors_that_exist_or_do_not(engine, orders):
    with pytest.raises(knhk.AlreadyExists):
        engine.create_sector("orders")
    with pytest.raises(knhk.NotFound, match="there are orders"):
        engine.sector("order")
    with pytest.raises(knhk.InvalidArgument, match="no kind"):
        engine.create_sector("other", kind="governed-by-magic")
    with pytest.raises(TypeError):
        engine.create_sector(5)


def test_there_are_64_sectors(engine):
    for n in range(64):
        engine.create_sector(f"s{n}")
    with pytest.raises(knhk.LimitExceeded):
        engine.create_sector("s64")


def test_a_document_of_many_values(engine):
    sector = engine.create_sector("many")
    sector.promote({f"k{n}": n for n in range(10_000)})
    assert sector.key("k9999", int)() == 9999
    assert len(sector.keys()) == 10_000
    sector.promote({**{f"k{n}": n for n in range(10_000)}, "more": DOCUMENT["venues"]})
    assert sector.history()[-1].differences[0].path == "more"
