"""Observations: appended without waiting, drained in order, counted where they are dropped."""

import threading
import time

import pytest

import knhk
from knhk import Outcome


def test_what_is_observed_is_drained(engine, orders):
    qty, ratio, venue = orders.key("max_qty", int), orders.key("ratio", float), orders.key("venue", str)
    assert engine.observe(qty, 5, Outcome.REJECTED, subject=2**64 - 1, detail=9, time_ns=123)
    assert engine.observe(ratio, 1, outcome=Outcome.SUCCESS)
    assert engine.observe(venue, True, 256)
    assert engine.observe(qty, -(2**63))
    assert engine.observe(qty, 0.25)
    drained = engine.drain()
    assert [(seen.key, seen.value, seen.outcome) for seen in drained] == [
        ("orders/max_qty", 5, Outcome.REJECTED),
        ("orders/ratio", 1.0, Outcome.SUCCESS),
        ("orders/venue", True, 256),
        ("orders/max_qty", -(2**63), Outcome.UNSPECIFIED),
        ("orders/max_qty", 0.25, 0),
    ]
    assert [type(seen.value) for seen in drained] == [int, float, bool, int, float]
    first = drained[0]
    assert (first.subject, first.detail, first.time_ns, first.epoch) == (2**64 - 1, 9, 123, engine.version)
    assert [seen.sequence for seen in drained] == [0, 1, 2, 3, 4]
    assert len({seen.reader for seen in drained}) == 1
    assert "orders/max_qty = 5" in repr(first)
    assert engine.drain() == []


def test_the_engines_clock_stamps(engine, orders):
    engine.observe(orders.key("max_qty", int), 5)
    assert abs(engine.drain()[0].time_ns - time.time_ns()) < 60_000_000_000


def test_an_observation_in_a_view_carries_its_generation(engine, orders):
    qty = orders.key("max_qty", int)
    with engine.view() as view:
        orders.rollback(1)
        assert view.observe(qty, view[qty], Outcome.SUCCESS)
        assert engine.observe(qty, 1)
        assert [seen.epoch for seen in engine.drain()] == [view.epoch, view.epoch + 1]
    with pytest.raises(knhk.InvalidArgument, match="the view is closed"):
        view.observe(qty, 1)


def test_a_full_ring_refuses_and_counts():
    with knhk.open(ring_records=4) as engine:
        sector = engine.create_sector("s")
        sector.promote({"n": 1})
        key = sector.key("n", int)
        assert [engine.observe(key, n) for n in range(6)] == [True] * 4 + [False] * 2
        stats = engine.stats()
        assert (stats.dropped, stats.observed) == (2, 0)
        assert [seen.value for seen in engine.drain(3)] == [0, 1, 2]
        assert [seen.value for seen in engine.drain()] == [3]
        assert engine.observe(key, 7)
        assert engine.stats().observed == 4


def test_without_a_ring_nothing_is_taken():
    with knhk.open(ring_records=0) as engine:
        sector = engine.create_sector("s")
        sector.promote({"n": 1})
        assert not engine.observe(sector.key("n", int), 1)


def test_what_past_threads_observed_is_not_lost(engine, orders):
    qty = orders.key("max_qty", int)

    def work(number):
        for n in range(200):
            while not engine.observe(qty, number * 1000 + n):
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drained = engine.drain()
    assert sorted(seen.value for seen in drained) == [number * 1000 + n for number in range(8) for n in range(200)]
    by_reader = {}
    for seen in drained:
        by_reader.setdefault(seen.reader, []).append(seen.value)
    assert len(by_reader) == 8
    assert all(values == sorted(values) for values in by_reader.values())


@pytest.mark.parametrize("value", ["5", None, 2**63, -(2**63) - 1, 1j, [1]])
def test_what_cannot_be_observed(engine, orders, value):
    with pytest.raises(TypeError, match="an observation is"):
        engine.observe(orders.key("max_qty", int), value)
    assert engine.drain() == []


@pytest.mark.parametrize(
    "kwargs", [{"outcome": -1}, {"outcome": 2**32}, {"subject": -1}, {"subject": 2**64}, {"detail": "x"}, {"time_ns": -1}]
)
def test_numbers_that_do_not_fit(engine, orders, kwargs):
    with pytest.raises((OverflowError, TypeError)):
        engine.observe(orders.key("max_qty", int), 1, **kwargs)
    with pytest.raises(TypeError):
        engine.observe("orders/max_qty", 1)


def test_after_close_nothing_is_appended(engine, orders):
    qty = orders.key("max_qty", int)
    assert engine.observe(qty, 1)
    engine.close()
    engine.observe(qty, 2)
    assert engine.drain()[0].value == 1
