"""Knowledge your hot path can trust: governed values, read in nanoseconds, promoted atomically, taken back when they hurt.

    import knhk

    with knhk.open("./limits") as engine:
        orders = engine.create_sector("orders")
        orders.promote({"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}}, by="ops-1", why="first limits")
        max_qty = orders.key("max_qty", int)
        if quantity <= max_qty():
            ...
"""

import atexit as _atexit
import os as _os

from . import _knhk
from ._changes import Changes
from ._document import Document
from ._engine import Engine, Sector, aopen, open
from ._enums import Format, Outcome, Reason
from ._errors import (
    AlreadyExists,
    Busy,
    CallFailed,
    Closed,
    Conflict,
    Corrupt,
    Error,
    Forked,
    Incompatible,
    InvalidArgument,
    InvalidArtifact,
    InvalidDocument,
    KeyFileError,
    LimitExceeded,
    Nonconforming,
    NotAdmitted,
    NotFound,
    NotReady,
    Panic,
    Refused,
    SigningFailed,
    Stalled,
    StorageError,
    SystemFailure,
    Tampered,
    TimedOut,
    Ungoverned,
    Unproven,
    Waiting,
    WrongThread,
    WrongType,
)
from ._knhk import (
    Aggregate,
    Change,
    Counts,
    Difference,
    Figures,
    IdentifierConflict,
    KeptObservation,
    Key,
    KeyInfo,
    LogEntry,
    Map,
    Objective,
    Observation,
    ObserveStats,
    Phases,
    Progress,
    Receipt,
    Report,
    SectorInfo,
    Segment,
    Signer,
    SigningKey,
    StatementDiff,
    Stats,
    Subscription,
    Tag,
    ValidationResult,
    Verified,
    Version,
    View,
    __version__,
    verify_proof,
)
from ._ledger import arestore, restore
from ._settings import Observations, Settings
from ._versions import Reference

__all__ = [
    "Aggregate",
    "AlreadyExists",
    "Busy",
    "CallFailed",
    "Change",
    "Changes",
    "Closed",
    "Conflict",
    "Corrupt",
    "Counts",
    "Difference",
    "Document",
    "Engine",
    "Error",
    "Figures",
    "Forked",
    "Format",
    "IdentifierConflict",
    "Incompatible",
    "InvalidArgument",
    "InvalidArtifact",
    "InvalidDocument",
    "KeptObservation",
    "Key",
    "KeyFileError",
    "KeyInfo",
    "LimitExceeded",
    "LogEntry",
    "Map",
    "Nonconforming",
    "NotAdmitted",
    "NotFound",
    "NotReady",
    "Objective",
    "Observation",
    "Observations",
    "ObserveStats",
    "Outcome",
    "Panic",
    "Phases",
    "Progress",
    "Reason",
    "Receipt",
    "Reference",
    "Refused",
    "Report",
    "Sector",
    "SectorInfo",
    "Segment",
    "Settings",
    "Signer",
    "SigningFailed",
    "SigningKey",
    "Stalled",
    "StatementDiff",
    "Stats",
    "StorageError",
    "Subscription",
    "SystemFailure",
    "Tag",
    "Tampered",
    "TimedOut",
    "Ungoverned",
    "Unproven",
    "ValidationResult",
    "Verified",
    "Version",
    "View",
    "Waiting",
    "WrongThread",
    "WrongType",
    "__version__",
    "aopen",
    "arestore",
    "open",
    "restore",
    "verify_proof",
]

# Callbacks end before the interpreter does; a forked child has none of its parent's.
_atexit.register(_knhk.end_callbacks)
_os.register_at_fork(after_in_child=_knhk.after_fork_in_child)
