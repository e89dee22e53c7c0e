"""Engines and sectors: what the extension offers, with documents as Python objects and the asyncio forms."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from . import _knhk
from ._changes import Changes
from ._document import Document, to_json
from ._enums import Format
from ._errors import TimedOut, make
from ._knhk import IdentifierConflict, Key, KeyInfo, Report, SectorInfo, StatementDiff, Stats, Version
from ._news import Mailbox
from ._settings import Settings
from ._versions import History, Reference
from .governance import Governance
from .loop import Loop

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Sector(History):
    """A namespace with its own knowledge and its own history. Made by `Engine.sector` and `Engine.create_sector`."""

    engine: Engine
    """The engine it belongs to."""

    def __new__(cls, engine: Engine, name: str, /) -> Sector:
        sector = super().__new__(cls, engine, name)
        sector.engine = engine
        return sector

    @overload
    def key(self, name: str, type: type[_T]) -> Key[_T]: ...
    @overload
    def key(self, name: str, type: str) -> Key[Any]: ...
    def key(self, name: str, type: type[Any] | str) -> Key[Any]:
        """Interns a name with its type, once: a misspelt name fails here. The key is valid for the engine's life.

        `type` is `int`, `float`, `bool`, `str`, `bytes`, `list[int]` and the like, `dict` for a map, or a name as documents use it
        ("i64", "list<string>", "class"). While the key is interned, a promotion that drops or retypes it needs `major=True`.

        Raises `NotFound` (the nearest name is suggested), `WrongType`, or `NotReady` when nothing was promoted or declared yet.
        """
        return Key(self, name, type)

    def promote(self, document: Document, *, by: str = "", why: str = "", major: bool = False) -> Version:
        """Makes a document the current knowledge. When this returns, every read that begins, on any thread, sees it or something newer.

        `major` declares a major version, which may drop or retype keys that programs hold.

        Raises `InvalidDocument` or `LimitExceeded` (with the path), `Incompatible`, `Stalled`, `StorageError`. Nothing changes then.
        """
        return self._promote_json(to_json(document), by, why, major)

    def promote_image(
        self, image: bytes | bytearray | memoryview, *, by: str = "", why: str = "", major: bool = False
    ) -> Version:
        """Promotes what an artifact image holds. It is copied and verified, and may come from another engine.

        Raises `InvalidArtifact` when it is damaged, else as `promote`.
        """
        return self._promote_image(_bytes(image), by, why, major)

    def promote_rdf(
        self, text: str | bytes, format: Format = "turtle", *, by: str = "", why: str = "", major: bool = False
    ) -> Version:
        """Makes an ontology the whole of the sector's knowledge: its parameters, classes, instances and shapes.

        Raises `InvalidDocument` with line and column, `LimitExceeded`, `Nonconforming` (with `report`) when it breaks a shape, `Conflict`
        when it says something of the core's or another sector's names, else as `promote`. Nothing changes then.
        """
        return self._promote_rdf(_utf8(text), format, by, why, major)

    def promote_delta(
        self,
        *,
        add: str | bytes = "",
        remove: str | bytes = "",
        format: Format = "turtle",
        by: str = "",
        why: str = "",
        major: bool = False,
    ) -> Version:
        """Changes the knowledge by statement: takes some away, and then adds some. Raises as `promote_rdf`."""
        return self._promote_delta(_utf8(remove), _utf8(add), format, by, why, major)

    def validate_rdf(self, text: str | bytes, format: Format = "turtle") -> Report:
        """Validates an ontology as if it were promoted, and changes nothing. Raises `InvalidDocument`, `LimitExceeded`, `Conflict`."""
        return self._validate_rdf(_utf8(text), format)

    def validate_delta(self, *, add: str | bytes = "", remove: str | bytes = "", format: Format = "turtle") -> Report:
        """Validates a change by statement, and changes nothing; what it costs follows the change. Raises as `validate_rdf`."""
        return self._validate_delta(_utf8(remove), _utf8(add), format)

    def declare(self, document: Document) -> None:
        """States which names and types there are, and by each `$default` the value that reads see before the first promotion."""
        self._declare_json(to_json(document))

    async def apromote(self, document: Document, *, by: str = "", why: str = "", major: bool = False) -> Version:
        """`promote` in a thread. Cancelling the wait does not take the promotion back."""
        return await asyncio.to_thread(self.promote, document, by=by, why=why, major=major)

    async def apromote_image(
        self, image: bytes | bytearray | memoryview, *, by: str = "", why: str = "", major: bool = False
    ) -> Version:
        """`promote_image` in a thread."""
        return await asyncio.to_thread(self.promote_image, image, by=by, why=why, major=major)

    async def apromote_rdf(
        self, text: str | bytes, format: Format = "turtle", *, by: str = "", why: str = "", major: bool = False
    ) -> Version:
        """`promote_rdf` in a thread. Cancelling the wait does not take the promotion back."""
        return await asyncio.to_thread(self.promote_rdf, text, format, by=by, why=why, major=major)

    async def apromote_delta(
        self,
        *,
        add: str | bytes = "",
        remove: str | bytes = "",
        format: Format = "turtle",
        by: str = "",
        why: str = "",
        major: bool = False,
    ) -> Version:
        """`promote_delta` in a thread. Cancelling the wait does not take the promotion back."""
        return await asyncio.to_thread(
            self.promote_delta, add=add, remove=remove, format=format, by=by, why=why, major=major
        )

    async def avalidate(self) -> Report:
        """`validate` in a thread."""
        return await asyncio.to_thread(self.validate)

    async def avalidate_rdf(self, text: str | bytes, format: Format = "turtle") -> Report:
        """`validate_rdf` in a thread."""
        return await asyncio.to_thread(self.validate_rdf, text, format)

    async def avalidate_delta(
        self, *, add: str | bytes = "", remove: str | bytes = "", format: Format = "turtle"
    ) -> Report:
        """`validate_delta` in a thread."""
        return await asyncio.to_thread(self.validate_delta, add=add, remove=remove, format=format)

    async def adiff(self, before: Reference, after: Reference) -> StatementDiff:
        """`diff` in a thread."""
        return await asyncio.to_thread(self.diff, before, after)

    async def aprove(self, statement: str) -> bytes:
        """`prove` in a thread."""
        return await asyncio.to_thread(self.prove, statement)

    async def adeclare(self, document: Document) -> None:
        """`declare` in a thread."""
        await asyncio.to_thread(self.declare, document)

    async def arollback(self, version: Reference, *, by: str = "", why: str = "") -> Version:
        """`rollback` in a thread. Cancelling the wait does not take the rollback back."""
        return await asyncio.to_thread(self.rollback, version, by=by, why=why)

    async def aemergency_rollback(self, version: int, *, by: str = "", why: str = "") -> Version:
        """`emergency_rollback` in a thread. Cancelling the wait does not take the rollback back."""
        return await asyncio.to_thread(self.emergency_rollback, version, by=by, why=why)

    async def ahistory(self) -> list[Version]:
        """`history` in a thread."""
        return await asyncio.to_thread(self.history)

    async def aexport(self, version: Reference | None = None, *, format: Format = "json") -> str:
        """`export` in a thread."""
        return await asyncio.to_thread(self.export, version, format=format)

    async def akeys(self) -> list[KeyInfo]:
        """`keys` in a thread."""
        return await asyncio.to_thread(self.keys)

    async def await_ready(self, timeout: float | None = None) -> None:
        """`wait_ready` without a thread: it waits for the changes, and can be cancelled."""
        async with self.engine.changes() as changes:
            try:
                async with asyncio.timeout(timeout):
                    # Whatever was promoted before the subscription is seen here, whatever comes after it among the changes.
                    while not self._is_ready():
                        await anext(changes)
            except StopAsyncIteration:
                self.wait_ready(0)  # Raises: the engine is closed.
            except TimeoutError as error:
                message = f"nothing was promoted in sector {self.name} within {timeout} s"
                raise make(104, "timed out", message, "wait", self.name) from error

    def _is_ready(self) -> bool:
        try:
            self.wait_ready(0)
        except TimedOut:
            return False
        return True


class Engine(Governance):
    """An engine. Every method may be called from any thread. Made by `open`."""

    _mailboxes: dict[int, Mailbox[Any]]
    """Those of the iterations that go on, by the iteration's identity: a dict, since each use of it is one step for other threads."""

    def __new__(cls, location: str, /, **settings: Unpack[Settings]) -> Engine:
        engine = super().__new__(cls, location, **settings)
        engine._mailboxes = {}
        return engine

    def create_sector(self, name: str, *, kind: str = "direct") -> Sector:
        """Creates a sector. Names are 1 to 64 characters of a-z, 0-9, - and _, and begin with a letter or digit.

        Raises `InvalidArgument` for another name, `AlreadyExists`, `LimitExceeded` beyond 64 sectors, `StorageError`.
        """
        self._create_sector(name, kind=kind)
        return Sector(self, name)

    def create_shipped_sector(self, name: str, *, kind: str = "direct") -> Sector:
        """Creates a sector with the knowledge that KNHK ships: "finance", "healthcare", "logistics" or "manufacturing".

        Raises `NotFound` where none of that name is shipped, else as `create_sector`.
        """
        self._create_shipped_sector(name, kind=kind)
        return Sector(self, name)

    def sector(self, name: str) -> Sector:
        """The sector with this name. Raises `NotFound`."""
        return Sector(self, name)

    def compile(self, document: Document) -> bytes:
        """A document's artifact image, which `Sector.promote_image` takes, here or elsewhere. Promotes nothing."""
        return self._compile_json(to_json(document))

    @property
    def loop(self) -> Loop:
        """The closed loop: it proposes changes of the program's limits from what the program observes."""
        return Loop(self)

    def changes(self) -> Changes:
        """Changes from now on, as an asynchronous iterator. Call it on an event loop."""
        return Changes(self)

    def close(self) -> None:
        """Closes the engine: reads find nothing from now on, changes are refused, the folder is free, subscriptions end.

        Views that are open stay readable. Closing twice does nothing. It waits for a callback that is running, unless it is called
        from it.
        """
        self._close()
        for mailbox in list(self._mailboxes.values()):
            mailbox.post_end()

    async def aclose(self) -> None:
        """`close` in a thread."""
        await asyncio.to_thread(self.close)

    async def acreate_sector(self, name: str, *, kind: str = "direct") -> Sector:
        """`create_sector` in a thread."""
        return await asyncio.to_thread(self.create_sector, name, kind=kind)

    async def acreate_shipped_sector(self, name: str, *, kind: str = "direct") -> Sector:
        """`create_shipped_sector` in a thread."""
        return await asyncio.to_thread(self.create_shipped_sector, name, kind=kind)

    async def aconflicts(self) -> list[IdentifierConflict]:
        """`conflicts` in a thread."""
        return await asyncio.to_thread(self.conflicts)

    async def asectors(self) -> list[SectorInfo]:
        """`sectors` in a thread."""
        return await asyncio.to_thread(self.sectors)

    async def adump(self) -> str:
        """`dump` in a thread."""
        return await asyncio.to_thread(self.dump)

    async def adrain(self, max: int = 65_536) -> list[_knhk.Observation]:
        """`drain` in a thread."""
        return await asyncio.to_thread(self.drain, max)

    async def astats(self) -> Stats:
        """`stats` in a thread."""
        return await asyncio.to_thread(self.stats)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Opening:
    """An engine that is being opened: `await` it, or use it in `async with`."""

    def __init__(self, opening: Callable[[], Engine]) -> None:
        self._opening = opening
        self._engine: Engine | None = None

    async def _open(self) -> Engine:
        task = asyncio.ensure_future(asyncio.to_thread(self._opening))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # The thread goes on; what it opens belongs to nobody.
            task.add_done_callback(_close_opened)
            raise

    def __await__(self) -> Generator[Any, None, Engine]:
        return self._open().__await__()

    async def __aenter__(self) -> Engine:
        self._engine = await self._open()
        return self._engine

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None:
            await self._engine.aclose()


