"""How an engine is opened."""

from __future__ import annotations

from typing import TypedDict

from ._knhk import Signer


class Observations(TypedDict, total=False):
    """How observations are kept; what is left out keeps a default that suits a service."""

    segment_records: int
    """Observations of a segment, which has one receipt."""
    seal_after: float
    """Seconds that an observation waits for its segment to fill, at most."""
    memory_bytes: int
    """Memory for observations that are not durable yet; beyond it rings fill and refuse, which is counted."""
    period: float
    """How often the rings are looked into while they are empty, in seconds."""
    retain_bytes: int
    """Bytes of observations that are kept, 64 each. Counts, Merkle roots and receipts are kept for ever."""
    retain_age: float
    """For how many seconds observations are kept."""
    window: float
    """The window that aggregates are over, in seconds."""
    series: int
    """Pairs of key and kind that are added up apart, at most."""
    compression: int
    """The effort of zstd, -7 to 19."""


class Settings(TypedDict, total=False):
    """Settings of an engine; what is left out keeps a default that suits a service."""

    history: int
    """Versions retained per sector, the current one included."""
    clock_period: float
    """Seconds between two steps of the clock that stamps observations."""
    barrier: str
    """"auto", or "fence" where the membarrier system call must not be used."""
    retained_roots: int
    """Replaced generations that may wait to be freed."""
    soft_limit_bytes: int
    """Bytes kept by a stalled reader or a view from which a warning names it."""
    hard_limit_bytes: int
    """Bytes kept by a stalled reader or a view from which changes are refused."""
    ring_records: int
    """Observations that wait in each thread's ring, rounded up to a power of two; 0 for none."""
    max_document_bytes: int
    """Limit on a document's size."""
    max_depth: int
    """Limit on the names on a path."""
    max_keys: int
    """Limit on a document's values, maps and classes together."""
    control: bool
    """Takes commands of `knhk` over a socket in the engine's folder, from the folder's owner alone."""
    read_only: bool
    """Opens a still picture of a folder, beside the engine that has it open, if one has. Changes are refused with `StorageError`."""
    signer: Signer
    """Who signs receipts in place of the key in the folder; in memory there are receipts with one only."""
    trust_root: str
    """What the folder's log must begin at: `Engine.trust_root` as it was told before."""
    checkpoint: str
    """What `Engine.checkpoint` told before: opening finds a log that was cut off or forked since."""
    retain_versions: int
    """Versions of each sector that are kept in the folder; what either limit asks to keep is kept, everything without limits."""
    retain_age: float
    """Versions that were current within this many seconds are kept."""
    manual_time: int
    """Has decisions be dated by a clock that stands at this moment, in nanoseconds since 1970, until `Engine.advance_time` moves it: for tests
    and simulations."""
    hot_budget: float
    """What an operation of the hot path may take on average, in seconds; 100 ns. Beyond it the warm path yields: see `Engine.report_hot`."""
    observations: bool | Observations
    """Has the engine take observations out of the rings by itself, add them up, and keep them under receipts."""
