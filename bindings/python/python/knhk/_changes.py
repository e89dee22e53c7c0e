"""Changes as an asynchronous iterator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._knhk import Change
from ._news import Mailbox, News

if TYPE_CHECKING:
    from ._engine import Engine


class _Mailbox(Mailbox[Change]):
    def missed_with(self, dropped: Change) -> int:
        return 1 + dropped.missed


class Changes(News[Change]):
    """Changes of an engine from the moment it was made, in order: `async for change in engine.changes()`.

    Those that nobody took in time are counted in the next one's `missed`. It ends when the engine is closed. `aclose`, leaving its `async with`
    block and being forgotten unsubscribe it.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, _Mailbox(), lambda post: engine.subscribe(post).close)

    async def __anext__(self) -> Change:
        change = await super().__anext__()
        if missed := self._mailbox.missed:
            change = change._with_missed(change.missed + missed)
            self._mailbox.missed = 0
        return change
