"""Policies in Python: decorators, context managers, asyncio, and the parameters that a sector governs."""

import asyncio
import gc
import threading
import weakref

import pytest

import knhk
from knhk import resilience as r


@pytest.fixture
def scope():
    scope = r.Scope("manual")
    scope.advance(0.001)
    return scope


def value(policy, name):
    return next(each.value for each in policy.parameters() if each.name == name)


def fails():
    raise OSError("down")


async def afails():
    raise OSError("down")


def test_a_breaker_guards_by_call_decorator_and_block(scope):
    breaker = r.Breaker("payments", consecutive_failures=3, recovery=0.05, half_open_permits=1, window_calls=20, scope=scope)

    @breaker
    def pay(amount, *, by="me"):
        """Pays."""
        return amount, by

    assert pay(5, by="you") == (5, "you") and pay.__doc__ == "Pays."
    assert breaker.call(pay, 6) == (6, "me")
    with pytest.raises(OSError, match="down"):
        breaker.call(fails)
    with pytest.raises(OSError), breaker:
        fails()
    with breaker as permit:
        assert permit.left is None
    assert breaker.state == "closed", "not in a row"
    for _ in range(3):
        with pytest.raises(OSError):
            breaker(fails)()
    assert (breaker.state, breaker.figures()["window_failures"]) == ("open", 5)
    with pytest.raises(knhk.Refused, match="payments: the circuit breaker is open") as refused:
        pay(1)
    assert refused.value.reason == "open" and refused.value.policy == "payments" and refused.value.code == 110
    assert 0 < refused.value.retry_after <= 0.051
    scope.advance(refused.value.retry_after)
    probe = breaker.enter()
    with pytest.raises(knhk.Refused) as refused:
        breaker.enter()
    assert (refused.value.reason, refused.value.retry_after) == ("probing", None)
    assert probe.finish() and breaker.state == "closed"
    breaker.force_open()
    with pytest.raises(knhk.Refused):
        breaker.enter()
    breaker.disable()
    breaker.enter().finish("failure")
    breaker.close()
    assert "payments: closed" in str(breaker) and breaker.kind == "breaker"


def test_what_is_the_callers_own_says_nothing_of_the_callee(scope):
    breaker = r.Breaker("b", consecutive_failures=1, ignored=(KeyError,), scope=scope)
    with pytest.raises(KeyError), breaker:
        raise KeyError("mine")
    with pytest.raises(KeyboardInterrupt), breaker:
        raise KeyboardInterrupt
    assert breaker.state == "closed"
    with pytest.raises(ValueError), breaker:
        raise ValueError
    assert breaker.state == "open"


