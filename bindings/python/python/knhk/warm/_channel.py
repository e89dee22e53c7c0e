"""Channels: two ends, each of which sends what the other receives, with credit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from .._errors import Closed, TimedOut
from .._knhk import ChannelBase

Out = TypeVar("Out")
In = TypeVar("In")
D = TypeVar("D")
R = TypeVar("R")


class Flow(NamedTuple):
    """How one way of a channel has fared."""

    window: int
    """The most messages that may be under way."""
    sent: int
    done: int
    """Messages that the receiver is done with."""
    refused: int
    """Attempts that found no credit."""
    held: bool
    """Whether the receiver holds its senders back."""


class Channel(Generic[Out, In]):
    """An end of a channel: it sends `Out` and receives `In`, between threads, event loops, or both.

        here, there = Channel.pair(64)
        here.send(order)                      # or: await here.asend(order); waits while 64 are under way
        for order in there: ...               # or: async for; until the other end has finished
        with there.take() as order: ...       # it fills its place in the window while it is being worked on

    Any thread. An end that is closed, forgotten, or left as a context refuses the other end's messages, and wakes whoever waits.
    """

    def __init__(self, base: ChannelBase) -> None:
        self._base = base

    @staticmethod
    def pair(window: int) -> tuple[Channel[Any, Any], Channel[Any, Any]]:
        """Two ends; at most `window` messages (up to 1,048,576) are under way each way."""
        left, right = ChannelBase.pair(window)
        return Channel(left), Channel(right)

    def send(self, message: Out, /, *, timeout: float | None = None) -> None:
        """Sends, and waits for credit: for ever, or for so long, and then raises `knhk.TimedOut`. Raises `knhk.Closed` where the other end is
        closed, or this one has finished."""
        if not self._base.send(message, timeout):
            raise TimedOut(f"the receiver granted no more within {timeout} s")

    def try_send(self, message: Out, /) -> bool:
        """Sends without waiting; whether there was credit."""
        return self._base.send(message, 0.0)

    def receive(self, *, timeout: float | None = None) -> In:
        """The next message, waiting for it: for ever, or for so long, and then raises `knhk.TimedOut`. Raises `knhk.Closed` when nothing will come."""
        return self._one(self._base.receive(timeout), timeout)

    def try_receive(self, default: D, /) -> In | D:
        """The next message, or `default` where none is there."""
        found = self._base.receive(0.0)
        return default if found is None else found[0]

    @contextlib.contextmanager
    def take(self, *, timeout: float | None = None) -> Iterator[In]:
        """As `receive`, for work that takes time: the message fills its place in the window until the context ends."""
        message = self._one(self._base.take(timeout), timeout)
        try:
            yield message
        finally:
            self._base.done()

    async def asend(self, message: Out, /) -> None:
        """`send` in an event loop. Cancelled, it has not sent."""
        await self._awaited(True, lambda: (True,) if self._base.send(message, 0.0) else None)

    async def areceive(self) -> In:
        """`receive` in an event loop. Cancelled, it has received nothing."""
        message: In = await self._awaited(False, lambda: self._base.receive(0.0))
        return message

    @contextlib.asynccontextmanager
    async def atake(self) -> AsyncIterator[In]:
        """`take` in an event loop."""
        message: In = await self._awaited(False, lambda: self._base.take(0.0))
        try:
            yield message
        finally:
            self._base.done()

    def hold(self) -> None:
        """Withdraws the other end's credit until `release`; what it sent can still be received."""
        self._base.hold()

    def release(self) -> None:
        """Gives the credit back."""
        self._base.release()

    def fileno(self) -> int:
        """A descriptor for `selectors`, `select` and event loops other than asyncio's: readable while there may be something to receive, and for good
        when nothing will come. Receive without waiting until nothing is there, which has it wait for more. It is the channel's: neither read nor
        close it."""
        return self._base.fileno()

    def finish(self) -> None:
        """Sends nothing more: the other end receives what was sent, and then learns that it has ended."""
        self._base.finish()

    def close(self) -> None:
        """Finishes, and receives nothing more."""
        self._base.close()

    @property
    def closed(self) -> bool:
        """Whether this end was closed."""
        return self._base.is_closed()

    @property
    def credit(self) -> int:
        """Messages that may be sent at present."""
        return self._base.credit()

    @property
    def outgoing(self) -> Flow:
        """How what this end sends has fared."""
        return Flow(*self._base.outgoing())

    @property
    def incoming(self) -> Flow:
        """How what this end receives has fared."""
        return Flow(*self._base.incoming())

    def __iter__(self) -> Iterator[In]:
        while True:
            try:
                message = self.receive()
            except Closed:
                return
            yield message

    async def __aiter__(self) -> AsyncIterator[In]:
        while True:
            try:
                message = await self.areceive()
            except Closed:
                return
            yield message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _one(found: tuple[In] | None, timeout: float | None) -> In:
        if found is None:
            raise TimedOut(f"no message came within {timeout} s")
        return found[0]

    async def _awaited(self, writable: bool, attempt: Callable[[], tuple[R] | None]) -> R:
        """Tries until it is done; whoever changes something wakes the loop. It is noted before it tries a last time and waits."""
        loop = asyncio.get_running_loop()
        while True:
            if (done := attempt()) is not None:
                return done[0]
            woken = asyncio.Event()

            def wake(woken: asyncio.Event = woken) -> None:
                # A loop that has ended waits no more.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(woken.set)

            noted = self._base.when(writable, wake)
            try:
                if (done := attempt()) is not None:
                    return done[0]
                await woken.wait()
            finally:
                noted.close()
