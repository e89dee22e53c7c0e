"""Policies that admit calls one by one."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from .._errors import CallFailed, Refused, TimedOut
from .._knhk import Permit
from ._policy import Exceptions, Policy
from ._scope import Priority

P = ParamSpec("P")
T = TypeVar("T")

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