def test_blocks_nest_over_threads_and_tasks(scope):
    bulkhead = r.Bulkhead("places", 3, scope=scope)
    with bulkhead, bulkhead:
        inside = []

        def other():
            with bulkhead:
                inside.append(bulkhead.figures()["taken"])

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert inside == [3]

    async def tasks():
        order = []

        async def one(name, entered, leave):
            async with bulkhead:
                order.append(f"{name} in")
                entered.set()
                await leave.wait()
            order.append(f"{name} out")

        events = [asyncio.Event() for _ in range(4)]
        first = asyncio.create_task(one("a", events[0], events[1]))
        await events[0].wait()
        second = asyncio.create_task(one("b", events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await first
        events[3].set()
        await second
        return order

    assert asyncio.run(tasks()) == ["a in", "b in", "a out", "b out"]
    assert bulkhead.figures() == {"taken": 0, "limit": 3}


def test_a_permit_that_is_forgotten_holds_nothing(scope):
    bulkhead = r.Bulkhead("places", 1, scope=scope)
    permit = bulkhead.enter()
    assert bulkhead.figures()["taken"] == 1
    del permit
    gc.collect()
    assert bulkhead.figures()["taken"] == 0


def test_limits_can_be_waited_for():
    bucket = r.TokenBucket("api", rate=200.0, burst=1)
    for _ in range(3):
        bucket.acquire().finish()

    async def wait():
        for _ in range(3):
            (await bucket.aacquire()).finish()
        with pytest.raises(knhk.Refused):
            await seldom.aacquire(timeout=0.0)

    # However slow the machine is: an hour passes before it lets another one in.
    seldom = r.TokenBucket("seldom", rate=1 / 3600, burst=1)
    seldom.acquire().finish()
    asyncio.run(wait())
    with pytest.raises(knhk.Refused) as refused:
        seldom.acquire(timeout=0.0)
    assert refused.value.reason == "rate_limited"
    with pytest.raises(knhk.Refused):
        bucket.acquire(tokens=5)
    window = r.SlidingWindow("w", 2, 3600.0, capacity=4)
    window.enter(), window.enter()
    with pytest.raises(knhk.Refused):
        window.acquire(timeout=1.0)
    window.retune(limit=4)
    window.enter()


def test_a_pipeline_retries_and_times_out():
    breaker = r.Breaker("b", consecutive_failures=10, ema_alpha=0.0, ignored=(KeyError,))
    retry = r.Retry("r", attempts=3, base=0.001, cap=0.001, seed=7, budget=r.Budget("budget"))
    places = r.Bulkhead("places", 2)
    pipeline = r.Pipeline("callee", breaker, retry, places, timeout=600.0)
    hasty = r.Pipeline("hasty", breaker, retry, places, timeout=0.05)
    tried = []

    def second():
        tried.append(1)
        if len(tried) < 2:
            raise OSError("once")
        return len(tried)

    assert pipeline.call(second) == 2 and pipeline.ignored == (KeyError,)
    with pytest.raises(OSError, match="down") as raised:
        pipeline(fails)()
    assert "r gave up after 3 attempts: it was the last attempt" in raised.value.__notes__[0]
    cancelled = []

    async def slow():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    with pytest.raises(knhk.TimedOut):
        asyncio.run(hasty.acall(slow))
    assert cancelled == [1, 1, 1] and breaker.figures()["consecutive_failures"] == 6

    @pipeline.guarded(priority=r.Priority.HIGH, fallback=lambda raised: f"cached, for {raised}")
    async def quick():
        raise OSError("down")

    assert asyncio.run(quick()) == "cached, for down"
    breaker.force_open()
    with pytest.raises(knhk.Refused):
        pipeline.call(second)
    assert tried == [1, 1], "an open breaker is not tried again"


def test_a_block_and_a_coroutine_are_tried_again():
    retry = r.Retry("r", attempts=3, base=0.001, cap=0.001, on=(OSError,))
    seen = []
    for attempt in retry.attempts():
        with attempt:
            seen.append(attempt.number)
            if attempt.number < 3:
                raise OSError
    assert seen == [1, 2, 3]
    with pytest.raises(OSError):
        for attempt in retry.attempts():
            with attempt:
                raise OSError
    with pytest.raises(KeyError):
        for attempt in retry.attempts():
            with attempt:
                raise KeyError
    with pytest.raises(OSError):
        asyncio.run(retry.acall(afails))

    class Busy(Exception):
        pass

    patient = r.Retry("p", longest_retry_after=1.0, after=lambda raised: 5.0 if isinstance(raised, Busy) else None)
    with pytest.raises(Busy) as raised:
        patient.call(lambda: (_ for _ in ()).throw(Busy()))
    assert "too long a pause" in raised.value.__notes__[0]
    assert r.retry_after("120") == 120.0 and r.retry_after("soon") is None


def test_a_hedge_takes_the_first_answer():
    hedge = r.Hedge("h", unknown=0.005)
    started, cancelled = [], []

    async def call():
        number = len(started)
        started.append(number)
        if number == 0:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
        return number

    assert asyncio.run(hedge.acall(call)) == 1
    assert (started, cancelled) == ([0, 1], [0])
    with pytest.raises(OSError):
        asyncio.run(hedge(afails)())


def test_load_sheds_degrades_and_recovers(scope):
    shedder = r.Shedder("s", normal=0.8, scope=scope)
    shedder.load(0.85)
    shedder.enter(priority=r.Priority.HIGH).finish()
    with pytest.raises(knhk.Refused, match=r"normal priority are shed at a load of 0.85"):
        shedder.enter()
    shop = r.Degradation("shop", [r.Level("brownout", 0.8, 0.6, ["images"], enter_after=1.0)], scope=scope)
    shop.load(0.9)
    assert shop.is_on("images")
    scope.advance(1.0)
    shop.load(0.9)
    assert (shop.level, shop.state, shop.is_on("images")) == (1, "brownout", False)
    shop.pin(0)
    assert shop.is_on("images")
    with pytest.raises(knhk.NotFound):
        shop.is_on("video")

    def no(component, what):
        raise OSError("still down")

    recovery = r.Recovery("db", [r.Strategy("reconnect", no, 2), r.Strategy("restart", lambda *_: None)], scope=scope)
    report = recovery.recover("db", "silent")
    assert report.mended_by == "restart" and report.failed == [("reconnect", "OSError: still down")] * 2
    chaos = r.Chaos("c", failures=1.0, scope=scope)
    chaos.call(int)
    chaos.switch(True)
    with pytest.raises(knhk.CallFailed), chaos:
        raise AssertionError("never comes here")
    with pytest.raises(knhk.CallFailed):
        chaos.call(int)


def test_health_is_read_by_people(scope):
    shop = r.Health("shop", scope=scope)
    db = shop.add("db", weight=2.0)
    cart = shop.add("cart", needs=["db"])
    with pytest.raises(knhk.InvalidArgument, match="db -> cart -> db"):
        shop.depend("db", "cart")
    db.report(0.2)
    cart.report(0.6)
    report = shop.report()
    assert report.system == "critical" and report.availability == pytest.approx(1 / 3)
    assert str(report).splitlines()[0] == "shop: critical, 33.3 % available; 0 of 2 components healthy"
    assert report.components[1].explained_by == ["db"]
    db.check(lambda: 1.0)
    cart.check(fails)
    assert [each.health for each in shop.report().components] == [1.0, 0.0]
    heard = threading.Event()
    cart.check(lambda: heard.set() or 1.0)
    shop.start(0.001)
    assert heard.wait(60)
    shop.stop()


def test_transitions_are_told(scope):
    told, arrived = [], threading.Semaphore(0)

    def hear(transition):
        told.append(transition)
        arrived.release()
        raise ValueError("logged")

    breaker = r.Breaker("b", scope=scope)
    with scope.subscribe(hear):
        breaker.force_open()
        assert arrived.acquire(timeout=60)
    breaker.close()
    assert [(each.policy, each.kind, each.before, each.now) for each in told] == [("b", "breaker", "closed", "forced open")]
    assert told[0].text == "b: circuit breaker closed -> forced open: by hand" and told[0].missed == 0
    assert scope.counters()["knhk.resilience.breaker.transitions"] == 2


def test_a_sector_governs_a_policy(engine):
    orders = engine.create_sector("orders")
    breaker = r.Breaker("payments", window_calls=10, scope=r.Scope(engine=engine))
    breaker.add_to(engine, "orders")
    orders.promote(breaker.document())
    assert value(breaker, "recovery_ms") == 30_000
    orders.promote({"resilience": {"payments": {"failure_rate": 0.2, "recovery_ms": 500}}})
    assert (value(breaker, "failure_rate"), value(breaker, "recovery_ms")) == (0.2, 500)
    orders.promote({"resilience": {"payments": {"failure_rate": 7.0}}}, major=True)
    assert value(breaker, "failure_rate") == 0.2
    [info] = r.policies(engine)
    assert (info.name, info.kind, info.sector, info.version, info.state) == ("payments", "breaker", "orders", 3, "closed")
    assert "failure_rate is 7" in info.refused
    breaker.retune(recovery=1.0, failure_rate=0.4)
    assert value(breaker, "recovery_ms") == 1000
    with pytest.raises(knhk.AlreadyExists):
        breaker.add_to(engine)
    assert r.remove_policy(engine, "payments") and not r.remove_policy(engine, "payments")


def test_mistakes_are_named(scope):
    with pytest.raises(TypeError):
        r.Policy()
    with pytest.raises(knhk.InvalidArgument, match="failure_rate is 2"):
        r.Breaker("b", failure_rate=2.0)
    with pytest.raises(knhk.InvalidArgument, match="has no parameter"):
        r.Breaker("b").retune(failrate=0.5)
    with pytest.raises(knhk.InvalidArgument, match="two"):
        r.Pipeline("p", r.Bulkhead("a", 1), r.Bulkhead("b", 1))
    with pytest.raises(knhk.InvalidArgument, match="is for a breaker"):
        r.Bulkhead("b", 1).close()
    with pytest.raises(knhk.InvalidArgument):
        r.Scope("lunar")
    with pytest.raises(knhk.InvalidArgument, match="by hand"):
        r.Scope().advance(1.0)
    with pytest.raises(knhk.InvalidArgument, match="outcome"):
        r.Bulkhead("b", 1).enter().finish("fine")


def test_nothing_is_kept():
    class Canary:
        pass

    canary = Canary()
    seen = weakref.ref(canary)
    scope = r.Scope("manual")
    breaker = r.Breaker("b", scope=scope)
    listener = scope.subscribe(lambda transition, canary=canary: None)
    recovery = r.Recovery("r", [r.Strategy("s", lambda *_, canary=canary: None)], scope=scope)
    del canary
    gc.collect()
    assert seen() is not None
    del listener, recovery, breaker
    gc.collect()
    assert seen() is None
