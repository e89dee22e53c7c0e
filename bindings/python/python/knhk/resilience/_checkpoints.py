"""Checkpoints: the states of a program's components, kept so that it can go on from them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from .._engine import Engine
from .._knhk import CheckpointsBase, RestoredCheckpoint, TakenCheckpoint
from ._scope import Scope


class Stateful(Protocol):
    """A component with a state. It may also have `freeze()` and `thaw()`, between which the state does not change."""

    def save(self) -> bytes:
        """Its state. What stays at its place from one checkpoint to the next makes small increments."""
        ...

    def load(self, state: bytes, /) -> None:
        """Takes a state that `save` made; what it raises has an older checkpoint tried."""
        ...


class Checkpoints(CheckpointsBase):
    """Takes and restores checkpoints of components, all of which hold still at once.

        kept = Checkpoints("orders", engine=eng)     # beside the engine's receipts; or folder="./state"
        kept.add("book", book)                       # it has save() and load(state)
        if kept.kept():
            kept.restore()
        kept.start(1.0)                              # in the background; or kept.take()

    `keys`: of 32 bytes; the first one encrypts, each decrypts. `chain`: checkpoints from one full one to the next (60); `chains`: how many are
    kept (2); `level`: of compression (1); `limit`: bytes of all states (1 GiB). Used as a context, it is closed at the end. A component is
    called on the thread that takes or restores: the caller's, the background's, or one that serves an operator's command.
    """

    def __new__(
        cls,
        name: str,
        *,
        engine: Engine | None = None,
        folder: str | os.PathLike[str] | None = None,
        scope: Scope | None = None,
        chain: int | None = None,
        chains: int | None = None,
        level: int | None = None,
        limit: int | None = None,
        keys: Sequence[bytes] = (),
    ) -> Self:
        return super().__new__(cls, name, engine, folder, scope, chain, chains, level, limit, list(keys))

    def add(self, name: str, component: Stateful, /) -> None:
        """Adds a component, which the next checkpoint has. Raises `AlreadyExists`."""
        freeze: Callable[[], object] | None = getattr(component, "freeze", None)
        thaw: Callable[[], object] | None = getattr(component, "thaw", None)
        self._add(name, component.save, component.load, freeze, thaw)

    async def atake(self, *, full: bool = False) -> TakenCheckpoint:
        """`take` in a thread."""
        return await asyncio.to_thread(self.take, full=full)

    async def arestore(self) -> RestoredCheckpoint:
        """`restore` in a thread."""
        return await asyncio.to_thread(self.restore)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
