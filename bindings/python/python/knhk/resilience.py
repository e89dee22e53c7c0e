"""Circuit breakers, limits, retries, hedges, shedding, degradation, recovery and health, for threads and for asyncio.

    from knhk import resilience

    breaker = resilience.Breaker("payments", consecutive_failures=5, recovery=30.0)

    @breaker                              # functions and coroutine functions
    def pay(order): ...

    with breaker:                         # an exception is a failure
        pay_otherwise(order)

    callee = resilience.Pipeline("payments", breaker, resilience.Retry("payments"), timeout=0.25)
    callee.call(pay, order)               # or: await callee.acall(apay, order)

A policy that refuses raises `knhk.Refused`, which says why and, where that is known, when another try has a chance. Times are in seconds.
Every parameter can be changed while calls go on (`retune`), also by a sector of an engine (`add_to`).
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, Self, TypeVar, cast

from ._errors import CallFailed, Refused, TimedOut
from ._knhk import (
    ComponentReport,
    HealthReport,
    HedgedCall,
    Listener,
    Parameter,
    Permit,
    PolicyBase,
    PolicyInfo,
    ScopeBase,
    policies,
    remove_policy,
    retry_after,
)

__all__ = [
    "AdaptiveLimit",
    "Attempt",
    "Breaker",
    "Budget",
    "Bulkhead",
    "Chaos",
    "Component",
    "ComponentReport",
    "Degradation",
    "Health",
    "HealthReport",
    "Hedge",
    "Level",
    "Listener",
    "Parameter",
    "Permit",
    "Pipeline",
    "Policy",
    "PolicyInfo",
    "Priority",
    "Recovery",
    "RecoveryReport",
    "Refused",
    "Retry",
    "Scope",
    "Shedder",
    "SlidingWindow",
    "Strategy",
    "TokenBucket",
    "Transition",
    "policies",
    "remove_policy",
    "retry_after",
]

P = ParamSpec("P")
T = TypeVar("T")

Exceptions = tuple[type[BaseException], ...]


class Priority(IntEnum):
    """How much a call matters; what matters least is refused first."""

    BACKGROUND = 0
    LOW = 1
    NORMAL = 2
    HIGH = 3
    CRITICAL = 4


class Transition(NamedTuple):
    """A transition of a policy: what `Scope.subscribe` tells."""

    policy: str
    kind: str
    """ "breaker", "degradation", "recovery", "health" or "system"."""
    before: str
    now: str
    text: str
    """All of it in one line for people, with what made it change."""
    time: float
    """By the scope's clock."""
    missed: int
    """Transitions that this listener missed so far because it fell behind."""


class Scope(ScopeBase):
    """What policies share: a clock, counters, and who listens.

    `clock` is "system"; "cached", whose look costs a nanosecond and is late by up to a millisecond; or "manual", for tests. With an engine
    it is the engine's own scope, on the engine's cached clock.
    """

    def subscribe(self, callback: Callable[[Transition], object], /) -> Listener:
        """Calls `callback` on a thread of its own for every transition, until what this returns is closed or forgotten."""
        return self._subscribe(lambda *told: callback(Transition(*told)))


_default: Scope | None = None


def _scope(scope: Scope | None) -> Scope:
    global _default
    if scope is None:
        scope = _default = _default or Scope()
    return scope


def _named(**settings: float | None) -> list[tuple[str, float]]:
    """The settings that were given, with seconds as the milliseconds that the engine counts in."""
    given: list[tuple[str, float]] = []
    for name, value in settings.items():
        if value is not None:
            given.append(_setting(name, value))
    return given


_SPANS = frozenset(
    "recovery slow_call window_span span timeout base cap longest_retry_after soonest unknown pause relapse stale_after "
    "enter_after leave_after shortest_delay longest_delay".split()
)


def _setting(name: str, value: float) -> tuple[str, float]:
    if name.rpartition("/")[2] in _SPANS:
        return f"{name}_ms", value * 1000.0
    return name, float(value)


