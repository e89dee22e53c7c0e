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
from ._engine import Engine, Format, Sector, Settings, aopen, open
from ._enums import Outcome, Reason
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
    Unproven,
    WrongThread,
    WrongType,
)
from ._knhk import (
    Change,
    Difference,
    IdentifierConflict,
    Key,
    KeyInfo,
    Map,
    Observation,
    Phases,
    Report,
    SectorInfo,
    StatementDiff,
    Stats,
    Subscription,
    ValidationResult,
    Version,
    View,
    __version__,
    verify_proof,
)

__all__ = [
    "AlreadyExists",
    "Busy",
    "CallFailed",
    "Change",
    "Changes",
    "Closed",
    "Conflict",
    "Corrupt",
    "Difference",
    "Document",
    "Engine",
    "Error",
    "Forked",
    "Format",
    "IdentifierConflict",
    "Incompatible",
    "InvalidArgument",
    "InvalidArtifact",
    "InvalidDocument",
    "Key",
    "KeyFileError",
    "KeyInfo",
    "LimitExceeded",
    "Map",
    "Nonconforming",
    "NotFound",
    "NotReady",
    "Observation",
    "Outcome",
    "Panic",
    "Phases",
    "Reason",
    "Refused",
    "Report",
    "Sector",
    "SectorInfo",
    "Settings",
    "SigningFailed",
    "Stalled",
    "StatementDiff",
    "Stats",
    "StorageError",
    "Subscription",
    "SystemFailure",
    "Tampered",
    "TimedOut",
    "Unproven",
    "ValidationResult",
    "Version",
    "View",
    "WrongThread",
    "WrongType",
    "__version__",
    "aopen",
    "open",
    "verify_proof",
]

# Callbacks end before the interpreter does; a forked child has none of its parent's.
_atexit.register(_knhk.end_callbacks)
_os.register_at_fork(after_in_child=_knhk.after_fork_in_child)
