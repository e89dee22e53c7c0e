"""Typed keys: what a call returns, and what it says where it cannot."""

import copy
import pickle

import pytest

import knhk
from conftest import DOCUMENT
from knhk import Reason


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("max_qty", int, 1000),
        ("ratio", float, 0.5),
        ("open", bool, True),
        ("venue", str, "Zürich"),
        ("blob", bytes, b"\x00\xff"),
        ("flags", list[bool], [True, False]),
        ("steps", list[int], [1, -2, 3]),
        ("weights", list[float], [0.25, 1.0]),
        ("venues", list[str], ["XPAR", "XLON"]),
        ("keys", list[bytes], [b"a", b""]),
        ("limits/XLON/day", int, 20),
    ],
)
def test_a_key_reads_each_type_as_pythons_own(orders, name, kind, value):
    key = orders.key(name, kind)
    for read in (key(), key(None), key(default=None), key.try_get()[0]):
        assert read == value
        assert type(read) is type(value)
    if isinstance(value, list):
        assert [type(item) for item in key()] == [type(item) for item in value]
    assert key.try_get() == (value, Reason.PRESENT)
    assert key.path == f"orders/{name}"
    assert (key.sector, key.name) == ("orders", name)


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63), 255, 256, -5, -6, 2**30, 2**31, 2**32])
def test_every_integer_of_64_bits_reads_exactly(engine, number):
    sector = engine.create_sector("numbers")
    sector.promote({"n": number})
    assert sector.key("n", int)() == number


@pytest.mark.parametrize("number", [0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 1.0])
def test_every_double_reads_exactly(engine, number):
    sector = engine.create_sector("numbers")
    sector.promote({"x": number})
    read = sector.key("x", float)()
    assert read.hex() == number.hex()


def test_a_key_follows_promotions_and_rollbacks(orders):
    qty = orders.key("max_qty", int)
    orders.promote({**DOCUMENT, "max_qty": 7})
    assert qty() == 7
    orders.rollback(1)
    assert qty() == 1000


def test_types_by_name(orders):
    assert orders.key("max_qty", "i64")() == 1000
    assert orders.key("venues", "list<string>")() == ["XPAR", "XLON"]
    assert orders.key("limits", "map").type == orders.key("limits", dict).type == "map"


def test_a_misspelt_name_is_found_at_once_and_the_nearest_suggested(orders):
    with pytest.raises(knhk.NotFound, match='did you mean "max_qty"') as caught:
        orders.key("max_qyt", int)
    assert caught.value.code == 100
    assert caught.value.item == "orders/max_qyt"
    assert isinstance(caught.value, LookupError)


def test_another_type_is_refused(orders):
    with pytest.raises(knhk.WrongType, match="orders/max_qty is i64, not f64") as caught:
        orders.key("max_qty", float)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("kind", [complex, None, 5, list, list[complex], "i32", "", dict[str, int], tuple[int], object()])
def test_what_is_no_type_is_refused(orders, kind):
    with pytest.raises(knhk.InvalidArgument, match="no type of values"):
        orders.key("max_qty", kind)


@pytest.mark.parametrize("name", ["", "/", "limits/", "/max_qty", "max_qty/x", "x" * 100_000, "\x00", "\N{SNOWMAN}"])
def test_odd_names_are_not_found(orders, name):
    with pytest.raises(knhk.NotFound):
        orders.key(name, int)


def test_a_lone_surrogate_is_no_name(orders):
    with pytest.raises(UnicodeEncodeError):
        orders.key("\ud800", int)


def test_a_dropped_value_needs_a_default(orders):
    qty = orders.key("max_qty", int)
    with pytest.raises(knhk.Incompatible):
        orders.promote({"venue": "x"})
    assert qty() == 1000
    orders.promote({"venue": "x"}, major=True)
    assert qty(5) == 5
    assert qty(default=None) is None
    assert qty.try_get() == (None, Reason.ABSENT)
    with pytest.raises(knhk.NotFound, match="orders/max_qty has no value") as caught:
        qty()
    assert (caught.value.stage, caught.value.item) == ("read", "orders/max_qty")


def test_a_retyped_value_is_of_the_wrong_type(orders):
    qty = orders.key("max_qty", int)
    orders.promote({"max_qty": "many"}, major=True)
    assert qty(5) == 5
    assert qty.try_get() == (None, Reason.WRONG_TYPE)
    with pytest.raises(knhk.WrongType):
        qty()


