"""Channels: between threads, event loops and whoever polls."""

import asyncio
import gc
import selectors
import threading
import weakref

import pytest

import knhk
from knhk import warm

LONG = 60.0


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


def test_a_descriptor_is_readable_until_nothing_is_there():
    here, there = warm.Channel.pair(4)
    here.send("sent before it was asked for")
    with selectors.DefaultSelector() as selector:
        selector.register(there, selectors.EVENT_READ)
        assert selector.select(0) and there.receive()
        assert there.try_receive(None) is None and not selector.select(0)
        thread = threading.Thread(target=lambda: [here.send(n) for n in range(1000)] and here.finish())
        thread.start()
        received = []
        with pytest.raises(knhk.Closed):
            while selector.select():
                while (one := there.try_receive(None)) is not None:
                    received.append(one)
        thread.join()
        assert received == list(range(1000)) and selector.select(0)


def test_an_event_loop_may_poll_it():
    async def main():
        here, there = warm.Channel.pair(1)
        received = asyncio.get_running_loop().create_future()

        def readable():
            if (one := there.try_receive(None)) is not None:
                received.set_result(one)

        asyncio.get_running_loop().add_reader(there, readable)
        threading.Thread(target=here.send, args=("from a thread",)).start()
        assert await received == "from a thread"
        asyncio.get_running_loop().remove_reader(there)

    asyncio.run(main())
