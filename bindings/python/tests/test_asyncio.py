"""The asyncio forms: what takes time runs beside the loop, changes arrive on it, and everything can be cancelled."""

import asyncio
import gc
import threading
import weakref

import pytest

import knhk
from conftest import DOCUMENT

PATIENCE = 300  # seconds: only what hangs takes as long, also on a busy machine without optimisation


def on_loop(main):
    """Runs a coroutine function on a loop of its own, and no longer than patience lasts."""

    async def limited():
        async with asyncio.timeout(PATIENCE):
            return await main()

    return asyncio.run(limited(), debug=True)


def test_the_whole_way_round(tmp_path):
    async def main():
        async with knhk.aopen(tmp_path) as engine:
            orders = await engine.acreate_sector("orders")
            await orders.adeclare({"max_qty": {"$type": "i64", "$default": 1}})
            first = await orders.apromote({"max_qty": 5}, by="ops", why="first")
            await orders.apromote_image(engine.compile({"max_qty": 7}), by="build")
            assert orders.key("max_qty", int)() == 7
            back = await orders.arollback(first.version, by="ops")
            assert back.rollback_of == 1
            assert [version.version for version in await orders.ahistory()] == [1, 2, 3]
            assert await orders.aexport() == await orders.aexport(1)
            assert [key.name for key in await orders.akeys()] == ["max_qty"]
            assert [sector.name for sector in await engine.asectors()] == ["orders"]
            assert (await engine.astats()).promotions == 3
            assert "orders" in await engine.adump()
            engine.observe(orders.key("max_qty", int), 3)
            assert [seen.value for seen in await engine.adrain()] == [3]
        assert engine.closed
        engine = await knhk.aopen(tmp_path)
        async with engine:
            assert engine.sector("orders").key("max_qty", int)() == 5
        await engine.aclose()

    on_loop(main)


def test_errors_are_those_of_the_plain_forms(engine, orders):
    async def main():
        with pytest.raises(knhk.InvalidDocument):
            await orders.apromote("{")
        with pytest.raises(knhk.NotFound):
            await orders.arollback(99)
        with pytest.raises(knhk.StorageError):
            await knhk.aopen("/proc/nowhere/knhk")

    on_loop(main)


def test_changes_are_iterated(engine, orders):
    async def main():
        seen = []
        changes = engine.changes()
        for n in (1, 2, 3):
            await orders.apromote({**DOCUMENT, "max_qty": n}, by="ops")
        async for change in changes:
            seen.append((change.version, change.by, change.missed))
            if len(seen) == 3:
                break
        await changes.aclose()
        assert seen == [(2, "ops", 0), (3, "ops", 0), (4, "ops", 0)]
        await orders.apromote(DOCUMENT)
        assert [change async for change in changes] == []

    on_loop(main)


def test_changes_from_other_threads_wake_the_loop(engine, orders):
    async def main():
        async with engine.changes() as changes:
            waiting = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            threading.Thread(target=orders.promote, args=(DOCUMENT,)).start()
            assert (await waiting).version == 2

    on_loop(main)


def test_several_iterate_at_once(engine, orders):
    async def main():
        async def listen():
            async with engine.changes() as changes:
                begun.release()
                return [(await anext(changes)).version for _ in range(5)]

        begun = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(listen()) for _ in range(4)]
        for _ in tasks:
            await begun.acquire()
        for n in range(5):
            await orders.apromote({**DOCUMENT, "max_qty": n + 1})
        assert await asyncio.gather(*tasks) == [[2, 3, 4, 5, 6]] * 4

    on_loop(main)


def test_cancelling_an_iteration_unsubscribes(engine, orders):
    async def main():
        async def listen():
            async with engine.changes() as changes:
                begun.set()
                async for _ in changes:
                    pass

        begun = asyncio.Event()
        task = asyncio.create_task(listen())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await orders.apromote(DOCUMENT)

    on_loop(main)


def test_closing_the_engine_ends_the_iteration():
    async def main():
        engine = await knhk.aopen()
        sector = await engine.acreate_sector("s")
        changes = engine.changes()
        await sector.apromote({"n": 1})
        assert (await anext(changes)).version == 1
        waiting = asyncio.ensure_future(anext(changes, None))
        await asyncio.sleep(0)
        await engine.aclose()
        assert await waiting is None
        with pytest.raises(knhk.Closed):
            engine.changes()

    on_loop(main)


def test_forgotten_changes_unsubscribe_themselves(engine, orders):
    async def main():
        changes = engine.changes()
        gone = weakref.ref(changes)
        mailbox = weakref.ref(changes._mailbox)
        del changes
        gc.collect()
        assert gone() is None
        await orders.apromote(DOCUMENT)
        engine.stats()  # References let go while detached are dropped at the next call.
        gc.collect()
        assert mailbox() is None

    on_loop(main)


def test_a_slow_consumer_is_told_how_many_it_missed(engine, orders, monkeypatch):
    monkeypatch.setattr("knhk._news._WAITING", 4)

    async def main():
        async with engine.changes() as changes:
            for n in range(10):
                await orders.apromote({**DOCUMENT, "max_qty": n + 1})
            versions, missed = [], 0
            while not versions or versions[-1] != 11:
                change = await anext(changes)
                versions.append(change.version)
                missed += change.missed
            assert len(versions) + missed == 10
            assert missed > 0

    on_loop(main)


def test_a_loop_that_is_gone_is_not_called(engine, orders):
    async def main():
        return engine.changes()

    changes = asyncio.run(main())
    orders.promote(DOCUMENT)
    arrived = threading.Event()
    with engine.subscribe(lambda change: arrived.set()):
        orders.promote(DOCUMENT)
        assert arrived.wait(PATIENCE)
    del changes


def test_changes_need_a_loop(engine):
    with pytest.raises(RuntimeError, match="no running event loop"):
        engine.changes()


def test_waiting_until_ready(engine):
    async def main():
        sector = engine.create_sector("later")
        with pytest.raises(knhk.TimedOut, match="within 0.01 s"):
            await sector.await_ready(timeout=0.01)
        waiting = asyncio.create_task(sector.await_ready())
        await asyncio.sleep(0)
        other = engine.create_sector("other")
        await other.apromote({"n": 1})
        assert not waiting.done()
        await sector.apromote({"n": 1})
        await waiting
        await sector.await_ready(timeout=0)

    on_loop(main)


def test_waiting_can_be_cancelled_and_ends_at_close():
    async def main():
        engine = await knhk.aopen()
        sector = engine.create_sector("later")
        waiting = asyncio.create_task(sector.await_ready())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        waiting = asyncio.create_task(sector.await_ready())
        await asyncio.sleep(0)
        await engine.aclose()
        with pytest.raises(knhk.Closed):
            await waiting

    on_loop(main)


def test_an_engine_whose_opening_was_cancelled_is_closed(tmp_path):
    async def main():
        opening = asyncio.ensure_future(knhk.aopen(tmp_path)._open())
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    on_loop(main)
    # The loop's end waits for its threads; the engine that nobody got is closed, or forgotten, by now.
    gc.collect()
    with knhk.open(tmp_path):
        pass


def test_the_loop_goes_on_while_a_promotion_waits(engine, orders):
    """A promotion that has to wait for another one of the sector blocks a thread, not the loop."""

    async def main():
        big = {f"k{n}": n for n in range(20_000)}
        turns = 0
        promoting = asyncio.gather(*(orders.apromote(big, major=True) for _ in range(3)))
        while not promoting.done():
            turns += 1
            await asyncio.sleep(0)
        await promoting
        assert turns > 1

    on_loop(main)
