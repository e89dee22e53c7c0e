"""Memory: a read leaves nothing behind, and neither do keys, views, errors or subscriptions that are gone."""

import gc
import sys
import tracemalloc

import pytest

import knhk
from conftest import DOCUMENT

ROUNDS = 2000


def growth(work):
    """Blocks that `work` leaves allocated, a round; the first rounds fill caches."""
    for _ in range(100):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(ROUNDS):
        work()
    gc.collect()
    return (sys.getallocatedblocks() - before) / ROUNDS


@pytest.fixture
def keys(orders):
    kinds = {"max_qty": int, "ratio": float, "open": bool, "venue": str, "blob": bytes, "venues": list[str]}
    return {name: orders.key(name, kind) for name, kind in kinds.items()}


def test_reads_leave_nothing_behind(engine, keys):
    with engine.view() as view:
        for key in keys.values():
            for work in (key, lambda: key(5), lambda: key(default=None), key.try_get, lambda: view[key], lambda: view.get(key)):
                assert growth(work) < 0.05
        for path in ("orders/venues", "orders/max_qty", "orders/limits"):
            assert growth(lambda: view[path]) < 0.05
            assert growth(lambda: path in view) < 0.05


def test_other_calls_leave_nothing_behind(engine, orders, keys):
    qty = keys["max_qty"]

    def fails():
        with pytest.raises(knhk.NotFound):
            orders.key("nothing", int)

    def wrong():
        try:
            qty(1, 2)
        except TypeError:
            pass

    for work in (
        lambda: engine.view(),
        lambda: engine.view().close(),
        lambda: orders.key("max_qty", int),
        lambda: qty.allows(5),
        lambda: engine.observe(qty, 5),
        lambda: engine.subscribe(print).close(),
        lambda: engine.stats(),
        lambda: engine.drain(),
        lambda: engine.sector("orders"),
        wrong,
        fails,
    ):
        assert growth(work) < 0.05


def test_a_read_allocates_its_result_and_nothing_else(engine, orders, keys):
    orders.promote({**DOCUMENT, "max_qty": 7}, by="ops")  # A small int, which Python has already.
    quiet = {"max_qty": 0, "open": 0, "ratio": 1, "venue": 1, "blob": 1}
    for name, blocks in quiet.items():
        key = keys[name]
        kept = [None] * 100
        key()
        before = sys.getallocatedblocks()
        for n in range(100):
            kept[n] = key()
        # Whole rounds, so that the loop's own few objects do not count.
        assert (sys.getallocatedblocks() - before) // 90 == blocks, name
        del kept


def test_tracemalloc_sees_no_growth(engine, keys):
    qty, venue = keys["max_qty"], keys["venue"]
    for _ in range(100):
        qty(), venue()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10_000):
            qty()
            venue()
        assert tracemalloc.get_traced_memory()[0] - before < 2_000
    finally:
        tracemalloc.stop()


def test_reference_counts_come_back(engine, orders):
    qty = orders.key("max_qty", int)
    default = object()
    absent = orders.key("venue", str)
    orders.promote({"max_qty": 1}, major=True)
    watched = [knhk.Key, knhk.View, knhk.Map, type(qty).__mro__[1], default, None, True, qty]
    before = [sys.getrefcount(item) for item in watched]
    for _ in range(1000):
        qty()
        absent(default)
        absent(default=default)
        qty.try_get()
        knhk.Key(orders, "max_qty", int)
        with engine.view() as view:
            view[qty]
    after = [sys.getrefcount(item) for item in watched]
    assert all(abs(a - b) < 20 for a, b in zip(before, after)), list(zip(watched, before, after))


def test_engines_that_are_gone_free_their_memory():
    def life():
        engine = knhk.open()
        sector = engine.create_sector("s")
        sector.promote(DOCUMENT)
        engine.subscribe(lambda change: None)
        sector.key("max_qty", int)()
        engine.close()

    for _ in range(20):
        life()
    before = resident()
    for _ in range(100):
        life()
    # Each engine has at least a ring, an artifact and a region of reader lines; a leak of them would be far above this.
    assert resident() - before < 8 << 20


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
