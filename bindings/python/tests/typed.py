"""Read by mypy, never run: the types that programs see."""

from collections.abc import Generator
from typing import Any, assert_type

import knhk
from knhk import loop, warm


async def types(engine: knhk.Engine, change: knhk.Change) -> None:
    orders = engine.sector("orders")
    assert_type(orders, knhk.Sector)
    qty = orders.key("max_qty", int)
    assert_type(qty, knhk.Key[int])
    assert_type(qty(), int)
    assert_type(qty(None), int | None)
    assert_type(qty(default="x"), int | str)
    assert_type(qty.try_get(), tuple[int | None, knhk.Reason])
    assert_type(orders.key("venues", list[str])(), list[str])
    assert_type(orders.key("open", bool)(), bool)
    assert_type(orders.key("x", "list<i64>"), knhk.Key[Any])
    with engine.view() as view:
        assert_type(view[qty], int)
        assert_type(view.get(qty), int | None)
        assert_type(view.get(qty, 5), int)
        assert_type(view.try_get(qty), tuple[int | None, knhk.Reason])
        view["orders/venues"]
    assert_type(orders.promote({"a": 1}, by="me"), knhk.Version)
    assert_type(await orders.apromote('{"a": 1}'), knhk.Version)
    async for each in engine.changes():
        assert_type(each, knhk.Change)
    async with knhk.aopen("./limits", history=5) as opened:
        assert_type(opened, knhk.Engine)
    assert_type(await knhk.aopen(), knhk.Engine)
    with knhk.open() as plain:
        assert_type(plain, knhk.Engine)
    engine.observe(qty, 5, knhk.Outcome.REJECTED, subject=1)
    with engine.subscribe(print) as subscription:
        assert_type(subscription, knhk.Subscription)

    assert_type(engine.receipts(kind="snapshot promoted"), list[knhk.Receipt])
    assert_type(await engine.averify(progress=lambda now: now.done < 5), knhk.Verified)
    assert_type(engine.trust_root, str | None)
    with orders.as_of("~1") as then:
        assert_type(then[qty], int)
    assert_type(orders.tag("stable", 2), int)
    assert_type(orders.objectives()[0].burn, float | None)
    knhk.open(signer=knhk.Signer.generate(), observations={"window": 5.0}, retain_age=60.0)

    with warm.Executor("reports", notice=lambda notice: notice.kind) as executor:
        assert_type(executor.submit(len, "four"), warm.Future[int])
        assert_type(await executor.submit(len, "four"), int)

        @executor.task(priority=warm.Priority.LOW, budget=0.002)
        def sweep(rows: list[int]) -> Generator[None, None, int]:
            yield
            return len(rows)

        assert_type(sweep.submit([1]), warm.Future[int])
        assert_type(executor.task(len, name="len").submit_within(5.0, "x").result(), int)
        assert_type(executor.stop(), warm.Ended)
        sweep.submit("rows")  # type: ignore[arg-type]
    here: warm.Channel[int, str]
    here, there = warm.Channel.pair(4)
    here.send(5)
    assert_type(here.receive(), str)
    assert_type(await here.areceive(), str)
    assert_type(here.try_receive(None), str | None)
    async for text in here:
        assert_type(text, str)
    with warm.Graph() as parts:
        assert_type(parts.shutdown().stuck, list[str])

    assert_type(engine.loop.start(sectors=["orders"], every=0.5, confirm_above=0.25), loop.Status)

    @engine.loop.proposer("halve")
    def halve(question: loop.Question) -> loop.Plan | None:
        limit = question.parameter("max_qty")
        return loop.Plan({limit.path: limit.value // 2}, why="half of it")

    @engine.loop.detector("jump")
    class Jump:
        def __init__(self, sector: str, watch: str) -> None: ...
        def __call__(self, sample: loop.Sample) -> loop.Score | None:
            return None if sample.value is None else loop.Score(sample.value, 0.5, 0.0)

    engine.loop.hook("learn", "after")(print)
    async for cycle in engine.loop.finished():
        assert_type(cycle, loop.Cycle)
    assert_type(await engine.loop.astep(), list[loop.Cycle])
    assert_type(engine.loop.replay("l-1").equal, bool)
    assert_type(engine.loop.knowledge().rules["lower"].at_least, float)
    assert_type(engine.loop.status().watches[0].samples, int)
    assert_type(engine.hot_mean, float)
    assert_type(warm.executors(engine)[0].tasks[0].runs, int)

    # What must not pass; an unused "ignore" is an error too.
    engine.loop.hook("dream")  # type: ignore[arg-type]
    engine.loop.proposer("wrong")(lambda: None)  # type: ignore[type-var]
    orders.promote(5)  # type: ignore[arg-type]
    knhk.open(colour="blue")  # type: ignore[call-arg]
    qty(1, 2)  # type: ignore[call-overload]
    view[5]  # type: ignore[call-overload]
    knhk.open(signer=b"seed")  # type: ignore[arg-type]
    orders.as_of(1.5)  # type: ignore[arg-type]