class Policy(PolicyBase):
    """Any policy. It is made as one of its kinds."""

    def __new__(cls, *_args: Any, **_settings: Any) -> Self:
        if cls is Policy:
            raise TypeError("a policy is made as one of its kinds: Breaker, Bulkhead, Retry and so on")
        raise TypeError(f"{cls.__name__} has no settings")  # pragma: no cover - each kind has its own

    @classmethod
    def _make(
        cls,
        kind: str,
        name: str,
        settings: list[tuple[str, float]],
        scope: Scope | None,
        policies: Sequence[Policy] = (),
        levels: Sequence[tuple[str, float, float, float, float, list[str]]] = (),
        strategies: Sequence[tuple[str, int, Callable[[str, str], object]]] = (),
    ) -> Self:
        return PolicyBase.__new__(
            cls, kind, name, settings, _scope(scope), list(policies), list(levels), list(strategies)
        )

    def retune(self, settings: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Changes what is named, all or nothing, and leaves the rest. Times are in seconds: `retune(recovery=5.0)`."""
        self._retune([_setting(name, value) for name, value in {**(settings or {}), **named}.items()])

    def document(self) -> dict[str, Any]:
        """The parameters as a document for a sector that the policy follows, with ranges, units and meanings."""
        return cast("dict[str, Any]", json.loads(self._document()))


_held: ContextVar[tuple[tuple[object, Permit], ...]] = ContextVar("knhk_resilience_held", default=())


class Admitting(Policy):
    """A policy that admits calls one by one.

    As a decorator, as a context manager, by `call` and `acall`, or by hand with `enter`. An exception is a failure. One of `ignored`
    says nothing of the callee, and neither does what is no `Exception`: a cancellation, an interrupt.
    """

    ignored: Exceptions = ()

    def _outcome(self, raised: BaseException) -> str:
        callers = not isinstance(raised, Exception) or isinstance(raised, self.ignored)
        return "ignored" if callers else "failure"

    def enter(
        self, *, priority: Priority = Priority.NORMAL, timeout: float | None = None, tokens: int = 1
    ) -> Permit:
        """Admits a call, or raises `Refused`, without waiting. The permit's `finish` tells how the call ended; a permit that is
        forgotten says nothing."""
        return self._enter(priority, timeout, tokens)

    def acquire(self, timeout: float | None = None, *, priority: Priority = Priority.NORMAL, tokens: int = 1) -> Permit:
        """Waits until the call is admitted. Where a refusal does not say how long to wait, it looks every millisecond.

        Raises `Refused` when `timeout` seconds would not be enough.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._enter(priority, None, tokens)
            except Refused as refused:
                pause = _pause(refused, deadline)
            time.sleep(pause)

    async def aacquire(
        self, timeout: float | None = None, *, priority: Priority = Priority.NORMAL, tokens: int = 1
    ) -> Permit:
        """`acquire` for asyncio."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._enter(priority, None, tokens)
            except Refused as refused:
                pause = _pause(refused, deadline)
            await asyncio.sleep(pause)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a function through the policy."""
        return self._call(lambda: function(*args, **kwargs), Priority.NORMAL)

    async def acall(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Awaits a coroutine function through the policy."""
        return await self._acall(lambda: function(*args, **kwargs), Priority.NORMAL)

    def _call(self, work: Callable[[], T], priority: Priority) -> T:
        permit = self._enter(priority, None, 1)
        try:
            if permit.is_to_fail:
                raise CallFailed(f"{self.name}: the call failed on purpose")
            value = work()
        except BaseException as raised:
            permit.finish(self._outcome(raised))
            raise
        if not permit.finish():
            raise TimedOut(f"{self.name}: the call ended after its deadline")
        return value

    async def _acall(self, work: Callable[[], Awaitable[T]], priority: Priority) -> T:
        permit = self._enter(priority, None, 1)
        try:
            if permit.is_to_fail:
                raise CallFailed(f"{self.name}: the call failed on purpose")
            left = permit.left
            if left is None:
                value = await work()
            else:
                value = await self._within(left, work)
        except BaseException as raised:
            permit.finish(self._outcome(raised))
            raise
        if not permit.finish():
            raise TimedOut(f"{self.name}: the call ended after its deadline")
        return value

    async def _within(self, left: float, work: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(left) as bound:
                return await work()
        except TimeoutError as raised:
            if not bound.expired():
                raise
            raise TimedOut(f"{self.name}: the call was cancelled at its deadline") from raised

    def __call__(self, function: Callable[P, T], /) -> Callable[P, T]:
        """Decorates a function, or a coroutine function."""
        return self.guarded()(function)

    def guarded(
        self, *, priority: Priority = Priority.NORMAL, fallback: Callable[[Exception], Any] | None = None
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """A decorator for calls of a priority, whose exceptions `fallback` may answer: it returns a value, or raises."""

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            if inspect.iscoroutinefunction(function):
                coroutine = cast("Callable[P, Awaitable[Any]]", function)

                @functools.wraps(function)
                async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                    try:
                        return await self._acall(lambda: coroutine(*args, **kwargs), priority)
                    except Exception as raised:
                        if fallback is None:
                            raise
                        answer = fallback(raised)
                        return await answer if inspect.isawaitable(answer) else answer

                return cast("Callable[P, T]", awaited)

            @functools.wraps(function)
            def called(*args: P.args, **kwargs: P.kwargs) -> T:
                try:
                    return self._call(lambda: function(*args, **kwargs), priority)
                except Exception as raised:
                    if fallback is None:
                        raise
                    return cast("T", fallback(raised))

            return called

        return decorate

    def __enter__(self) -> Permit:
        permit = self._enter(Priority.NORMAL, None, 1)
        if permit.is_to_fail:
            permit.finish("failure")
            raise CallFailed(f"{self.name}: the call failed on purpose")
        _held.set((*_held.get(), (self, permit)))
        return permit

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        *others, (_, permit) = _held.get()
        _held.set(tuple(others))
        if raised is not None:
            permit.finish(self._outcome(raised))
        elif not permit.finish():
            raise TimedOut(f"{self.name}: the call ended after its deadline")

    async def __aenter__(self) -> Permit:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, raised, traceback)


def _pause(refused: Refused, deadline: float | None) -> float:
    pause = refused.retry_after
    if pause is None:
        if refused.reason in ("rate_limited", "forced_open", "deadline_passed"):
            raise refused
        pause = 0.001
    if deadline is not None and time.monotonic() + pause > deadline:
        raise refused
    return pause


class Breaker(Admitting):
    """A circuit breaker: stops calling what fails, and tries again later.

    It opens after `consecutive_failures` in a row; or, after `minimum_calls`, when the moving average of failures (`ema_alpha`) reaches
    `ema_threshold`, or when the window's share of failures, or of calls slower than `slow_call`, reaches its rate. The window is the last
    `window_calls` calls, or `window_span` seconds. After `recovery` seconds it admits `half_open_permits` probes.
    """

    def __new__(
        cls,
        name: str,
        *,
        consecutive_failures: int | None = None,
        ema_alpha: float | None = None,
        ema_threshold: float | None = None,
        minimum_calls: int | None = None,
        failure_rate: float | None = None,
        slow_call: float | None = None,
        slow_call_rate: float | None = None,
        recovery: float | None = None,
        half_open_permits: int | None = None,
        window_calls: int | None = None,
        window_span: float | None = None,
        window_buckets: int | None = None,
        ignored: Exceptions = (),
        scope: Scope | None = None,
    ) -> Self:
        given = _named(
            consecutive_failures=consecutive_failures,
            ema_alpha=ema_alpha,
            ema_threshold=ema_threshold,
            minimum_calls=minimum_calls,
            failure_rate=failure_rate,
            slow_call=slow_call,
            slow_call_rate=slow_call_rate,
            recovery=recovery,
            half_open_permits=half_open_permits,
            window_calls=window_calls,
            window_span=window_span,
            window_buckets=window_buckets,
        )
        made = cls._make("breaker", name, given, scope)
        made.ignored = ignored
        return made


class Bulkhead(Admitting):
    """Admits at most `limit` calls at once."""

    def __new__(cls, name: str, limit: int, *, scope: Scope | None = None) -> Self:
        return cls._make("bulkhead", name, _named(limit=limit), scope)


class AdaptiveLimit(Admitting):
    """Admits as many calls at once as the callee takes without queueing, and learns how many those are from what calls take."""

    def __new__(
        cls,
        name: str,
        *,
        lowest: int | None = None,
        highest: int | None = None,
        initial: int | None = None,
        tolerance: float | None = None,
        queue: float | None = None,
        smoothing: float | None = None,
        ignored: Exceptions = (),
        scope: Scope | None = None,
    ) -> Self:
        given = _named(
            lowest=lowest, highest=highest, initial=initial, tolerance=tolerance, queue=queue, smoothing=smoothing
        )
        made = cls._make("adaptive", name, given, scope)
        made.ignored = ignored
        return made


class TokenBucket(Admitting):
    """Admits `rate` calls a second, and `burst` at once. `acquire` and `aacquire` wait for their turn."""

    def __new__(cls, name: str, rate: float, burst: int | None = None, *, scope: Scope | None = None) -> Self:
        return cls._make("token_bucket", name, _named(rate=rate, burst=burst), scope)


class SlidingWindow(Admitting):
    """Admits at most `limit` calls in any `span` of seconds, exactly; `capacity` is the limit that a retune may set."""

    def __new__(
        cls, name: str, limit: int, span: float, *, capacity: int | None = None, scope: Scope | None = None
    ) -> Self:
        return cls._make("sliding_window", name, _named(limit=limit, span=span, capacity=capacity), scope)


class Shedder(Admitting):
    """Refuses what matters least when the load, which `load` tells, reaches its priority's threshold."""

    def __new__(
        cls,
        name: str,
        *,
        background: float | None = None,
        low: float | None = None,
        normal: float | None = None,
        high: float | None = None,
        critical: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = _named(background=background, low=low, normal=normal, high=high, critical=critical)
        return cls._make("shedder", name, given, scope)


class Chaos(Admitting):
    """Injects faults, the same ones for the same seed, once it is switched on: a share of calls fails, a share is delayed."""

    def __new__(
        cls,
        name: str,
        *,
        failures: float | None = None,
        delays: float | None = None,
        delay: tuple[float, float] = (0.0, 0.0),
        seed: int | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = _named(failures=failures, delays=delays, shortest_delay=delay[0], longest_delay=delay[1], seed=seed)
        return cls._make("chaos", name, given, scope)


class Budget(Policy):
    """Keeps retries and hedges a `share` of the calls, and `reserve` of them besides, over `span` seconds. Several may share one."""

    def __new__(
        cls,
        name: str,
        *,
        share: float | None = None,
        reserve: int | None = None,
        span: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        return cls._make("budget", name, _named(share=share, reserve=reserve, span=span), scope)


@dataclass
class Attempt:
    """One attempt of `Retry.attempts`: a context manager whose exception is swallowed where there is another attempt."""

    number: int
    _judge: Callable[[BaseException | None], bool] = field(repr=False)

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self._judge(raised)


class Retry(Policy):
    """Tries again, with pauses that grow and jitter: `attempts` in all, pauses from `base` to `cap` seconds.

    `on` are the exceptions that another attempt may mend; a refusal of a rate limit is one, other refusals are none. `after` finds the
    shortest pause that the callee asks for in an exception (`Retry-After`); one beyond `longest_retry_after` is not tried again.
    """

    on: Exceptions = (Exception,)
    after: Callable[[BaseException], float | None] | None = None

    def __new__(
        cls,
        name: str,
        *,
        attempts: int | None = None,
        base: float | None = None,
        cap: float | None = None,
        longest_retry_after: float | None = None,
        seed: int | None = None,
        budget: Budget | None = None,
        on: Exceptions = (Exception,),
        after: Callable[[BaseException], float | None] | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = _named(attempts=attempts, base=base, cap=cap, longest_retry_after=longest_retry_after, seed=seed)
        made = cls._make("retry", name, given, scope, () if budget is None else (budget,))
        made.on, made.after = on, after
        return made

    def _decide(
        self, so_far: tuple[int, int], raised: BaseException, left: float | None
    ) -> tuple[tuple[int, int], float | None]:
        """The attempts so far, and the pause before the next one; None to give up."""
        asked = self.after(raised) if self.after else None
        permanent = not isinstance(raised, self.on) or not isinstance(raised, Exception)
        if isinstance(raised, Refused):
            permanent = permanent or raised.reason != "rate_limited" or raised.retry_after is None
            asked = raised.retry_after
        so_far, pause, why = self._retry_decide(so_far, permanent, asked, left)
        if pause is None and not permanent:
            raised.add_note(f"knhk.resilience: {self.name} gave up after {so_far[0]} attempts: {why}")
        return so_far, pause

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a function until it succeeds or is given up; then the last exception goes on, with a note that says why."""
        so_far = self._retry_begin()
        while True:
            try:
                return function(*args, **kwargs)
            except BaseException as raised:
                so_far, pause = self._decide(so_far, raised, None)
                if pause is None:
                    raise
            time.sleep(pause)

    async def acall(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`call` for coroutine functions."""
        so_far = self._retry_begin()
        while True:
            try:
                return await function(*args, **kwargs)
            except BaseException as raised:
                so_far, pause = self._decide(so_far, raised, None)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    def attempts(self) -> Iterator[Attempt]:
        """For a block that is tried again: `for attempt in retry.attempts(): with attempt: ...`."""
        so_far = self._retry_begin()
        pause: float | None = 0.0

        def judge(raised: BaseException | None) -> bool:
            nonlocal so_far, pause
            pause = None
            if raised is not None:
                so_far, pause = self._decide(so_far, raised, None)
            return pause is not None

        while pause is not None:
            if pause > 0.0:
                time.sleep(pause)
            pause = None
            yield Attempt(so_far[0], judge)

    def __call__(self, function: Callable[P, T], /) -> Callable[P, T]:
        """Decorates a function, or a coroutine function."""
        if inspect.iscoroutinefunction(function):
            coroutine = cast("Callable[P, Awaitable[Any]]", function)

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await self.acall(coroutine, *args, **kwargs)

            return cast("Callable[P, T]", awaited)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.call(function, *args, **kwargs)

        return called


class Pipeline(Admitting):
    """Policies around one callee, at most one of each kind; see the order in the manual.

    `timeout` bounds each attempt: a coroutine is cancelled then, and a function that ends after it has failed. A `Retry` is around all
    the others.
    """

    retry: Retry | None = None

    def __new__(
        cls,
        name: str,
        *policies: Policy,
        timeout: float | None = None,
        ignored: Exceptions = (),
        scope: Scope | None = None,
    ) -> Self:
        made = cls._make("pipeline", name, _named(timeout=timeout), scope, policies)
        made.ignored = ignored or tuple(each for policy in policies for each in getattr(policy, "ignored", ()))
        made.retry = next((policy for policy in policies if isinstance(policy, Retry)), None)
        return made

    def _call(self, work: Callable[[], T], priority: Priority) -> T:
        once = functools.partial(super()._call, work, priority)
        return once() if self.retry is None else self.retry.call(once)

    async def _acall(self, work: Callable[[], Awaitable[T]], priority: Priority) -> T:
        once = functools.partial(super()._acall, work, priority)
        return await once() if self.retry is None else await self.retry.acall(once)


class Hedge(Policy):
    """Sends another copy of a coroutine's call when the last one takes longer than usual; the first answer counts."""

    def __new__(
        cls,
        name: str,
        *,
        copies: int | None = None,
        quantile: float | None = None,
        soonest: float | None = None,
        unknown: float | None = None,
        budget: Budget | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = _named(copies=copies, quantile=quantile, soonest=soonest, unknown=unknown)
        return cls._make("hedge", name, given, scope, () if budget is None else (budget,))

    async def acall(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Awaits the first copy that succeeds, and cancels the others; where all fail, the last exception goes on."""
        call: HedgedCall = self._hedge_begin()
        running: dict[asyncio.Future[T], int] = {asyncio.ensure_future(function(*args, **kwargs)): 0}
        try:
            while True:
                done, _ = await asyncio.wait(running, timeout=self._hedge_wait(call), return_when=asyncio.FIRST_COMPLETED)
                for copy in done:
                    failed = copy.cancelled() or copy.exception() is not None
                    verdict = self._hedge_finish(call, running.pop(copy), "failure" if failed else "success")
                    another = self._hedge_send(call) if verdict == "send_another" else None
                    if another is not None:
                        running[asyncio.ensure_future(function(*args, **kwargs))] = another
                    elif verdict in ("use", "send_another"):
                        return copy.result()
                if not done and (late := self._hedge_send(call)) is not None:
                    running[asyncio.ensure_future(function(*args, **kwargs))] = late
        finally:
            for copy in running:
                copy.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def __call__(self, function: Callable[P, Awaitable[T]], /) -> Callable[P, Awaitable[T]]:
        """Decorates a coroutine function."""

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.acall(function, *args, **kwargs)

        return awaited


@dataclass(frozen=True)
class Level:
    """A level of degradation: entered when the load has been at least `enter` for `enter_after` seconds, left when it has been below
    `leave` for `leave_after`; the features in `off` are off in it and in all further ones."""

    name: str
    enter: float
    leave: float
    off: Sequence[str] = ()
    enter_after: float = 0.0
    leave_after: float = 0.0


class Degradation(Policy):
    """Features that are switched off in steps as the load rises, and on again, later, as it falls."""

    def __new__(cls, name: str, levels: Sequence[Level], *, scope: Scope | None = None) -> Self:
        steps = [(at.name, at.enter, at.leave, at.enter_after, at.leave_after, list(at.off)) for at in levels]
        return cls._make("degradation", name, [], scope, levels=steps)

    @property
    def level(self) -> int:
        """The level at present; 0 is full service. `state` has its name."""
        return self._level()


class Strategy(NamedTuple):
    """How to mend something: `mend(component, what)` returns, or raises and has failed. It is tried `tries` times."""

    name: str
    mend: Callable[[str, str], object]
    tries: int = 1


class RecoveryReport(NamedTuple):
    """How a recovery went."""

    mended_by: str | None
    failed: list[tuple[str, str]]
    """Each try that failed: the strategy, and why."""


class Recovery(Policy):
    """Strategies that are tried in order until one mends what is broken; what breaks again within `relapse` seconds begins further on."""

    def __new__(
        cls,
        name: str,
        strategies: Sequence[Strategy],
        *,
        pause: float | None = None,
        relapse: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        menders = [(each.name, each.tries, each.mend) for each in strategies]
        return cls._make("recovery", name, _named(pause=pause, relapse=relapse), scope, strategies=menders)

    def recover(self, component: str, what: str) -> RecoveryReport:
        """Tries the strategies, on the calling thread."""
        return RecoveryReport(*self._recover(component, what))


@dataclass(frozen=True)
class Component:
    """A component of a health monitor."""

    name: str
    _monitor: Health = field(repr=False)
    _number: int = field(repr=False)

    def report(self, health: float) -> None:
        """Tells its health, from 0 to 1."""
        self._monitor._health_report(self._number, health)

    def check(self, check: Callable[[], float], /) -> None:
        """Has it asked for its health at each poll; an exception is health 0."""
        self._monitor._health_check(self._number, check)


class Health(Policy):
    """Watches components: the availability is the mean of their healths by weight; who is silent for `stale_after` seconds has none."""

    def __new__(
        cls,
        name: str,
        *,
        running: float | None = None,
        critical: float | None = None,
        stale_after: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        return cls._make("health", name, _named(running=running, critical=critical, stale_after=stale_after), scope)

    def add(self, name: str, *, weight: float = 1.0, needs: Sequence[str] = ()) -> Component:
        """Adds a component that depends on others, which were added before."""
        return Component(name, self, self._health_add(name, weight, list(needs)))

    def report(self) -> HealthReport:
        """Asks all checks, and reports. `str()` of the report is for people."""
        return self._health_poll()

    def start(self, interval: float = 0.1) -> None:
        """Polls in an interval, on a thread of its own, until `stop`."""
        self._health_start(interval)

    def stop(self) -> None:
        """Ends the polling."""
        self._health_stop()
