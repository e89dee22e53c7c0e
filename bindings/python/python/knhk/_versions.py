"""The history of a sector: its log, names for versions, and reads as of then."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from . import _knhk
from ._enums import Format
from ._knhk import Aggregate, LogEntry, Objective, StatementDiff, Tag, Version, View

Reference: TypeAlias = int | str
"""Which version: its number, "current", "~3" (3 before the current one), a tag, 6 or more hexadecimal digits of a content address, a moment
("2026-11-01T09:00:00Z", or the date alone), or "@2h" for two hours ago."""


class History(_knhk.Sector):
    """The part of a sector that is its history."""

    def log(self, *, before: int | None = None, limit: int | None = None) -> list[LogEntry]:
        """The versions, newest first, also those that are no longer kept; at most 100 unless `limit` says so."""
        return _knhk.log(self, before, limit)

    def resolve(self, reference: Reference, /) -> int:
        """The number of the version that is meant; see `Reference`.

        Raises `NotFound`; `InvalidArgument` for what is no reference, and for one that may mean several, which the text lists.
        """
        return _knhk.resolve(self, str(reference))

    def tag(self, name: str, reference: Reference = "current", *, by: str = "") -> int:
        """Names a version, and moves the name if it is there; tells the version's number. Raises as `resolve`, and `StorageError`.

        A tag is 1 to 64 characters of letters, digits, ".", "_", "-" and "/", begins with a letter, and is no other form of a reference.
        """
        return _knhk.tag(self, name, str(reference), by)

    def untag(self, name: str, *, by: str = "") -> None:
        """Removes a tag; the version stays. Raises `NotFound`."""
        _knhk.untag(self, name, by)

    def tags(self) -> list[Tag]:
        """The tags, by name."""
        return _knhk.tags(self)

    def as_of(self, reference: Reference, /) -> View:
        """All sectors as they were when a version of this one became current, or at a moment. Close the view, or use it in `with`.

        Raises as `resolve`; `NotFound` also where what was current then is no longer kept.
        """
        return _knhk.as_of(self, str(reference))

    def aggregates(self) -> list[Aggregate]:
        """What the observations add up to, by key and kind. Raises `NotReady` for an engine without the setting `observations`."""
        return _knhk.aggregates(self)

    def objectives(self) -> list[Objective]:
        """How the service level objectives stand. Raises as `aggregates`."""
        return _knhk.objectives(self)

    def rollback(self, version: Reference, *, by: str = "", why: str = "") -> Version:
        """Makes a version's content current again, as a new version. Raises `NotFound`, and as `promote`."""
        return super().rollback(self._number(version), by=by, why=why)

    def export(self, version: Reference | None = None, *, format: Format = "json") -> str:
        """A version, or the current one, as text; importing it gives the same knowledge. Raises `NotFound`, `NotReady`."""
        return super().export(None if version is None else self._number(version), format=format)

    def diff(self, before: Reference, after: Reference, /) -> StatementDiff:
        """What leads from one version to another, statement by statement; `before` 0 is the sector before its first version."""
        return super().diff(self._number(before), self._number(after))

    async def alog(self, *, before: int | None = None, limit: int | None = None) -> list[LogEntry]:
        """`log` in a thread."""
        return await asyncio.to_thread(self.log, before=before, limit=limit)

    async def atag(self, name: str, reference: Reference = "current", *, by: str = "") -> int:
        """`tag` in a thread. Cancelling the wait does not take it back."""
        return await asyncio.to_thread(self.tag, name, reference, by=by)

    async def auntag(self, name: str, *, by: str = "") -> None:
        """`untag` in a thread. Cancelling the wait does not take it back."""
        await asyncio.to_thread(self.untag, name, by=by)

    async def aas_of(self, reference: Reference, /) -> View:
        """`as_of` in a thread."""
        return await asyncio.to_thread(self.as_of, reference)

    def _number(self, version: Reference) -> int:
        return self.resolve(version) if isinstance(version, str) else version
