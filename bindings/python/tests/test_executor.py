"""Executors: values, slices, cancelling, deadlines, the end, and who yields to the hot path."""

import asyncio
import concurrent.futures
import gc
import os
import threading
import weakref

import pytest

import knhk
from knhk import warm

LONG = 60.0


@pytest.fixture
def executor():
    with warm.Executor("test", threads=1) as executor:
        yield executor


class Blocked:
    """Work that runs until it is let go or cancelled."""

    def __init__(self):
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self):
        self.begun.set()
        run = warm.current_run()
        while not run.cancelled and not self.let_go.wait(0.001):
            pass
        return run.cancelled


def test_values_and_exceptions(executor):
    assert executor.submit(divmod, 7, 2).result(LONG) == (3, 1)
    assert executor.submit(int, "12", base=3).result(LONG) == 5
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 / 0).result(LONG)
    assert list(executor.map(abs, [-1, 2, -3])) == [1, 2, 3]
    assert warm.current_run() is None
    assert executor.counters()["knhk.warm.executor.done"] == 6


def test_a_generator_runs_in_slices_and_what_is_known_is_known_with_its_value(executor):
    slices = []

    @executor.task(name="count", priority=warm.Priority.HIGH, budget=0.0)
    def count(to):
        for n in range(to):
            slices.append(warm.current_run().slice)
            yield n
        return to

    # No two steps fit into a budget of nothing.
    assert count.submit(5).result(LONG) == 5
    assert slices == [0, 1, 2, 3, 4]
    stats = count.stats()
    assert (stats.name, stats.priority, stats.runs, stats.slices) == ("count", warm.Priority.HIGH, 1, 6)
    assert stats.overruns == 6 and stats.level < warm.Priority.HIGH
    assert [each.name for each in executor.tasks()] == ["submit", "count"]

    @executor.task(budget=60.0)
    def sum_up(to):
        total = 0
        for n in range(to):
            total += n
            yield
        return total

    assert sum_up.submit(1000).result(LONG) == 499500 and sum_up.stats().slices == 1


def test_what_matters_most_and_what_is_due_first_is_first():
    order = []
    with warm.Executor(threads=1) as executor:
        low = executor.task(order.append, name="low", priority=warm.Priority.LOW)
        high = executor.task(order.append, name="high", priority=warm.Priority.HIGH)
        executor.pause()
        futures = [low.submit("low"), high.submit("high"), high.submit_within(50.0, "later"), high.submit_within(40.0, "soon")]
        assert executor.stats().paused and executor.stats().waiting == [0, 1, 0, 3, 0]
        executor.resume()
        assert not concurrent.futures.wait(futures, LONG).not_done
    assert order == ["soon", "later", "high", "low"]


def test_cancelling(executor):
    blocked = Blocked()
    running = executor.submit(blocked)
    assert blocked.begun.wait(LONG)
    waiting = executor.submit(os.abort)
    assert waiting.cancel() and waiting.cancelled() and waiting.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        waiting.result()
    assert not running.cancel()
    assert running.result(LONG) is True

    closed = threading.Event()

    @executor.task(budget=0.0)
    def endless():
        try:
            while True:
                yield
        finally:
            closed.set()

    future = endless.submit()
    while not endless.stats().slices:
        pass
    future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(LONG)
    assert closed.is_set()


def test_deadlines_and_notices():
    notices = []
    with warm.Executor(threads=1, notice=notices.append) as executor:
        blocked = Blocked()
        executor.submit(blocked)
        assert blocked.begun.wait(LONG)
        drops = executor.task(os.abort, name="drops", drop_late=True)
        late = drops.submit_within(0.0)
        blocked.let_go.set()
        with pytest.raises(knhk.TimedOut, match="deadline"):
            late.result(LONG)
        told = [notice for notice in notices if notice.kind == "late"]
        assert [notice.task for notice in told] == ["drops"] and "was dropped" in told[0].text
        assert drops.stats().late == 1


def test_no_place_and_no_executor():
    executor = warm.Executor(threads=1, capacity=2)
    blocked = Blocked()
    first = executor.submit(blocked)
    assert blocked.begun.wait(LONG)
    second = executor.submit(int)
    with pytest.raises(knhk.Busy):
        executor.submit(int)
    blocked.let_go.set()
    # Futures that are kept keep no place.
    kept = [first, second]
    for future in kept:
        future.result(LONG)
    while len(kept) < 50:
        try:
            kept.append(executor.submit(int))
            kept[-1].result(LONG)
        except knhk.Busy:
            pass  # The place of the last one is given back behind its value.
    executor.shutdown()
    with pytest.raises(knhk.Closed):
        executor.submit(int)
    with pytest.raises(knhk.Closed):
        executor.stats()
    for wrong in [{"threads": 0}, {"capacity": 0}, {"horizon": -1.0}]:
        with pytest.raises(knhk.InvalidArgument):
            warm.Executor(**wrong)

    async def coroutine():
        pass

    with warm.Executor() as executor:
        with pytest.raises(TypeError):
            executor.task(coroutine)
        with pytest.raises(knhk.InvalidArgument):
            executor.task(int, budget=-1.0)