def test_a_missed_read_is_counted_once(engine, orders):
    keys = [orders.key("max_qty", int), orders.key("venue", str), orders.key("steps", list[int])]
    orders.promote({"other": 1}, major=True)
    for key in keys:
        before = engine.stats().cold_reads
        assert key(None) is None
        assert engine.stats().cold_reads == before + 1


def test_declared_defaults_hold_until_the_first_promotion(engine):
    sector = engine.create_sector("later")
    with pytest.raises(knhk.NotReady):
        sector.key("rate", int)
    sector.declare({"rate": {"$type": "i64", "$default": 3}, "label": "x"})
    rate, label = sector.key("rate", int), sector.key("label", str)
    assert rate() == 3
    assert rate.try_get() == (3, Reason.NOT_READY)
    assert label.try_get() == (None, Reason.NOT_READY)
    with pytest.raises(knhk.NotReady):
        label()
    assert label("none") == "none"
    sector.promote({"rate": 4, "label": "y"})
    assert rate.try_get() == (4, Reason.PRESENT)
    assert label() == "y"


def test_guards(orders):
    qty, ratio = orders.key("max_qty", int), orders.key("ratio", float)
    assert [qty.allows(n) for n in (0, 1, 5000, 5001, 2**63, -(2**70))] == [False, True, True, False, False, False]
    assert [ratio.allows(x) for x in (-0.1, 0, 0.0, 1, 1.5, float("nan"))] == [False, True, True, True, False, False]
    with pytest.raises(TypeError):
        qty.allows("5")
    with pytest.raises(TypeError):
        qty.allows(1.5)
    with pytest.raises(knhk.InvalidArgument, match="only numbers have a range"):
        orders.key("venue", str).allows(5)
    orders.promote({"x": 1}, major=True)
    assert not qty.allows(5)


def test_classes(orders):
    bond, govbond, instrument = (orders.key(f"$classes/{name}", "class") for name in ("bond", "govbond", "instrument"))
    assert govbond.is_a(bond) and govbond.is_a(instrument) and bond.is_a(bond)
    assert not bond.is_a(govbond)
    with pytest.raises(knhk.InvalidArgument, match="is a class"):
        bond()
    with pytest.raises(TypeError):
        bond.is_a("instrument")


def test_maps_are_no_values(orders):
    with pytest.raises(knhk.InvalidArgument, match="is a map"):
        orders.key("limits", dict)()


@pytest.mark.parametrize(
    ("args", "kwargs"), [((1, 2), {}), ((1,), {"default": 2}), ((), {"fallback": 1}), ((), {"default": 1, "x": 2})]
)
def test_a_call_takes_one_argument(orders, args, kwargs):
    with pytest.raises(TypeError):
        orders.key("max_qty", int)(*args, **kwargs)


def test_keys_compare_by_what_they_read(engine, orders):
    one, two, other = orders.key("max_qty", int), orders.key("max_qty", int), orders.key("ratio", float)
    assert one == two and hash(one) == hash(two) and one is not two
    assert one != other and one != "orders/max_qty"
    with knhk.open() as stranger:
        same_name = stranger.create_sector("orders")
        same_name.promote(DOCUMENT)
        assert same_name.key("max_qty", int) != one
    assert {one: 1}[two] == 1
    assert copy.copy(one) is one
    assert repr(one) == "<knhk.Key orders/max_qty (i64)>"


def test_keys_are_of_one_class_that_cannot_be_pickled_or_subclassed(orders):
    qty = orders.key("max_qty", int)
    assert type(qty) is knhk.Key
    assert knhk.Key[int] is knhk.Key
    assert knhk.Key(orders, "max_qty", int)() == 1000
    with pytest.raises(TypeError, match="intern it again"):
        pickle.dumps(qty)
    with pytest.raises(TypeError):
        type("Mine", (knhk.Key,), {})
    with pytest.raises(TypeError):
        knhk.Key()


def test_calls_by_every_road_are_the_same(orders):
    from functools import partial

    qty = orders.key("max_qty", int)
    assert list(map(lambda key: key(), [qty])) == [1000]
    assert partial(qty, 5)() == partial(qty, default=5)() == 1000
    assert qty.__call__() == qty.__call__(5) == type(qty).__call__(qty) == 1000
    assert qty(*[], **{}) == qty(*(5,)) == 1000
