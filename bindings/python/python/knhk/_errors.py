"""Exceptions: one class for each kind of failure that a program may want to tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import governance
    from ._knhk import Report

__all__ = [
    "AlreadyExists",
    "Busy",
    "CallFailed",
    "Closed",
    "Conflict",
    "Corrupt",
    "Error",
    "Forked",
    "Incompatible",
    "InvalidArgument",
    "InvalidArtifact",
    "InvalidDocument",
    "KeyFileError",
    "LimitExceeded",
    "Nonconforming",
    "NotAdmitted",
    "NotFound",
    "NotReady",
    "Panic",
    "Refused",
    "SigningFailed",
    "Stalled",
    "StorageError",
    "SystemFailure",
    "Tampered",
    "TimedOut",
    "Ungoverned",
    "Unproven",
    "Waiting",
    "WrongThread",
    "WrongType",
]


class Error(Exception):
    """Something failed, and changed nothing. The text says what, where, and what to do."""

    code: int = 0
    """The status as a number: the same in C, Python and Node, and never renumbered."""
    status: str = ""
    """The status in words."""
    stage: str = ""
    """Where it failed: "open", "parse", "verify", "compile", "journal", "swap", "intern", "read" and so on."""
    item: str = ""
    """What it is about: a sector, a path, a file. May be empty."""

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), self.args, self.__dict__.copy())


class InvalidArgument(Error, ValueError):
    """An argument is out of its domain (codes 1 to 99)."""


class NotFound(Error, LookupError):
    """The sector, key, version or value does not exist.

    It is a `LookupError` and not a `KeyError`, whose text would be shown in quotes.
    """


class AlreadyExists(Error):
    """The sector exists already."""


class WrongType(Error, TypeError):
    """The key exists with another type."""


class NotReady(Error):
    """Nothing was promoted or declared in the sector yet."""


class TimedOut(Error, TimeoutError):
    """The time ran out."""


class Closed(Error):
    """The engine is closed."""


class Forked(Error):
    """The engine was inherited by fork: open it again in the child. What the parent read goes on being readable there."""


class Stalled(Error):
    """A reader or a view holds so much memory that changes are refused; the text names it."""


class Busy(Error):
    """Another engine has the folder open."""


class WrongThread(Error):
    """A reader belongs to another thread."""


class Refused(Error):
    """A policy of resilience refused a call, which never began."""

    policy: str = ""
    """The policy's name."""
    reason: str = ""
    """"open", "forced_open", "probing", "rate_limited", "full", "overloaded", "shed" or "deadline_passed"."""
    retry_after: float | None = None
    """After how many seconds another try has a chance; None where that is not known, or never."""


class CallFailed(Error):
    """A call through a policy failed for a reason of the policy's: chaos made it fail."""


class InvalidDocument(Error, ValueError):
    """The document is not valid; `item` is the path at fault."""


class InvalidArtifact(Error, ValueError):
    """The image is damaged, or of a layout that this version does not know."""


class Incompatible(Error):
    """Keys that programs hold would be dropped or change their type; promote with `major=True` if that is meant."""


class LimitExceeded(Error, ValueError):
    """A limit on size, depth or count."""


class Nonconforming(Error, ValueError):
    """The knowledge would break a shape of its sector, or of the core."""

    report: Report
    """What would be broken, result by result."""


class Conflict(Error):
    """A change says something of the core's names, or of another sector's."""


class Unproven(Error, ValueError):
    """A proof does not show what it was given for."""


class Ungoverned(Error):
    """The sector is governed: propose the change."""


class NotAdmitted(Error):
    """A stage of governance refuses the change; the text says which and why."""

    reports: list[governance.Report]
    """What each stage said, sector by sector."""


class Waiting(Error):
    """The change lacks approvals, or its time has not come."""

    reports: list[governance.Report]
    """What each stage said, sector by sector."""


class StorageError(Error, OSError):
    """Reading or writing failed."""


class Corrupt(Error):
    """What was stored is damaged."""


class SystemFailure(Error):
    """The operating system refused."""


class Tampered(Error):
    """What is stored is not what was signed, or not the log that is trusted; the text names the first finding."""


class KeyFileError(Error):
    """A key file cannot be used; the text says why, and nothing of what is in it."""


class SigningFailed(Error):
    """Whoever signs did not, or gave what is not their signature. Nothing was recorded, and nothing changed."""


class Panic(Error):
    """A defect of knhk. Reads go on; reopen the engine to change anything."""


_CLASSES: dict[int, type[Error]] = {
    100: NotFound,
    101: AlreadyExists,
    102: WrongType,
    103: NotReady,
    104: TimedOut,
    105: Closed,
    106: Forked,
    107: Stalled,
    108: Busy,
    109: WrongThread,
    110: Refused,
    111: CallFailed,
    200: InvalidDocument,
    201: InvalidArtifact,
    202: Incompatible,
    203: LimitExceeded,
    204: Nonconforming,
    205: Conflict,
    206: Unproven,
    210: Ungoverned,
    211: NotAdmitted,
    212: Waiting,
    300: StorageError,
    301: Corrupt,
    302: SystemFailure,
    303: Tampered,
    304: KeyFileError,
    305: SigningFailed,
    900: Panic,
}


def make(code: int, status: str, message: str, stage: str, item: str) -> Error:
    """The exception for a status. One that this module does not know yet is a plain `Error`."""
    kind = InvalidArgument if 1 <= code <= 99 else _CLASSES.get(code, Error)
    error = kind(message)
    error.code, error.status, error.stage, error.item = code, status, stage, item
    return error


def make_refused(message: str, policy: str, reason: str, retry_after: float | None) -> Refused:
    """The exception for a refusal."""
    error = Refused(message)
    error.code, error.status, error.stage, error.item = 110, "refused by a policy", "enter", policy
    error.policy, error.reason, error.retry_after = policy, reason, retry_after
    return error


for _name in __all__:
    # Where programs find them, and what tracebacks show.
    globals()[_name].__module__ = "knhk"