def test_stopping_names_what_does_not_return():
    executor = warm.Executor(threads=2)
    blocked, deaf, heard = Blocked(), threading.Event(), threading.Event()
    polite = executor.submit(blocked)

    def never():
        heard.set()
        deaf.wait()

    stuck = executor.task(never, name="never").submit()
    assert blocked.begun.wait(LONG) and heard.wait(LONG)
    waits = executor.submit(os.abort)
    # The polite one has all the time that it needs; the other one is waited for in vain.
    ended = executor.stop(drain=0.0, cancel=0.5)
    assert ended.unfinished == 3 and "never" in ended.stuck
    assert waits.cancelled() and polite.result(LONG) is True
    deaf.set()
    assert stuck.result(LONG) is None
    assert executor.stop() == (0, [])


def test_shutting_down_without_waiting_goes_on():
    executor = warm.Executor(threads=1)
    blocked = Blocked()
    running, waiting = executor.submit(blocked), executor.submit(int)
    assert blocked.begun.wait(LONG)
    executor.shutdown(wait=False)
    with pytest.raises(knhk.Closed):
        executor.submit(int)
    blocked.let_go.set()
    assert (running.result(LONG), waiting.result(LONG)) == (False, 0)

    executor = warm.Executor(threads=1)
    blocked = Blocked()
    running, waiting = executor.submit(blocked), executor.submit(os.abort)
    assert blocked.begun.wait(LONG)
    executor.shutdown(cancel_futures=True)
    assert running.result() is True and waiting.cancelled()


def test_an_executor_that_is_forgotten_gives_up_what_waits():
    executor = warm.Executor(threads=1)
    executor.pause()
    future = executor.submit(os.abort)
    gone = weakref.ref(executor)
    del executor
    gc.collect()
    assert gone() is None
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(LONG)


def test_executors_in_an_event_loop(executor):
    async def main():
        loop = asyncio.get_running_loop()
        assert await executor.submit(abs, -1) == 1
        assert await loop.run_in_executor(executor, abs, -2) == 2
        blocked = Blocked()
        executor.submit(blocked)
        waits = executor.submit(os.abort)

        async def wait():
            await waits

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waits.cancelled()
        blocked.let_go.set()

    asyncio.run(main())


def test_an_engine_lists_it(engine, executor):
    executor.add_to(engine)
    with pytest.raises(knhk.AlreadyExists):
        executor.add_to(engine)
    executor.submit(abs, -1).result(LONG)
    [listed] = warm.executors(engine)
    assert (listed.name, listed.stats.waiting) == ("test", [0] * 5)
    assert [(task.name, task.runs) for task in listed.tasks] == [("submit", 1)]
    with warm.Executor("other") as other:
        other.add_to(engine)
        assert [listed.name for listed in warm.executors(engine)] == ["test", "other"]
    assert [listed.name for listed in warm.executors(engine)] == ["test"]


def test_one_that_an_engine_knows_yields_to_the_hot_path(executor):
    with knhk.open(hot_budget=50e-9) as engine:
        executor.add_to(engine)
        begun = threading.Event()

        @executor.task(budget=LONG)
        def until_told():
            run = warm.current_run()
            begun.set()
            while not run.should_yield():
                pass
            return run.left > 0

        for _ in range(100):
            engine.report_hot(40e-9)
        assert 30e-9 < engine.hot_mean < 50e-9
        told = until_told.submit()
        assert begun.wait(LONG) and not told.done()
        while not told.done():
            engine.report_hot(1e-6)
        assert told.result() and engine.hot_mean > 50e-9

        # Nothing begins while it lasts, and what waits goes on when nothing is said any more.
        held = executor.counters()["knhk.warm.executor.held"]
        while executor.counters()["knhk.warm.executor.held"] == held:
            engine.report_hot(1e-6)
            if told.done():
                told = executor.submit(abs, -1)
        assert told.result(LONG) == 1
        for wrong in [-1.0, float("nan"), "1"]:
            with pytest.raises(knhk.InvalidArgument):
                engine.report_hot(wrong)


def test_threads_are_not_needed_by_what_they_wait_for():
    """Runs that submit, and a main thread that waits, with the interpreter's lock in between."""
    with warm.Executor(threads=2, capacity=4096) as executor:
        total, futures = [], []

        def parent(n):
            total.append(n)
            if n:
                futures.append(executor.submit(parent, n - 1))

        for _ in range(20):
            futures.append(executor.submit(parent, 50))
        while futures:
            futures.pop().result(LONG)
    assert len(total) == 20 * 51
