"""Callbacks on the warm thread: exceptions, unsubscribing from within, and who waits for whom."""

import gc
import logging
import os
import queue
import select
import threading
import weakref

import pytest

import knhk
from conftest import DOCUMENT, damage

PATIENCE = 300  # seconds: only what hangs takes as long, also on a busy machine without optimisation


def promote(sector, n):
    sector.promote({**DOCUMENT, "max_qty": n}, by="ops", why=f"to {n}")


def finishes(work):
    """Runs `work` on a thread that must end."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "a deadlock"
    if raised:
        raise raised[0]


def test_changes_arrive_in_order_with_who_and_why(engine, orders):
    arrived = queue.Queue()
    with engine.subscribe(arrived.put):
        for n in (1, 2, 3):
            promote(orders, n)
        orders.rollback(1, by="ops", why="enough")
        changes = [arrived.get(timeout=PATIENCE) for _ in range(4)]
    assert [change.version for change in changes] == [2, 3, 4, 5]
    assert [change.rollback_of for change in changes] == [None, None, None, 1]
    first = changes[0]
    assert (first.sector, first.by, first.why, first.missed) == ("orders", "ops", "to 1", 0)
    assert first.summary == str(first) and "max_qty" in first.summary and "ops" in first.summary
    assert [difference.path for difference in first.differences] == ["max_qty"]
    assert first.snapshot_id == orders.history()[1].snapshot_id
    assert first.epoch == orders.history()[1].epoch and first.time_ns > 0
    assert changes[-1].epoch == engine.version


def test_an_exception_goes_to_logging_and_ends_nothing(engine, orders, caplog):
    arrived = queue.Queue()

    def callback(change):
        arrived.put(change.version)
        if change.version == 2:
            raise ZeroDivisionError("planted")
        if change.version == 3:
            raise SystemExit(3)

    with caplog.at_level(logging.ERROR, "knhk"), engine.subscribe(callback):
        for n in (1, 2, 3):
            promote(orders, n)
        assert [arrived.get(timeout=PATIENCE) for _ in range(3)] == [2, 3, 4]
    records = [record for record in caplog.records if record.name == "knhk" and record.exc_info]
    assert [record.exc_info[0] for record in records] == [ZeroDivisionError, SystemExit]


def test_unsubscribing_ends_it(engine, orders):
    arrived = queue.Queue()
    subscription = engine.subscribe(arrived.put)
    promote(orders, 1)
    assert arrived.get(timeout=PATIENCE).version == 2
    subscription.close()
    subscription.close()
    promote(orders, 2)
    with engine.subscribe(arrived.put):
        promote(orders, 3)
        assert arrived.get(timeout=PATIENCE).version == 4


def test_unsubscribing_in_the_callback(engine, orders):
    arrived = queue.Queue()
    held = []

    def callback(change):
        held[0].close()
        arrived.put(change.version)

    held.append(engine.subscribe(callback))
    promote(orders, 1)
    assert arrived.get(timeout=PATIENCE) == 2
    promote(orders, 2)
    with engine.subscribe(arrived.put):
        promote(orders, 3)
        assert arrived.get(timeout=PATIENCE).version == 4


def test_a_callback_may_call_the_engine(engine, orders):
    qty = orders.key("max_qty", int)
    arrived = queue.Queue()

    def callback(change):
        if change.version == 2:
            promote(orders, 42)
        with engine.view() as view:
            arrived.put((change.version, view.epoch >= change.epoch, qty() >= 1, len(orders.history())))

    with engine.subscribe(callback):
        promote(orders, 1)
        assert arrived.get(timeout=PATIENCE)[:3] == (2, True, True)
        assert arrived.get(timeout=PATIENCE)[:3] == (3, True, True)
    assert qty() == 42


def test_closing_the_engine_in_the_callback():
    engine = knhk.open()
    sector = engine.create_sector("s")
    done = threading.Event()

    def callback(change):
        engine.close()
        done.set()

    engine.subscribe(callback)
    sector.promote({"n": 1})
    assert done.wait(PATIENCE)
    assert engine.closed


def test_the_last_reference_going_in_the_callback():
    done = threading.Event()
    held = [knhk.open()]
    sector = held[0].create_sector("s")

    def callback(change):
        held.clear()
        done.set()

    held[0].subscribe(callback)
    sector.promote({"n": 1})
    del sector
    assert done.wait(PATIENCE)


@pytest.mark.parametrize("end", ["unsubscribe", "close", "forget"])
def test_ending_while_a_callback_waits_for_the_interpreter(end):
    """A thread that ends a subscription waits for the running call, which waits for the interpreter that the thread holds."""
    for _ in range(20):
        engine = knhk.open()
        sector = engine.create_sector("s")
        arrived = threading.Event()
        subscription = engine.subscribe(lambda change: arrived.set())
        finishes(lambda: sector.promote({"n": 1}))
        if end == "unsubscribe":
            finishes(subscription.close)
        elif end == "close":
            finishes(engine.close)
        else:
            handles = [engine, sector, subscription]
            del engine, sector, subscription
            finishes(handles.clear)


def test_unsubscribing_waits_for_the_running_call(engine, orders):
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def callback(change):
        begun.set()
        release.wait(PATIENCE)
        ended.set()

    subscription = engine.subscribe(callback)
    promote(orders, 1)
    assert begun.wait(PATIENCE)
    closer = threading.Thread(target=subscription.close)
    closer.start()
    # Reads, promotions and other subscriptions go on meanwhile.
    promote(orders, 2)
    assert orders.key("max_qty", int)() == 2
    release.set()
    closer.join(PATIENCE)
    assert not closer.is_alive() and ended.is_set()


def test_a_subscriber_that_falls_behind_is_told_how_many_it_missed(engine, orders):
    release, arrived = threading.Event(), queue.Queue()
    begun = threading.Event()

    def callback(change):
        begun.set()
        release.wait(PATIENCE)
        arrived.put((change.version, change.missed))

    with engine.subscribe(callback):
        promote(orders, 1)
        assert begun.wait(PATIENCE)
        for n in range(300):
            promote(orders, n % 5000 + 1)
        release.set()
        seen = [arrived.get(timeout=PATIENCE)]
        while seen[-1][0] != 302:
            seen.append(arrived.get(timeout=PATIENCE))
    assert seen[0] == (2, 0)
    assert sum(missed for _, missed in seen) == 301 - len(seen)
    assert engine.stats().missed_changes == 301 - len(seen)


def test_what_cannot_be_called_is_refused(engine):
    with pytest.raises(TypeError, match="cannot be called"):
        engine.subscribe("print")


def test_an_ended_subscription_lets_its_callback_go(engine, orders):
    class Listener:
        def heard(self, change):
            pass

    listener = Listener()
    gone = weakref.ref(listener)
    subscription = engine.subscribe(listener.heard)
    del listener
    gc.collect()
    assert gone() is not None
    subscription.close()
    # A reference let go while detached is dropped at the next call into the module.
    engine.stats()
    gc.collect()
    assert gone() is None


def test_closing_breaks_the_cycle_of_engine_and_callback():
    class Service:
        def __init__(self):
            self.engine = knhk.open()
            self.engine.subscribe(self.heard)

        def heard(self, change):
            pass

    service = Service()
    gone = weakref.ref(service)
    service.engine.close()
    del service
    knhk.open().close()
    gc.collect()
    assert gone() is None


def test_the_descriptor_tells_that_something_changed(engine, orders):
    ready = lambda timeout: select.select([engine], [], [], timeout)[0]
    seen = engine.version
    assert engine.fileno() == engine.fileno()
    assert ready(0) == []
    promote(orders, 1)
    promote(orders, 2)
    assert ready(PATIENCE) == [engine]
    assert int.from_bytes(os.read(engine.fileno(), 8), "little") == 2
    assert ready(0) == []
    changes = engine.changes_since(seen)
    assert [change.version for change in changes] == [2, 3]
    assert engine.version == changes[-1].epoch
    assert engine.changes_since(engine.version) == []
    with pytest.raises(OverflowError):
        engine.changes_since(-1)


def test_the_engines_log_goes_to_logging(caplog):
    arrived = queue.Queue()

    class Handler(logging.Handler):
        def emit(self, record):
            arrived.put(record)

    handler = Handler()
    logger = logging.getLogger("knhk")
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, "knhk"), knhk.open() as engine:
            engine.create_sector("s").promote({"n": 1}, by="ops-1", why="because")
            record = arrived.get(timeout=PATIENCE)
            while record.part != "promotion":
                record = arrived.get(timeout=PATIENCE)
            assert (record.levelno, record.name) == (logging.INFO, "knhk")
            assert "promotion: s 1:" in record.getMessage() and "ops-1: because" in record.getMessage()
    finally:
        logger.removeHandler(handler)


def test_what_recovery_has_to_say_is_logged(tmp_path):
    with knhk.open(tmp_path) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        sector.promote({"n": 2})
    damage(tmp_path, 2)
    arrived = queue.Queue()

    class Handler(logging.Handler):
        def emit(self, record):
            arrived.put(record)

    handler = Handler()
    logging.getLogger("knhk").addHandler(handler)
    try:
        with knhk.open(tmp_path):
            record = arrived.get(timeout=PATIENCE)
    finally:
        logging.getLogger("knhk").removeHandler(handler)
    assert (record.levelno, record.part) == (logging.ERROR, "recovery")


def test_lines_that_nobody_wants_do_not_reach_logging(orders):
    seen = []
    logger = logging.getLogger("knhk")
    watch = logging.Filter()
    watch.filter = lambda record: seen.append(record) or True
    logger.addFilter(watch)
    try:
        promote(orders, 1)
        arrived = queue.Queue()
        with orders.engine.subscribe(arrived.put):
            promote(orders, 2)
            arrived.get(timeout=PATIENCE)
    finally:
        logger.removeFilter(watch)
    assert seen == []


def test_a_log_handler_may_close_the_engine():
    done = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record):
            engine.close()
            done.set()

    handler = Handler()
    logger = logging.getLogger("knhk")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        engine = knhk.open()
        engine.create_sector("s").promote({"n": 1})
        assert done.wait(PATIENCE)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
