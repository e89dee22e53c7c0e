"""What proves an engine's history: receipts, checkpoints, verification, backup, and the keys that sign."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias, TypeVar

from . import _knhk
from ._knhk import KeptObservation, ObserveStats, Progress, Receipt, Segment, Signer, SigningKey, Verified, View

_T = TypeVar("_T")

Telling: TypeAlias = Callable[[Progress], object]
"""Hears how far something long is, on the thread that does it. Returning `False` stops it, and so does raising."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Ledger(_knhk.Engine):
    """The part of an engine that proves what happened."""

    def receipts(
        self,
        *,
        sector: str | None = None,
        kind: str | None = None,
        first: int = 0,
        end: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[Receipt]:
        """Receipts in the order of their numbers, from `first` to before `end`, of one sector or kind; at most 1,000 unless `limit` says so.

        Raises `NotFound` for an engine without a log: one in memory without a signer.
        """
        return _knhk.receipts(self, first, end, sector, kind, newest_first, limit)

    def receipt(self, id_or_number: str | int, /) -> Receipt:
        """The receipt with this id, or at this place of the log. Raises `NotFound`."""
        return _knhk.receipt(self, str(id_or_number))

    def prove_receipt(self, id_or_number: str | int, /) -> bytes:
        """The proof that a receipt is in the log as it is now: a COSE receipt of inclusion (RFC 9942), which stock libraries verify.

        Raises `NotFound`, `SigningFailed`, `StorageError` for a read-only engine.
        """
        return _knhk.prove_receipt(self, str(id_or_number))

    def prove_consistency(self, earlier: int, /) -> bytes:
        """The proof that the log as it is now begins with its first `earlier` receipts as they were: a COSE receipt of consistency."""
        return _knhk.prove_consistency(self, earlier)

    def checkpoint(self) -> str:
        """The log's state as it is now, signed, as a note (C2SP tlog-checkpoint).

        Whoever holds it elsewhere finds a log that was cut off or forked since: with `verify(checkpoint=…)` or `open(…, checkpoint=…)`.
        """
        return _knhk.checkpoint(self)

    @property
    def trust_root(self) -> str | None:
        """The log's name and first key, for whoever verifies receipts, and for `open(…, trust_root=…)`; none without a log."""
        return _knhk.trust_root(self)

    def verify(
        self, *, checkpoint: str | None = None, observations: bool = True, progress: Telling | None = None
    ) -> Verified:
        """Verifies everything up to now, while the engine goes on: receipts, keys, checkpoints, observations, and the versions kept.

        Raises `Tampered` or `Corrupt` with the first finding, `Unproven` for a checkpoint that is not this log's, `TimedOut` where
        `progress` returned `False`.
        """
        return _knhk.verify(self, checkpoint, not observations, progress)

    def signing_keys(self) -> list[SigningKey]:
        """The keys that sign or signed, in order."""
        return _knhk.signing_keys(self)

    def rotate_key(self, signer: Signer | None = None) -> Receipt:
        """Has another key sign from here on; the receipt of it is signed by both.

        Without a signer a new key is made in the folder, in place of the old one, whose secret is removed. With one the program keeps the
        secret and gives the signer at each `open`; the folder's key is removed.

        Raises `SigningFailed` when one of them does not sign, `InvalidArgument` for a key that was the log's before.
        """
        return _knhk.rotate_key(self, signer)

    def as_of(self, moment: datetime | int, /) -> View:
        """All sectors as they were at a moment, an aware `datetime` or nanoseconds since 1970 (UTC). Close the view, or use it in `with`.

        Raises `NotFound` where what was current then is no longer kept.
        """
        return _knhk.as_of_moment(self, _nanoseconds(moment))

    def backup(self, path: str | os.PathLike[str], *, progress: Telling | None = None) -> None:
        """Copies the folder's store into a new file while the engine goes on. No key is in it.

        Raises `AlreadyExists`, `StorageError`; `NotFound` in memory.
        """
        _knhk.backup(self, path, progress)

    def prune(self) -> int:
        """Removes now what `retain_versions` and `retain_age` do not keep; tells how many versions went. Receipts and tagged versions stay."""
        return _knhk.prune(self)

    def flush_observations(self) -> None:
        """Waits until what the rings hold now is durable under receipts: what was accepted before is not lost in a crash.

        Raises `NotReady` for an engine without the setting `observations`, `StorageError` where it cannot be stored now: it is kept, and
        tried again.
        """
        _knhk.flush_observations(self)

    def observe_stats(self) -> ObserveStats:
        """Figures of what drains the rings. Raises `NotReady` for an engine without the setting `observations`."""
        return _knhk.observe_stats(self)

    def segments(self, *, sector: str | None = None, first: int = 0, limit: int | None = None) -> list[Segment]:
        """Batches of observations in the order of their numbers; at most 1,000 unless `limit` says so."""
        return _knhk.segments(self, sector, first, limit)

    def observations(self, segment: int, /) -> list[KeptObservation]:
        """The observations of a segment. Raises `NotFound` where there is none of that number or retention dropped it, `Corrupt`."""
        return _knhk.observations(self, segment)

    def prove_observation(self, segment: int, index: int, /) -> tuple[bytes, bytes]:
        """An observation's 64 bytes as they were signed, and the proof (CBOR) that it was ingested, for whoever holds the trust root."""
        return _knhk.prove_observation(self, segment, index)

    def verify_observation(self, record: bytes, proof: bytes, /) -> None:
        """Checks such a proof against this engine's log. Raises `Unproven`; `InvalidArgument` for what is no proof."""
        _knhk.verify_observation(self, record, proof)

    async def aflush_observations(self) -> None:
        """`flush_observations` in a thread."""
        await asyncio.to_thread(self.flush_observations)

    async def areceipts(
        self,
        *,
        sector: str | None = None,
        kind: str | None = None,
        first: int = 0,
        end: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[Receipt]:
        """`receipts` in a thread."""
        return await asyncio.to_thread(_knhk.receipts, self, first, end, sector, kind, newest_first, limit)

    async def averify(
        self, *, checkpoint: str | None = None, observations: bool = True, progress: Telling | None = None
    ) -> Verified:
        """`verify` in a thread. Cancelling the wait stops it. `progress` is called in the thread."""
        return await _stoppable(
            progress, lambda tell: self.verify(checkpoint=checkpoint, observations=observations, progress=tell)
        )

    async def abackup(self, path: str | os.PathLike[str], *, progress: Telling | None = None) -> None:
        """`backup` in a thread. Cancelling the wait stops it, and leaves no file. `progress` is called in the thread."""
        await _stoppable(progress, lambda tell: self.backup(path, progress=tell))

    async def acheckpoint(self) -> str:
        """`checkpoint` in a thread."""
        return await asyncio.to_thread(self.checkpoint)

    async def aprove_receipt(self, id_or_number: str | int, /) -> bytes:
        """`prove_receipt` in a thread."""
        return await asyncio.to_thread(self.prove_receipt, id_or_number)

    async def arotate_key(self, signer: Signer | None = None) -> Receipt:
        """`rotate_key` in a thread. Cancelling the wait does not take it back."""
        return await asyncio.to_thread(self.rotate_key, signer)

    async def aas_of(self, moment: datetime | int, /) -> View:
        """`as_of` in a thread."""
        return await asyncio.to_thread(self.as_of, moment)

    async def aprune(self) -> int:
        """`prune` in a thread."""
        return await asyncio.to_thread(self.prune)


def restore(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    trust_root: str | None = None,
    checkpoint: str | None = None,
    progress: Telling | None = None,
) -> Verified:
    """Makes a folder of a backup: verifies every receipt, every version and every page of it, and gives it its place only then.

    The folder must have no store. The signing key is to be put into it, or handed in at `open`. `trust_root` is what the backup's log must
    begin at; without one what it states is believed. A `checkpoint` finds a backup that is older, or forked.

    Raises `Tampered` or `Corrupt` with the first finding, `Unproven`, `AlreadyExists`, `NotFound`, `StorageError`.
    """
    return _knhk.restore(source, folder, trust_root, checkpoint, progress)


async def arestore(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    trust_root: str | None = None,
    checkpoint: str | None = None,
    progress: Telling | None = None,
) -> Verified:
    """`restore` in a thread. Cancelling the wait stops it, and places nothing. `progress` is called in the thread."""
    return await _stoppable(
        progress, lambda tell: restore(source, folder, trust_root=trust_root, checkpoint=checkpoint, progress=tell)
    )


async def _stoppable(progress: Telling | None, work: Callable[[Telling], _T]) -> _T:
    stopped = threading.Event()

    def tell(now: Progress) -> Any:
        if stopped.is_set():
            return False
        return None if progress is None else progress(now)

    try:
        return await asyncio.to_thread(work, tell)
    except asyncio.CancelledError:
        stopped.set()
        raise


def _nanoseconds(moment: datetime | int) -> int:
    if isinstance(moment, int):
        return moment
    if not isinstance(moment, datetime):
        raise TypeError(f"a moment is a datetime or nanoseconds since 1970, not a {type(moment).__name__}")
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone: datetime.now(timezone.utc), or moment.astimezone()")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
