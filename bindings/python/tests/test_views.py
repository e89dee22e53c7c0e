"""Views: one generation, for as long as it is wanted."""

import threading

import pytest

import knhk
from conftest import DOCUMENT
from knhk import Reason


def test_a_view_reads_by_key_and_by_path(engine, orders):
    qty, venues = orders.key("max_qty", int), orders.key("venues", list[str])
    with engine.view() as view:
        assert view[qty] == view["orders/max_qty"] == view.get(qty) == view.get("orders/max_qty") == 1000
        assert view[venues] == view["orders/venues"] == ["XPAR", "XLON"]
        assert view["orders/limits/XLON/day"] == 20
        assert view.try_get(qty) == (1000, Reason.PRESENT)
        assert view.allows(qty, 5) and not view.allows(qty, 0)
        assert qty in view and "orders/venues" in view
        assert view.snapshot_id("orders") == orders.history()[-1].snapshot_id


def test_a_view_stays_with_its_generation(engine, orders):
    qty, ratio = orders.key("max_qty", int), orders.key("ratio", float)
    with engine.view() as view:
        orders.promote({**DOCUMENT, "max_qty": 7, "ratio": 0.75})
        assert (view[qty], view[ratio], view["orders/max_qty"]) == (1000, 0.5, 1000)
        assert (qty(), ratio()) == (7, 0.75)
        with engine.view() as newer:
            assert newer[qty] == 7
            assert newer.epoch == view.epoch + 1
        assert view[qty] == 1000


def test_sectors_change_together_or_not_at_all(engine, orders):
    rates = engine.create_sector("rates")
    rates.promote({"eur": 1.0})
    view = engine.view()
    rates.promote({"eur": 2.0})
    assert view["rates/eur"] == 1.0
    assert engine.view()["rates/eur"] == 2.0


def test_maps(engine, orders):
    limits = orders.key("limits", dict)
    with engine.view() as view:
        assert view.lookup(limits, "XPAR") == 10
        assert view.lookup(limits, "XMIL", 1) == 1
        assert view.lookup(limits, "XMIL", default=None) is None
        with pytest.raises(knhk.NotFound, match="orders/limits/XMIL has no value"):
            view.lookup(limits, "XMIL")
        table = view[limits]
        assert table["XPAR"] == view["orders/limits"]["XPAR"] == 10
        assert table["XLON"]["night"] == 5
        assert table.get("XMIL") is None and table.get("XMIL", 3) == 3
        assert "XPAR" in table and "XMIL" not in table
        assert table.path == "orders/limits"
        with pytest.raises(knhk.InvalidArgument, match="not a map"):
            view.lookup(orders.key("venue", str), "x")
    with pytest.raises(knhk.InvalidArgument, match="the view is closed"):
        table["XPAR"]


def test_classes(engine, orders):
    bond, instrument = orders.key("$classes/bond", "class"), orders.key("$classes/instrument", "class")
    with engine.view() as view:
        assert view.is_a(bond, instrument) and not view.is_a(instrument, bond)
        with pytest.raises(knhk.InvalidArgument, match="is a class"):
            view["orders/$classes/bond"]


@pytest.mark.parametrize("path", ["orders/nothing", "orders/", "orders/limits/", "orders/limits/XMIL", "orders/max_qty/x"])
def test_unknown_paths(engine, orders, path):
    with engine.view() as view:
        assert path not in view
        assert view.get(path) is None
        assert view.get(path, 5) == 5
        with pytest.raises(knhk.NotFound):
            view[path]


def test_paths_that_are_none(engine, orders):
    with engine.view() as view:
        with pytest.raises(knhk.InvalidArgument, match="is no path"):
            view["orders"]
        with pytest.raises(knhk.NotFound, match="no sector"):
            view["nowhere/x"]
        assert "orders" not in view and "nowhere/x" not in view
        for key in (5, None, b"orders/max_qty", ("orders", "max_qty")):
            with pytest.raises(TypeError, match="knhk.Key or by a path"):
                view[key]


def test_a_sector_that_is_not_ready(engine):
    engine.create_sector("later")
    with engine.view() as view, pytest.raises(knhk.NotReady):
        view["later/x"]


def test_a_closed_view_is_refused(engine, orders):
    qty = orders.key("max_qty", int)
    view = engine.view()
    assert not view.closed
    view.close()
    view.close()
    assert view.closed
    assert "closed" in repr(view)
    for read in (lambda: view[qty], lambda: view.get(qty), lambda: view.epoch, lambda: view.__enter__(), lambda: qty in view):
        with pytest.raises(knhk.InvalidArgument, match="the view is closed"):
            read()


def test_an_exception_in_the_block_passes_and_closes(engine):
    with pytest.raises(ZeroDivisionError), engine.view() as view:
        1 / 0
    assert view.closed


def test_another_engines_key_is_refused(engine, orders):
    with knhk.open() as stranger:
        theirs = stranger.create_sector("orders")
        theirs.promote(DOCUMENT)
        key = theirs.key("max_qty", int)
        with engine.view() as view:
            for use in (lambda: view[key], lambda: view.get(key), lambda: view.allows(key, 1), lambda: key in view):
                with pytest.raises(knhk.InvalidArgument, match="another engine"):
                    use()
        with pytest.raises(knhk.InvalidArgument, match="another engine"):
            engine.observe(key, 1)


def test_a_view_goes_to_another_thread_and_outlives_its_own(engine, orders):
    qty = orders.key("max_qty", int)
    views = []
    thread = threading.Thread(target=lambda: views.append(engine.view()))
    thread.start()
    thread.join()
    orders.promote({**DOCUMENT, "max_qty": 7})
    assert views[0][qty] == 1000


def test_an_open_view_outlives_the_engine():
    engine = knhk.open()
    sector = engine.create_sector("orders")
    sector.promote(DOCUMENT)
    qty = sector.key("max_qty", int)
    view = engine.view()
    engine.close()
    assert view[qty] == 1000
    with pytest.raises(knhk.Closed):
        engine.view()
    del engine, sector
    assert view[qty] == 1000
    assert view["orders/limits"]["XPAR"] == 10


def test_a_view_keeps_memory_only_while_it_is_open(engine, orders):
    view = engine.view()
    for n in range(5):
        orders.promote({**DOCUMENT, "max_qty": n + 1})
    assert engine.stats().retained_roots >= 1
    assert view["orders/max_qty"] == 1000
    view.close()
