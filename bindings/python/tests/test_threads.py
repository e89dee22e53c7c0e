"""Threads: many read while one promotes; readers come and go with their threads."""

import gc
import os
import signal
import threading

import knhk
from conftest import DOCUMENT


def run(*works):
    """Runs each on a thread of its own; what one raises is raised here."""
    raised = []

    def guarded(work):
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def eventually(holds):
    """Waits for what happens shortly after a `join`, which returns while the system's thread is still ending."""
    while not holds():
        os.sched_yield()


def test_no_read_is_torn_and_none_is_older_than_an_acknowledged_promotion(engine):
    """Each generation holds one number in all values of both sectors."""
    left, right = engine.create_sector("left"), engine.create_sector("right")
    document = lambda n: {"n": n, "x": float(n), "text": f"number {n}", "list": [n, n]}
    for sector in (left, right):
        sector.promote(document(0))
    last = 300
    acknowledged = [0]
    done = threading.Event()

    def promote():
        for n in range(1, last + 1):
            for sector in (left, right):
                sector.promote(document(n))
            acknowledged[0] = n
            if n % 50 == 0:
                left.rollback(left.history()[-1].version)
        done.set()

    def read():
        n, x = left.key("n", int), left.key("x", float)
        text, listed = left.key("text", str), right.key("list", list[int])
        other = right.key("n", int)
        seen = 0
        while not done.is_set():
            floor = acknowledged[0]
            now = n()
            assert now >= floor and now >= seen
            seen = now
            with engine.view() as view:
                a, b, c, d, e = view[n], view[x], view[text], view[listed], view[other]
                assert b == a and c == f"number {a}"
                assert d == [e, e] and e in (a, a - 1)
                assert view["left/n"] == a

    run(promote, read, read, read)
    assert left.key("n", int)() == last


def test_promotions_of_one_sector_are_serialised(engine):
    sector = engine.create_sector("s")
    versions = []

    def promote(number):
        for n in range(50):
            versions.append(sector.promote({"n": number * 1000 + n}).version)

    run(*(lambda number=number: promote(number) for number in range(4)))
    assert sorted(versions) == list(range(1, 201))
    assert [version.version for version in sector.history()] == list(range(137, 201))


def test_a_threads_reader_goes_with_it(engine, orders):
    qty = orders.key("max_qty", int)
    before = engine.stats().readers
    for _ in range(5):
        run(*[lambda: qty()] * 4)
    eventually(lambda: engine.stats().readers == before)


def test_threads_that_end_inside_a_view(engine, orders):
    qty = orders.key("max_qty", int)
    views = []
    before = engine.stats().readers

    def leave():
        view = engine.view()
        view.__enter__()
        assert view[qty] == 1000
        views.append(view)

    run(leave, leave)
    eventually(lambda: engine.stats().readers == before)
    for n in range(300):
        orders.promote({**DOCUMENT, "max_qty": n % 5000 + 1})
    assert [view[qty] for view in views] == [1000, 1000]
    views.clear()
    assert qty() == 300


def test_engines_that_are_gone_leave_no_reader_behind():
    """One thread outlives many engines: it gives up the readers of those that were closed."""
    kept = knhk.open()
    sector = kept.create_sector("s")
    sector.promote({"n": 1})
    qty = sector.key("n", int)
    for n in range(20):
        with knhk.open() as engine:
            other = engine.create_sector("s")
            other.promote({"n": n})
            key = other.key("n", int)
            assert (key(), qty()) == (n, 1)
    gc.collect()
    assert qty() == 1
    kept.close()


def test_engines_opened_and_closed_by_many_threads():
    def work():
        for n in range(10):
            with knhk.open() as engine:
                sector = engine.create_sector("s")
                sector.promote({"n": n})
                assert sector.key("n", int)() == n

    run(work, work, work, work)


def test_a_key_outlives_every_other_handle():
    engine = knhk.open()
    sector = engine.create_sector("s")
    sector.promote({"n": 1})
    key = sector.key("n", int)
    del engine, sector
    gc.collect()
    assert key() == 1
    found = []
    run(lambda: found.append(key()))
    assert found == [1]


def test_closing_while_others_read(engine, orders):
    qty = orders.key("max_qty", int)
    begun = threading.Barrier(4)

    def read():
        begun.wait()
        while (value := qty(None)) is not None:
            assert value == 1000

    def close():
        begun.wait()
        engine.close()

    run(read, read, read, close)


def test_a_view_closed_while_others_read_it(engine, orders):
    qty, venues = orders.key("max_qty", int), orders.key("venues", list[str])
    for _ in range(20):
        view = engine.view()
        begun = threading.Barrier(3)

        def read():
            begun.wait()
            try:
                while True:
                    assert view[qty] == 1000
                    assert view[venues] == ["XPAR", "XLON"]
            except knhk.InvalidArgument:
                pass

        def close():
            begun.wait()
            view.close()

        run(read, read, close)


def test_a_signal_handler_reads_in_the_middle_of_reads(engine, orders):
    qty, venues = orders.key("max_qty", int), orders.key("venues", list[str])
    seen = []

    def handler(number, frame):
        with engine.view() as view:
            seen.append((qty(), venues(), view[qty]))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        while len(seen) < 30:
            with engine.view() as view:
                assert (qty(), venues(), view[venues]) == (1000, ["XPAR", "XLON"], ["XPAR", "XLON"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(map(repr, seen)) == {repr((1000, ["XPAR", "XLON"], 1000))}


def test_a_destructor_that_reads_while_a_list_is_made(engine, orders):
    """Making a list may collect garbage, whose destructors may read, promote, and close the very view that is read."""
    qty, venues = orders.key("max_qty", int), orders.key("venues", list[str])
    views, seen = [], []

    class Late:
        def __init__(self):
            self.itself = self

        def __del__(self):
            seen.append((qty(), venues()))
            views[-1].close()

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for n in range(200):
            views.append(engine.view())
            Late()
            try:
                assert views[-1][venues] == ["XPAR", "XLON"]
            except knhk.InvalidArgument:
                pass
            if n % 20 == 0:
                orders.rollback(1)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert len(seen) == 200 and all(pair == (1000, ["XPAR", "XLON"]) for pair in seen)
