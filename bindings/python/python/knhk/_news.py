"""News of an engine as asynchronous iterators."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from ._engine import Engine

_T = TypeVar("_T")

_WAITING = 1024
"""How many wait for a slow consumer before the oldest are dropped and counted."""


class Mailbox(Generic[_T]):
    """Where news wait. Touched on the event loop's thread only, but for `post` and `post_end`."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[_T] = deque()
        self.missed = 0
        self.ended = False
        self.arrived = asyncio.Event()

    def missed_with(self, _dropped: _T) -> int:
        """How many are missed where one is dropped."""
        return 1

    def put(self, one: _T) -> None:
        if len(self.waiting) == _WAITING:
            self.missed += self.missed_with(self.waiting.popleft())
        self.waiting.append(one)
        self.arrived.set()

    def end(self) -> None:
        self.ended = True
        self.arrived.set()

    def post(self, one: _T) -> None:
        """Called on the thread that has the news."""
        self._later(self.put, one)

    def post_end(self) -> None:
        """Called on any thread."""
        self._later(self.end)

    def _later(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self.loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            pass  # The event loop is closed, and nobody listens any more.

    async def take(self) -> _T:
        while not self.waiting:
            if self.ended:
                raise StopAsyncIteration
            self.arrived.clear()
            await self.arrived.wait()
        return self.waiting.popleft()


class News(Generic[_T]):
    """News from the moment it was made, in order. It ends when the engine is closed. `aclose`, leaving its `async with` block and being forgotten
    end it as well."""

    _leave: Callable[[], object] | None = None

    def __init__(self, engine: Engine, mailbox: Mailbox[_T], subscribe: Callable[[Callable[[_T], None]], Callable[[], object]]) -> None:
        """`subscribe`: has what it is given called with each, and gives what ends that."""
        self._mailbox = mailbox
        # The mailbox's method, not one of this object: the engine must not keep alive what nobody iterates any more.
        self._leave = subscribe(mailbox.post)
        self._mailboxes = engine._mailboxes
        self._mailboxes[id(self)] = mailbox

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        return await self._mailbox.take()

    def _left(self) -> Callable[[], object]:
        """What is still to be done to leave."""
        leave, self._leave = self._leave, None
        if leave is None:
            return lambda: None
        self._mailboxes.pop(id(self), None)
        return leave

    async def aclose(self) -> None:
        """Ends the subscription; iterating ends after what has arrived."""
        self._mailbox.end()
        await asyncio.to_thread(self._left())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._left()()
