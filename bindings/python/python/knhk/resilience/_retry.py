"""More than one attempt: retries, pipelines with them, hedges."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from .._errors import Refused
from .._knhk import HedgedCall
from ._admitting import Admitting
from ._policy import Exceptions, Policy, named
from ._scope import Priority, Scope

P = ParamSpec("P")
T = TypeVar("T")


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
        return cls._make("budget", name, named(share=share, reserve=reserve, span=span), scope)


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
        given = named(attempts=attempts, base=base, cap=cap, longest_retry_after=longest_retry_after, seed=seed)
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
        made = cls._make("pipeline", name, named(timeout=timeout), scope, policies)
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
        given = named(copies=copies, quantile=quantile, soonest=soonest, unknown=unknown)
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
