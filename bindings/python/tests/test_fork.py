"""A forked child: reads go on, changes are refused, and it may open its own engine."""

import os
import threading
import traceback

import pytest

import knhk
from conftest import DOCUMENT

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def in_child(work):
    """Runs `work` in a forked child, which ends as a program does that was told to exit: with its `atexit` hooks."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-4000:])
        import atexit

        atexit._run_exitfuncs()
        os._exit(code)
    os.close(writing)
    with open(reading) as told:
        text = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, text


def test_the_child_reads_and_cannot_change(engine, orders):
    qty, venues = orders.key("max_qty", int), orders.key("venues", list[str])
    view = engine.view()
    arrived = threading.Event()
    subscription = engine.subscribe(lambda change: arrived.set())

    def child():
        assert qty() == 1000 and venues() == ["XPAR", "XLON"] and qty.allows(5)
        assert view[qty] == 1000
        with engine.view() as another:
            assert another["orders/venues"] == ["XPAR", "XLON"]
        assert not engine.observe(qty, 1)
        for change in (
            lambda: orders.promote(DOCUMENT),
            lambda: orders.rollback(1),
            lambda: orders.declare(DOCUMENT),
            lambda: engine.create_sector("other"),
            lambda: engine.drain(),
            lambda: engine.subscribe(print),
            lambda: orders.key("max_qty", int),
            lambda: orders.wait_ready(),
        ):
            with pytest.raises(knhk.Forked) as caught:
                change()
            assert caught.value.code == 106
        subscription.close()
        view.close()
        engine.close()

    in_child(child)
    # The parent noticed nothing.
    orders.promote({**DOCUMENT, "max_qty": 7})
    assert arrived.wait(30)
    assert qty() == 7 and view[qty] == 1000


def test_a_thread_of_the_child_that_never_read_is_told(engine, orders):
    qty = orders.key("max_qty", int)

    def child():
        told = []

        def read():
            try:
                qty()
            except knhk.Forked:
                told.append(True)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert told == [True]

    in_child(child)


def test_the_child_opens_its_own(engine, orders, tmp_path):
    qty = orders.key("max_qty", int)

    def child():
        with knhk.open(tmp_path) as own:
            sector = own.create_sector("orders")
            changes = []
            done = threading.Event()
            own.subscribe(lambda change: (changes.append(change.version), done.set()))
            sector.promote({"max_qty": 5})
            assert sector.key("max_qty", int)() == 5
            assert qty() == 1000
            assert done.wait(30) and changes == [1]

    in_child(child)
    with knhk.open(tmp_path) as own:
        assert own.sector("orders").key("max_qty", int)() == 5


def test_a_child_does_not_keep_the_parents_folder(tmp_path):
    engine = knhk.open(tmp_path / "limits")
    engine.create_sector("s").promote({"n": 1})
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)  # Until the parent closes its end.
        os._exit(0)
    os.close(reading)
    try:
        engine.close()
        with knhk.open(tmp_path / "limits") as again:
            assert again.sector("s").key("n", int)() == 1
    finally:
        os.close(writing)
        os.waitpid(child, 0)


def test_forking_from_a_callback(engine, orders):
    """The child's only thread is the warm one, in the middle of a call."""
    qty = orders.key("max_qty", int)
    results = []
    done = threading.Event()

    def callback(change):
        try:
            assert qty() == 1000  # This thread's reader, which the child needs.
            in_child(qty)
            results.append("ended")
        except BaseException as error:
            results.append(error)
        done.set()

    with engine.subscribe(callback):
        orders.promote(DOCUMENT)
        assert done.wait(60)
    assert results == ["ended"]


def test_forks_while_threads_promote_and_read(engine, orders):
    qty = orders.key("max_qty", int)
    stop = threading.Event()

    def promote():
        n = 0
        while not stop.is_set():
            n += 1
            orders.promote({**DOCUMENT, "max_qty": n % 5000 + 1})

    def read():
        while not stop.is_set():
            qty()

    def child():
        first = qty()
        for _ in range(100):
            assert qty() == first

    threads = [threading.Thread(target=promote), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_child(child)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_multiprocessing_by_fork(engine, orders):
    import multiprocessing

    qty = orders.key("max_qty", int)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=lambda: results.put(qty()))
    process.start()
    assert results.get(timeout=30) == 1000
    process.join(30)
    assert process.exitcode == 0
