"""Changes as an asynchronous iterator."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from ._knhk import Change

if TYPE_CHECKING:
    from ._engine import Engine
    from ._knhk import Subscription

_WAITING = 1024
"""How many changes wait for a slow consumer before the oldest are dropped and counted in the next one's `missed`."""


class Mailbox:
    """Where changes wait. Touched on the event loop's thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: deque[Change] = deque()
        self.missed = 0
        self.ended = False
        self.arrived = asyncio.Event()

    def put(self, change: Change) -> None:
        if len(self.waiting) == _WAITING:
            self.missed += 1 + self.waiting.popleft().missed
        self.waiting.append(change)
        self.arrived.set()

    def end(self) -> None:
        self.ended = True
        self.arrived.set()

    def post(self, change: Change) -> None:
        """Called on the warm thread."""
        try:
            self.loop.call_soon_threadsafe(self.put, change)
        except RuntimeError:
            pass  # The loop is closed, and nobody listens any more.

    def post_end(self) -> None:
        """Called on any thread."""
        try:
            self.loop.call_soon_threadsafe(self.end)
        except RuntimeError:
            pass


class Changes:
    """Changes of an engine from the moment it was made, in order: `async for change in engine.changes()`.

    It ends when the engine is closed. `aclose`, leaving its `async with` block and being forgotten unsubscribe it.
    """

    _subscription: Subscription | None = None

    def __init__(self, engine: Engine) -> None:
        self._mailbox = Mailbox(asyncio.get_running_loop())
        # The mailbox's method, not one of this object: the engine must not keep alive what nobody iterates any more.
        self._subscription = engine.subscribe(self._mailbox.post)
        self._mailboxes = engine._mailboxes
        self._mailboxes[id(self)] = self._mailbox

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        mailbox = self._mailbox
        while not mailbox.waiting:
            if mailbox.ended:
                raise StopAsyncIteration
            mailbox.arrived.clear()
            await mailbox.arrived.wait()
        change = mailbox.waiting.popleft()
        if mailbox.missed:
            change = change._with_missed(change.missed + mailbox.missed)
            mailbox.missed = 0
        return change

    async def aclose(self) -> None:
        """Unsubscribes; iterating ends after the changes that have arrived."""
        subscription, self._subscription = self._subscription, None
        self._mailbox.end()
        if subscription is not None:
            self._mailboxes.pop(id(self), None)
            await asyncio.to_thread(subscription.close)

    async def __aenter__(self) -> Changes:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._subscription is not None:
            self._mailboxes.pop(id(self), None)
            self._subscription.close()
