"""The warm path: executors, channels, component graphs."""

import asyncio
import concurrent.futures
import gc
import os
import threading
import weakref

import pytest

import knhk
from knhk import resilience, warm

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


def test_a_channel_both_ways_between_threads():
    here, there = warm.Channel.pair(3)

    def answers():
        for number in there:
            there.send(number + 1)
        there.finish()

    def asks():
        for number in range(2000):
            here.send(number)
        here.finish()

    threads = [threading.Thread(target=answers), threading.Thread(target=asks)]
    for thread in threads:
        thread.start()
    assert list(here) == list(range(1, 2001))
    for thread in threads:
        thread.join()
    assert (here.outgoing.sent, here.incoming.done, here.outgoing.window) == (2000, 2000, 3)
    with pytest.raises(knhk.Closed):
        here.send(1)


def test_credit():
    here, there = warm.Channel.pair(1)
    assert there.try_receive(None) is None and here.credit == 1
    assert here.try_send(None) and not here.try_send("two")
    with pytest.raises(knhk.TimedOut):
        here.send("two", timeout=0.01)
    with there.take() as first:
        assert first is None and not here.try_send("two")
    there.hold()
    assert here.outgoing.held and not here.try_send("two")
    there.release()
    here.send("two")
    assert there.receive() == "two"
    with pytest.raises(knhk.TimedOut):
        there.receive(timeout=0.01)
    for window in [0, 2**20 + 1]:
        with pytest.raises(knhk.InvalidArgument):
            warm.Channel.pair(window)
    with pytest.raises(knhk.InvalidArgument):
        there.receive(timeout=-1.0)


@pytest.mark.parametrize("how", ["close", "other", "forget"])
def test_whoever_waits_is_woken_by_an_end(how):
    here, there = warm.Channel.pair(1)
    here.send("fills it")
    told = []

    def waits(wait, *message):
        try:
            wait(*message)
        except knhk.Closed:
            told.append(wait.__name__)

    threads = [threading.Thread(target=waits, args=(here.receive,)), threading.Thread(target=waits, args=(here.send, 1))]
    for thread in threads:
        thread.start()
    while not here.outgoing.refused:
        pass
    if how == "close":
        here.close()
    elif how == "other":
        there.close()
    else:
        del there
        gc.collect()
    for thread in threads:
        thread.join(LONG)
    assert sorted(told) == ["receive", "send"]


def test_messages_that_nobody_receives_are_let_go():
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    here, there = warm.Channel.pair(1)
    here.send(thing)
    del thing
    gc.collect()
    assert gone() is not None
    there.close()
    gc.collect()
    assert gone() is None


def test_channels_in_an_event_loop():
    async def main():
        here, there = warm.Channel.pair(2)

        async def answers():
            async for number in there:
                await there.asend(number + 1)
            there.finish()

        async def asks():
            for number in range(500):
                await here.asend(number)
            here.finish()

        tasks = [asyncio.create_task(answers()), asyncio.create_task(asks())]
        assert [number async for number in here] == list(range(1, 501))
        await asyncio.gather(*tasks)

        # Between a loop and a thread; and what is cancelled has received nothing.
        here, there = warm.Channel.pair(1)
        waits = asyncio.create_task(there.areceive())
        await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        thread = threading.Thread(target=here.send, args=("from a thread",))
        thread.start()
        async with there.atake() as message:
            assert message == "from a thread" and not here.try_send("more")
        thread.join()
        waits = asyncio.create_task(there.areceive())
        await asyncio.sleep(0)
        here.close()
        with pytest.raises(knhk.Closed):
            await waits

    asyncio.run(main())


class Part:
    """A component that notes what it is asked to do."""

    def __init__(self, name, log, **does):
        self.name, self.log, self.does = name, log, does

    def _asked(self, what):
        self.log.append(f"{what} {self.name}")
        if what in self.does:
            return self.does[what]()

    def start(self):
        self._asked("start")

    def drain(self):
        self._asked("drain")

    def stop(self):
        self._asked("stop")

    def health(self):
        return self.does.get("health", 1.0)