def _close_opened(task: asyncio.Future[Engine]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def open(location: str | os.PathLike[str] = ":memory:", **settings: Unpack[Settings]) -> Engine:
    """Opens an engine on a folder, which is made where it does not exist, or in memory. See `Settings`.

    Raises `Busy` when another engine has the folder open, `StorageError` when it cannot be read or written, `Corrupt` when no version
    of a sector is whole, `Tampered` when its log is not what was signed or not the one that is trusted, `KeyFileError` when there is no
    key to sign with.
    """
    return Engine(_text(location), **settings)


def aopen(location: str | os.PathLike[str] = ":memory:", **settings: Unpack[Settings]) -> _Opening:
    """`open` in a thread: `async with knhk.aopen("./limits") as engine`, or `engine = await knhk.aopen("./limits")`."""
    text = _text(location)
    return _Opening(lambda: Engine(text, **settings))


def _text(location: str | os.PathLike[str]) -> str:
    text = os.fspath(location)
    if not isinstance(text, str):
        raise TypeError("a location is a str or a path of str")
    return text


def _bytes(image: bytes | bytearray | memoryview) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, (bytearray, memoryview)):
        return bytes(image)
    raise TypeError(f"an image is bytes, not a {type(image).__name__}")


def _utf8(text: str | bytes) -> bytes:
    if isinstance(text, str):
        return text.encode()
    if isinstance(text, bytes):
        return text
    raise TypeError(f"knowledge is written as str or bytes, not as {type(text).__name__}")