def planted(why):
    def fails():
        raise OSError(why)

    return fails


def test_a_graph_starts_and_stops_in_order():
    log = []
    parts = warm.Graph()
    parts.add("store", Part("store", log, health=0.4))
    parts.add("engine", Part("engine", log), needs=["store"])
    with pytest.raises(knhk.InvalidArgument, match="store -> engine -> store"):
        parts.depend("store", "engine")
    with pytest.raises(knhk.NotFound):
        parts.add("other", Part("other", log), needs=["stor"])
    with pytest.raises(knhk.AlreadyExists):
        parts.add("store", Part("store", log))
    with pytest.raises(TypeError):
        parts.add("other", object())
    assert parts.components() == [("store", []), ("engine", ["store"])]
    with parts:
        assert log == ["start store", "start engine"]
        store, engine = parts.health()
        assert (store.own, engine.own, engine.effective, engine.because_of) == (0.4, 1.0, 0.4, ["store"])
        with pytest.raises(knhk.Busy):
            parts.depend("engine", "store")
    assert log[2:] == ["drain engine", "drain store", "stop engine", "stop store"]
    assert parts.shutdown().all == []


def test_a_start_that_fails_leaves_nothing_running():
    log = []
    parts = warm.Graph()
    parts.add("store", Part("store", log))
    parts.add("ledger", Part("ledger", log, start=planted("no disk")), needs=["store"])
    parts.add("engine", Part("engine", log), needs=["ledger"])
    with pytest.raises(warm.StartFailed, match="ledger failed: OSError: no disk") as failed:
        asyncio.run(parts.astart(timeout=LONG))
    assert [each.outcome for each in failed.value.report.all] == ["done", "failed", "skipped"]
    assert failed.value.report.all[2].why == "ledger" and failed.value.code == 111
    assert log == ["start store", "start ledger", "stop store"]


def threads_of(phase):
    """Threads of a phase that have not ended."""
    count = 0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/comm") as comm:
                count += comm.read().strip() == f"knhk-{phase}"
        except OSError:
            pass  # It has ended meanwhile.
    return count


def test_a_shutdown_of_fifty_ends_at_its_deadline_and_names_the_stuck():
    """Ten chains of five. The clock is the test's own, and stands while there is something to wait for."""
    log, let_go = [], threading.Event()
    scope = resilience.Scope("manual")
    parts = warm.Graph(scope)
    stuck = {"c0l4": "stop", "c3l2": "stop", "c5l1": "drain"}
    for chain in range(10):
        for link in range(5):
            name = f"c{chain}l{link}"
            does = {stuck[name]: let_go.wait} if name in stuck else {}
            parts.add(name, Part(name, log, **does), needs=[f"c{chain}l{link - 1}"] if link else [])
    parts.start(timeout=LONG)

    def settled(phase, called, left):
        while sum(each.startswith(phase) for each in list(log)) < called or threads_of(phase) > left:
            pass

    reports = []
    ending = threading.Thread(target=lambda: reports.append(parts.shutdown(drain=60.0, stop=60.0)))
    ending.start()
    for phase, called, left, seconds in [("drain", 49, 1, 31), ("drain", 50, 1, 30), ("stop", 44, 2, 21), ("stop", 50, 2, 40)]:
        settled(phase, called, left)
        scope.advance(seconds)
    ending.join(LONG)
    [report] = reports
    assert report.stuck == list(stuck) and not report.all_well and report.took == 122.0
    assert {each.name: each.why for each in report.all if each.outcome == "stuck"} == stuck
    assert str(report).startswith("47 of 50 components did in ") and "c5l1 did not return from drain" in str(report)
    let_go.set()
    # None of them is left behind when the interpreter ends.
    while threads_of("stop") or threads_of("drain"):
        pass
