"""The extension module. Use the names of the package `knhk`."""

import builtins
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar, final, overload

from ._enums import Format, Reason
from ._ledger import Telling

__all__ = [
    "Aggregate",
    "Change",
    "ChannelBase",
    "ChannelWaker",
    "CheckpointsBase",
    "ComponentReport",
    "Counts",
    "Difference",
    "Engine",
    "ExecutorBase",
    "Figures",
    "GraphBase",
    "HealthReport",
    "HedgedCall",
    "IdentifierConflict",
    "KeptCheckpoint",
    "KeptObservation",
    "Key",
    "KeyBase",
    "KeyInfo",
    "Listener",
    "LogEntry",
    "Map",
    "Objective",
    "Observation",
    "ObserveStats",
    "Parameter",
    "Permit",
    "Phases",
    "PolicyBase",
    "PolicyInfo",
    "Progress",
    "Receipt",
    "Report",
    "RestoredCheckpoint",
    "Run",
    "ScopeBase",
    "Sector",
    "SectorInfo",
    "Segment",
    "Signer",
    "SigningKey",
    "StatementDiff",
    "Stats",
    "Subscription",
    "Tag",
    "TakenCheckpoint",
    "TaskBase",
    "Ticket",
    "ValidationResult",
    "Verified",
    "Version",
    "View",
    "__version__",
    "add_detector",
    "add_hook",
    "add_proposer",
    "after_fork_in_child",
    "aggregates",
    "as_of",
    "as_of_moment",
    "backup",
    "checkpoint",
    "end_callbacks",
    "executors",
    "flush_observations",
    "govern",
    "govern_offline",
    "log",
    "objectives",
    "observations",
    "observe_stats",
    "policies",
    "prove_consistency",
    "prove_observation",
    "prove_receipt",
    "prune",
    "receipt",
    "receipts",
    "remove_detector",
    "remove_hook",
    "remove_policy",
    "remove_proposer",
    "render_report",
    "resolve",
    "restore",
    "retry_after",
    "rotate_key",
    "segments",
    "set_condition",
    "set_function",
    "set_workload",
    "signing_keys",
    "tag",
    "tags",
    "trust_root",
    "unset",
    "untag",
    "verify",
    "verify_observation",
    "verify_proof",
]

__version__: str

_T = TypeVar("_T")
_D = TypeVar("_D")

class KeyBase(Generic[_T]):
    """What `Key` is made of."""

    def __new__(cls, sector: Sector, name: str, type: type[_T] | str, /) -> Self: ...
    @overload
    def __call__(self) -> _T:
        """The current value. Raises `NotFound`, `NotReady`, `WrongType` or `Closed` where there is none."""

    @overload
    def __call__(self, default: _D) -> _T | _D:
        """The current value, or the default where there is none."""

    def try_get(self) -> tuple[_T | None, Reason]:
        """The value, and why it is there or not. A value beside `Reason.NOT_READY` is a declared default."""

    def allows(self, value: float, /) -> bool:
        """Whether a number lies in the range (`$min` to `$max`) that guards the key; false where the key has no value."""

    def is_a(self, ancestor: Key[Any], /) -> bool:
        """Whether this class is `ancestor` or descends from it. Both are keys of type "class" of one sector."""

    @property
    def path(self) -> str:
        """The sector and the name: "orders/max_qty"."""

    @property
    def sector(self) -> str:
        """The sector's name."""

    @property
    def name(self) -> str:
        """The name in the sector."""

    @property
    def type(self) -> str:
        """The type as documents name it: "i64", "list<string>"."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> Any: ...

@final
class Key(KeyBase[_T]):
    """A name of a sector, interned with its type. Calling it reads the current value."""

@final
class View:
    """One generation of all sectors. It stays readable, on any thread and across `await`, until it is closed or forgotten.

    A view that is kept open keeps its generation's memory.
    """

    @overload
    def __getitem__(self, key: Key[_T], /) -> _T:
        """The value under a key, or under a path "sector/name". Raises as calling the key does."""

    @overload
    def __getitem__(self, key: str, /) -> Any: ...
    @overload
    def get(self, key: Key[_T]) -> _T | None:
        """The value under a key or a path, or the default where there is none."""

    @overload
    def get(self, key: Key[_T], default: _D) -> _T | _D: ...
    @overload
    def get(self, key: str, default: Any = None) -> Any: ...
    def try_get(self, key: Key[_T], /) -> tuple[_T | None, Reason]:
        """As `Key.try_get`, in this generation."""

    def __contains__(self, key: object, /) -> bool: ...
    def lookup(self, map: Key[Any], name: str, default: Any = ...) -> Any:
        """The entry of a map by a name known only now. Raises `NotFound` where there is none and no default was given."""

    def allows(self, key: Key[Any], value: float, /) -> bool:
        """As `Key.allows`, in this generation."""

    def is_a(self, key: Key[Any], ancestor: Key[Any], /) -> bool:
        """As `Key.is_a`, in this generation."""

    def observe(
        self,
        key: Key[Any],
        value: float,
        outcome: int = 0,
        *,
        subject: int = 0,
        detail: int = 0,
        time_ns: int | None = None,
    ) -> bool:
        """As `Engine.observe`; the observation carries this generation."""

    @property
    def epoch(self) -> int:
        """The generation's number."""

    def snapshot_id(self, sector: str, /) -> str:
        """The content address of a sector's version in this generation."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def close(self) -> None:
        """Lets the generation go. Closing twice does nothing."""

    def _empty(self, value: object, /) -> None:
        """Takes one argument and does nothing: what a call into this module costs."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

@final
class Map:
    """An object of values in a view, looked up by name."""

    def __getitem__(self, name: str, /) -> Any: ...
    def get(self, name: str, default: Any = None) -> Any:
        """The entry, or the default where there is none."""

    def __contains__(self, name: str, /) -> bool: ...
    @property
    def path(self) -> str:
        """The sector and the map's name."""

class Sector:
    """What `knhk.Sector` is made of."""

    def __new__(cls, engine: Engine, name: str, /) -> Self: ...
    @property
    def name(self) -> str:
        """Its name."""

    def rollback(self, version: int, *, by: str = "", why: str = "") -> Version:
        """Makes a retained version's content current again, as a new version. Raises `NotFound`, `StorageError`."""

    def emergency_rollback(self, version: int, *, by: str = "", why: str = "") -> Version:
        """`rollback` that takes effect before anything is written, and also where nothing can be, on a full disk for instance: the
        next open honours its intent. The log says whether it could be recorded. Raises `NotFound`."""

    def history(self) -> list[Version]:
        """The retained versions, oldest first."""

    def export(self, version: int | None = None, *, format: Format = "json") -> str:
        """A retained version, or the current one, as text that imports to the same knowledge, and is the same for the same knowledge."""

    def validate(self) -> Report:
        """Validates the current knowledge against its shapes. Raises `NotReady` before the first promotion."""

    def diff(self, before: int, after: int, /) -> StatementDiff:
        """What leads from one retained version to another. Raises `NotFound`."""

    def prove(self, statement: str, /) -> bytes:
        """The proof that the current version says a statement, given as N-Triples, for `verify_proof`. Raises `NotFound` where it does
        not say it, `InvalidDocument` for what is no statement."""

    def keys(self) -> list[KeyInfo]:
        """The values of the current document, or of the declared one before the first promotion."""

    def wait_ready(self, timeout: float | None = None) -> None:
        """Waits until the first promotion. Raises `TimedOut` after `timeout` seconds, `Closed`."""

    def _promote_json(self, json: str, by: str, why: str, major: bool, /) -> Version: ...
    def _promote_image(self, image: bytes, by: str, why: str, major: bool, /) -> Version: ...
    def _promote_rdf(self, text: bytes, format: str, by: str, why: str, major: bool, /) -> Version: ...
    def _promote_delta(
        self, remove: bytes, add: bytes, format: str, by: str, why: str, major: bool, /
    ) -> Version: ...
    def _validate_rdf(self, text: bytes, format: str, /) -> Report: ...
    def _validate_delta(self, remove: bytes, add: bytes, format: str, /) -> Report: ...
    def _declare_json(self, json: str, /) -> None: ...

class Engine:
    """What `knhk.Engine` is made of."""

    def __new__(cls, location: str, /, **settings: Any) -> Self: ...
    def sectors(self) -> list[SectorInfo]:
        """All sectors, in the order of their creation."""

    def dump(self) -> str:
        """All sectors' documents as one JSON object."""

    def view(self) -> View:
        """Holds the newest generation, for several reads that belong together: `with engine.view() as view`."""

    def observe(
        self,
        key: Key[Any],
        value: float,
        outcome: int = 0,
        *,
        subject: int = 0,
        detail: int = 0,
        time_ns: int | None = None,
    ) -> bool:
        """Appends what happened to this thread's ring: the value, an `Outcome` or a number of the program's own from 256 on, whom it
        concerns (a hash), a word of its own, and when (nanoseconds since the Unix epoch; left out, the engine's clock).

        Returns false, and counts it, where the ring is full: nothing blocks.
        """

    def drain(self, max: int = 65_536) -> list[Observation]:
        """Takes up to `max` observations out of the threads' rings, each thread's in its order."""

    def subscribe(self, callback: Callable[[Change], object], /) -> Subscription:
        """Calls `callback` for every change from now on, in order, on the engine's warm thread. It may call the engine.

        An exception goes to the logger "knhk". Close the subscription, or the engine, to end it: until then it keeps the callback.
        """

    def changes_since(self, epoch: int, /) -> list[Change]:
        """The changes after a generation, oldest first; the engine remembers the last 256."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when something changed, for `select`: read 8 bytes to arm it again, then ask
        `changes_since`. It is the engine's: do not close it.
        """

    def advance_time(self, by: float, /) -> int:
        """Moves the clock of an engine that was opened with `manual_time`, in seconds; the moment that it shows then, in nanoseconds."""

    @property
    def version(self) -> int:
        """The newest generation's number: it grows with every change."""

    def report_hot(self, took: float, /) -> None:
        """Tells what an operation of the hot path took, in seconds, or the mean of a batch of them.

        While the mean of what was told is beyond the setting `hot_budget`, the engine's own work but the most urgent waits, and so do executors that
        were made known (`knhk.warm.Executor.add_to`), for 10 ms after the latest report at most. Any thread; it waits for nothing.
        """

    @property
    def hot_mean(self) -> float:
        """The mean of what `report_hot` was told, in seconds, the latest weighing an eighth."""

    def stats(self) -> Stats:
        """Figures since the engine was opened."""

    @property
    def location(self) -> str:
        """Where it was opened."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    def conflicts(self) -> list[IdentifierConflict]:
        """The identifiers that two sectors define differently."""

    def _create_sector(self, name: str, *, kind: str = "direct") -> None: ...
    def _create_shipped_sector(self, name: str, *, kind: str = "direct") -> None: ...
    def _compile_json(self, json: str, /) -> bytes: ...
    def _close(self) -> None: ...

@final
class ValidationResult:
    """One result of a validation. Terms are written as in Turtle."""

    @property
    def severity(self) -> Literal["info", "warning", "violation"]: ...
    @property
    def focus(self) -> str:
        """What it is about: the focus node."""

    @property
    def path(self) -> str | None:
        """The path from there; `None` where the focus node itself is meant."""

    @property
    def value(self) -> str | None:
        """The value at fault; `None` where none in particular is."""

    @property
    def component(self) -> str:
        """The constraint component, as an IRI."""

    @property
    def shape(self) -> str:
        """The shape that was broken."""

    @property
    def message(self) -> str:
        """A sentence for people."""

@final
class Report:
    """What a validation found. It is true when the knowledge conforms; its text is for people."""

    @property
    def conforms(self) -> bool: ...
    @property
    def results(self) -> list[ValidationResult]: ...
    def to_rdf(self, format: Format = "turtle") -> str:
        """The report in the vocabulary of SHACL."""

    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...

@final
class StatementDiff:
    """What leads from one version to another: statements of N-Triples, sorted. Its text has a line for each, after "- " or "+ "."""

    @property
    def removed(self) -> list[str]: ...
    @property
    def added(self) -> list[str]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class IdentifierConflict:
    """An identifier that two sectors define differently. Its text is for people."""

    @property
    def identifier(self) -> str: ...
    @property
    def first(self) -> str:
        """A sector that defines it."""

    @property
    def second(self) -> str:
        """Another one."""

    @property
    def message(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def verify_proof(snapshot_id: str, proof: bytes, statement: str, /) -> None:
    """Checks a proof that `Sector.prove` made, here or elsewhere, against a content address (`Version.snapshot_id`). It needs no engine.

    Raises `Unproven` where the proof does not show that the version says it.
    """

@final
class Subscription:
    """A callback's registration."""

    def close(self) -> None:
        """Ends it. When this returns, the callback is not running and never runs again, unless it was called from the callback."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

@final
class Difference:
    """What a change did to one path. Its text is for people: "max_qty 1200 → 1000"."""

    @property
    def path(self) -> str: ...
    @property
    def old(self) -> str | None:
        """The value before, as text; `None` for a new one."""

    @property
    def new(self) -> str | None:
        """The value after, as text; `None` for one that is gone."""

    @property
    def text(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Phases:
    """What each phase of a promotion took, in nanoseconds."""

    @property
    def parse_ns(self) -> int: ...
    @property
    def verify_ns(self) -> int: ...
    @property
    def compile_ns(self) -> int: ...
    @property
    def journal_ns(self) -> int: ...
    @property
    def swap_ns(self) -> int: ...
    @property
    def total_ns(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Version:
    """An entry of a sector's history."""

    @property
    def version(self) -> int:
        """Counts the sector's promotions and rollbacks from 1."""

    @property
    def snapshot_id(self) -> str:
        """The content address, in hexadecimal digits."""

    @property
    def epoch(self) -> int:
        """The generation of all sectors in which it became current."""

    @property
    def time_ns(self) -> int:
        """When, in nanoseconds since the Unix epoch."""

    @property
    def by(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def rollback_of(self) -> int | None:
        """The version whose content this one brings back."""

    @property
    def parent(self) -> int | None:
        """The version that it took the place of."""

    @property
    def receipt(self) -> str | None:
        """The id of its receipt, for `Engine.receipt`; none in memory without a signer."""

    @property
    def differences(self) -> list[Difference]:
        """What changed against the version before."""

    @property
    def phases(self) -> Phases: ...

@final
class Change:
    """A change that became current. Its text says who, what and why."""

    @property
    def sector(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def snapshot_id(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def time_ns(self) -> int: ...
    @property
    def by(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def rollback_of(self) -> int | None: ...
    @property
    def differences(self) -> list[Difference]: ...
    @property
    def missed(self) -> int:
        """Changes that this subscriber missed before this one, because it fell behind."""

    @property
    def summary(self) -> str: ...
    def _with_missed(self, missed: int, /) -> Change: ...

@final
class KeyInfo:
    """A key, as enumerated."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def doc(self) -> str | None: ...
    @property
    def display(self) -> str:
        """The value and its range as people write them."""

@final
class SectorInfo:
    """A sector, as enumerated."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def ready(self) -> bool: ...
    @property
    def version(self) -> int: ...
    @property
    def snapshot_id(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def keys(self) -> int: ...

@final
class Observation:
    """An observation, as drained."""

    @property
    def key(self) -> str | None:
        """The key's path; `None` for a key that was not interned through this engine object."""

    @property
    def value(self) -> bool | int | float: ...
    @property
    def outcome(self) -> int: ...
    @property
    def subject(self) -> int: ...
    @property
    def detail(self) -> int: ...
    @property
    def time_ns(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def reader(self) -> int: ...
    @property
    def sequence(self) -> int:
        """Its number in its reader's ring, from 0, without gaps."""

@final
class Stats:
    """Figures of an engine since it was opened."""

    @property
    def sectors(self) -> int: ...
    @property
    def promotions(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def missed_changes(self) -> int: ...
    @property
    def damaged_versions(self) -> int:
        """Stored versions that were damaged and passed over when the engine was opened."""

    @property
    def epoch(self) -> int: ...
    @property
    def readers(self) -> int: ...
    @property
    def retained_roots(self) -> int: ...
    @property
    def retained_bytes(self) -> int: ...
    @property
    def cold_reads(self) -> int: ...
    @property
    def observed(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def fence_mode(self) -> bool: ...
    @property
    def reclaim_batches(self) -> int: ...
    @property
    def reclaimed_roots(self) -> int: ...
    @property
    def reaped(self) -> int: ...
    @property
    def pool_bytes(self) -> int: ...

def end_callbacks() -> bool: ...
def after_fork_in_child() -> None: ...

@final
class Signer:
    """A key that signs (Ed25519), here or elsewhere. Its text shows the public part alone."""

    @staticmethod
    def generate() -> Signer:
        """A new key, in memory alone: see `save`. Raises `SigningFailed` when the system gives no random bytes."""

    @staticmethod
    def load(path: str | os.PathLike[str], /) -> Signer:
        """A key from a file that nobody but its owner may touch: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits.

        Raises `KeyFileError`, whose text quotes nothing of it.
        """

    @staticmethod
    def from_seed(seed: bytes, /) -> Signer:
        """The key of a seed of 32 bytes (RFC 8032's private key)."""

    @staticmethod
    def delegated(public_key: bytes, sign: Callable[[bytes], bytes], /) -> Signer:
        """A key that is held elsewhere: an HSM, a KMS, another process. `sign` gets a message and returns the 64 bytes of its signature.

        It is called on whichever thread records something, one call at a time; until it returns, no receipt is written and nothing is
        promoted, and it must not call the engine. Each signature is checked. What it raises fails the call that wanted to record, with
        `SigningFailed`.
        """

    def sign(self, message: bytes, /) -> bytes:
        """The signature of a message, 64 bytes: for a program that holds a key on behalf of an engine elsewhere."""

    def save(self, path: str | os.PathLike[str], /) -> None:
        """Writes the key to a new file as PKCS#8 PEM that only its owner may read. Raises `KeyFileError`, also where it is held elsewhere."""

    @property
    def public_key(self) -> bytes:
        """The public part, 32 bytes."""

@final
class Receipt:
    """A receipt: a signed statement of one operation, at its place in the log."""

    @property
    def number(self) -> int:
        """Its place in the log, from 0."""

    @property
    def id(self) -> str:
        """Its id, which sorts by time."""

    @property
    def time_ns(self) -> int:
        """When, in nanoseconds since 1970 (UTC)."""

    @property
    def sector(self) -> str | None:
        """The sector that it is about; none: the engine."""

    @property
    def kind(self) -> str:
        """What happened, such as "snapshot promoted"."""

    @property
    def outcome(self) -> str:
        """How it ended: "approved", "rejected", "pending"."""

    @property
    def evidence(self) -> dict[str, Any]:
        """What it states, field by field; bytes as hexadecimal digits."""

    @property
    def links(self) -> list[str]:
        """Ids of receipts of other sectors that belong to the same operation."""

    @property
    def statement(self) -> bytes:
        """The statement as it was signed (COSE_Sign1, RFC 9052)."""

    @property
    def leaf(self) -> bytes:
        """Its leaf of the Merkle log: SHA-256(0x00 || statement)."""

@final
class SigningKey:
    """A key that signs, or signed."""

    @property
    def number(self) -> int:
        """Which key, from 0: the first one is the trust root's, each other one took over from the one before."""

    @property
    def id(self) -> str:
        """What statements name it by: the first 8 bytes of its SHA-256, in hexadecimal digits."""

    @property
    def key(self) -> bytes:
        """The public key (Ed25519), 32 bytes."""

    @property
    def from_receipt(self) -> int:
        """The first receipt that it may sign."""

    @property
    def time_ns(self) -> int:
        """Since when, in nanoseconds since 1970 (UTC)."""

    @property
    def current(self) -> bool:
        """Whether it signs now."""

    def __hash__(self) -> int: ...

@final
class Verified:
    """A log and a history that are whole."""

    @property
    def receipts(self) -> int: ...
    @property
    def keys(self) -> int:
        """Keys that signed them."""

    @property
    def checkpoints(self) -> int:
        """Checkpoints that were stored."""

    @property
    def observations(self) -> int:
        """Observations whose hashes lead to the roots that were signed."""

    @property
    def dropped(self) -> int:
        """Observations that retention dropped; their batches' receipts are there."""

    @property
    def versions(self) -> int:
        """Versions whose receipts state them and whose content has its address."""

    @property
    def snapshots(self) -> int:
        """Different snapshots among them."""

    @property
    def other_core(self) -> int:
        """Versions among them that were made with another core ontology than this library's: they are as they were signed."""

    @property
    def first_ns(self) -> int:
        """The first receipt's time, in nanoseconds since 1970 (UTC)."""

    @property
    def last_ns(self) -> int:
        """The last receipt's time."""

    @property
    def root(self) -> str:
        """The Merkle root over all receipts, in hexadecimal digits."""

    def __hash__(self) -> int: ...

@final
class Progress:
    """How far something long is. What does not apply is 0."""

    @property
    def done(self) -> int:
        """Receipts verified, or pages of the store copied."""

    @property
    def total(self) -> int:
        """How many there are, as far as known now."""

    @property
    def observations(self) -> int:
        """Observations verified."""

    @property
    def versions(self) -> int:
        """Versions verified."""

@final
class LogEntry:
    """A version, as the log tells it."""

    @property
    def version(self) -> int: ...
    @property
    def snapshot_id(self) -> str:
        """The content address, in hexadecimal digits."""

    @property
    def parents(self) -> list[int]:
        """The versions that it came from; none also where it is no longer kept."""

    @property
    def epoch(self) -> int:
        """The generation of all sectors in which it became current."""

    @property
    def time_ns(self) -> int:
        """When, in nanoseconds since 1970 (UTC)."""

    @property
    def by(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def major(self) -> bool:
        """Whether it was declared incompatible with the one before."""

    @property
    def rollback_of(self) -> int | None:
        """The version whose content it brought back."""

    @property
    def receipt(self) -> str | None:
        """The id of its receipt."""

    @property
    def tags(self) -> list[str]:
        """Its tags, sorted."""

    @property
    def retained(self) -> bool:
        """Whether its content is still kept; its receipt is in any case."""

    def __hash__(self) -> int: ...

@final
class Tag:
    """A name for a version."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def time_ns(self) -> int:
        """When it was set, in nanoseconds since 1970 (UTC)."""

    @property
    def by(self) -> str:
        """Who set it."""

    def __hash__(self) -> int: ...

def receipts(
    engine: Engine, first: int, end: int | None, sector: str | None, kind: str | None, newest_first: bool, limit: int | None, /
) -> list[Receipt]: ...
def receipt(engine: Engine, id_or_number: str, /) -> Receipt: ...
def prove_receipt(engine: Engine, id_or_number: str, /) -> bytes: ...
def prove_consistency(engine: Engine, earlier: int, /) -> bytes: ...
def checkpoint(engine: Engine, /) -> str: ...
def trust_root(engine: Engine, /) -> str | None: ...
def verify(engine: Engine, checkpoint: str | None, without_observations: bool, progress: Telling | None, /) -> Verified: ...
def signing_keys(engine: Engine, /) -> list[SigningKey]: ...
def rotate_key(engine: Engine, signer: Signer | None, /) -> Receipt: ...
def prune(engine: Engine, /) -> int: ...
def as_of_moment(engine: Engine, time_ns: int, /) -> View: ...
def backup(engine: Engine, path: str | os.PathLike[str], progress: Telling | None, /) -> None: ...
def restore(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    trust_root: str | None,
    checkpoint: str | None,
    progress: Telling | None,
    /,
) -> Verified: ...
def log(sector: Sector, before: int | None, limit: int | None, /) -> list[LogEntry]: ...
def resolve(sector: Sector, reference: str, /) -> int: ...
def tag(sector: Sector, name: str, reference: str, by: str, /) -> int: ...
def untag(sector: Sector, name: str, by: str, /) -> None: ...
def tags(sector: Sector, /) -> list[Tag]: ...
def as_of(sector: Sector, reference: str, /) -> View: ...

def govern(
    engine: Engine,
    verb: str,
    request: str,
    progress: Callable[[str, str, str | None], object] | None = None,
    /,
) -> str: ...
def govern_offline(verb: str, request: str, /) -> str: ...
def set_function(
    engine: Engine, role: str, name: str, function: Callable[[str, View], bool | str | None], severity: str, /
) -> None: ...
def set_condition(engine: Engine, name: str, condition: str, severity: str, /) -> None: ...
def set_workload(engine: Engine, sector: str, name: str, work: Callable[[View], object], /) -> None: ...
def unset(engine: Engine, role: str, name: str, sector: str, /) -> bool: ...
def render_report(report: str, /) -> str: ...

def add_proposer(engine: Engine, name: str, callable: Callable[[str], str | None], /) -> None: ...
def remove_proposer(engine: Engine, name: str, /) -> bool: ...
def add_detector(engine: Engine, name: str, factory: Callable[[str, str], Callable[[str], str | None]], /) -> None: ...
def remove_detector(engine: Engine, name: str, /) -> bool: ...
def add_hook(engine: Engine, phase: str, when: str, callable: Callable[[str], object], /) -> int: ...
def remove_hook(engine: Engine, number: int, /) -> bool: ...

class ScopeBase:
    """What `knhk.resilience.Scope` is made of."""

    def __new__(cls, clock: Literal["system", "cached", "manual"] = "system", *, engine: Engine | None = None) -> Self: ...
    def now(self) -> float:
        """The time of its clock, in seconds since a zero of its own."""

    def advance(self, by: float) -> None:
        """Moves a manual clock forward, in seconds."""

    def counters(self) -> dict[str, int]:
        """What its policies counted."""

    def _subscribe(self, callback: Callable[..., object]) -> Listener: ...

@final
class Listener:
    """A callback's registration. It ends when it is closed or forgotten."""

    def close(self) -> None:
        """Ends it: when this returns, the callback is not running, unless this is called from it."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_raised: object) -> None: ...

@final
class TakenCheckpoint:
    """A checkpoint that was taken."""

    @property
    def number(self) -> int:
        """Its number; each next one is greater."""

    @property
    def full(self) -> bool:
        """Whether it stands alone."""

    @property
    def bytes(self) -> int:
        """Its bytes, as they are kept."""

    @property
    def state_bytes(self) -> int:
        """Bytes of the components' states."""

    @property
    def digest(self) -> builtins.bytes:
        """Its SHA-256."""

    @property
    def frozen(self) -> float:
        """How long the components held still, in seconds."""

    @property
    def took(self) -> float:
        """How long it took in all, in seconds."""

@final
class RestoredCheckpoint:
    """A checkpoint that was restored."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def time_ns(self) -> int:
        """When it was taken, in nanoseconds since 1970 (UTC)."""

    @property
    def digest(self) -> bytes:
        """Its SHA-256."""

    @property
    def skipped(self) -> list[tuple[int, str]]:
        """Newer ones that are damaged, or that a component refused: number and why."""

    @property
    def absent(self) -> list[str]:
        """Components that it has no state of; they are as they were."""

    @property
    def unknown(self) -> list[str]:
        """Components whose state it has and that are not there."""

@final
class KeptCheckpoint:
    """A checkpoint that is kept."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def full(self) -> bool:
        """Whether it stands alone."""

    @property
    def bytes(self) -> int:
        """Its bytes."""

    @property
    def time_ns(self) -> int:
        """When it was taken, in nanoseconds since 1970 (UTC); 0 where it cannot be read."""

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted."""

    @property
    def damage(self) -> str | None:
        """Why it cannot be restored, as far as can be told without its key."""

class CheckpointsBase:
    """What `knhk.resilience.Checkpoints` is made of."""

    def __new__(
        cls,
        name: str,
        engine: Engine | None,
        folder: str | os.PathLike[str] | None,
        scope: ScopeBase | None,
        chain: int | None,
        chains: int | None,
        level: int | None,
        limit: int | None,
        keys: list[bytes],
    ) -> Self: ...
    @property
    def name(self) -> str:
        """The name that they are under."""

    @property
    def components(self) -> list[str]:
        """The names of the components, in the order in which they hold still."""

    def _add(
        self,
        name: str,
        save: Callable[[], bytes],
        load: Callable[[bytes], object],
        freeze: Callable[[], object] | None,
        thaw: Callable[[], object] | None,
    ) -> None: ...
    def remove(self, name: str, /) -> bool:
        """Removes a component, which the next checkpoint does not have; whether it was there."""

    def take(self, *, full: bool = False) -> TakenCheckpoint:
        """Takes a checkpoint: what changed since the last one, or everything where a full one is due or asked for.

        Raises `SystemFailure` with what a component raised, `LimitExceeded`, `StorageError`; nothing was kept then.
        """

    def restore(self) -> RestoredCheckpoint:
        """Restores the newest checkpoint that is whole; the components hold still while they load.

        Raises `NotFound` where there is none, and no component was touched; `Corrupt` where none is whole, with the reason of each.
        """

    def kept(self) -> list[KeptCheckpoint]:
        """What is kept, oldest first, each read and checked."""

    def start(self, interval: float = 1.0, *, share: float = 0.05) -> None:
        """Takes one in an interval, in seconds, on a thread of its own, for at most a share of the time. Raises `Busy` where it does already."""

    def stop(self) -> None:
        """Ends that, once the one that is under way has ended."""

    def close(self) -> None:
        """Ends the use of them; what is kept stays. They can be opened anew then."""

class PolicyBase:
    """What the classes of `knhk.resilience` are made of."""

    def __new__(
        cls,
        kind: str,
        name: str,
        settings: list[tuple[str, float]],
        scope: ScopeBase,
        policies: list[Any],
        levels: list[tuple[str, float, float, float, float, list[str]]],
        strategies: list[tuple[str, int, Callable[[str, str], object]]],
    ) -> Self: ...
    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """ "breaker", "token_bucket" and so on."""

    @property
    def state(self) -> str:
        """The state in a word or two: "closed", "half-open", a level's name; empty for what has none."""

    def figures(self) -> dict[str, float]:
        """What it counts and measures at present."""

    def parameters(self) -> list[Parameter]:
        """What can be retuned, as it stands. Times are in milliseconds here, and their names end in "_ms"."""

    def add_to(self, engine: Engine, sector: str | None = None) -> None:
        """Has an engine list it. With a sector, the values under `resilience/<policy>/<parameter>` there retune it, at once and with
        each promotion and rollback; what a version does not state is as the program made it."""

    def force_open(self) -> None:
        """Opens a breaker until it is closed by hand."""

    def close(self) -> None:
        """Closes a breaker, with nothing remembered."""

    def disable(self) -> None:
        """Has a breaker admit everything and remember nothing until it is closed by hand."""

    def switch(self, on: bool) -> None:
        """Switches chaos on or off."""

    def load(self, load: float) -> None:
        """Tells a shedder or a degradation the load; 1 is the capacity."""

    def pin(self, level: int | None) -> None:
        """Holds a level of a degradation whatever the load is; None lets go."""

    def is_on(self, feature: str) -> bool:
        """Whether a degradation's feature is on."""

    def depend(self, name: str, on: str) -> None:
        """Says that a component of a health monitor depends on another."""

    def _level(self) -> int: ...
    def _retune(self, settings: list[tuple[str, float]]) -> None: ...
    def _document(self) -> str: ...
    def _enter(self, priority: int, timeout: float | None, tokens: int) -> Permit: ...
    def _recover(self, component: str, what: str) -> tuple[str | None, list[tuple[str, str]]]: ...
    def _retry_begin(self) -> tuple[int, int]: ...
    def _retry_decide(
        self, attempts: tuple[int, int], permanent: bool, retry_after: float | None, left: float | None
    ) -> tuple[tuple[int, int], float | None, str]: ...
    def _hedge_begin(self) -> HedgedCall: ...
    def _hedge_wait(self, call: HedgedCall) -> float | None: ...
    def _hedge_send(self, call: HedgedCall) -> int | None: ...
    def _hedge_finish(self, call: HedgedCall, copy: int, outcome: str) -> str: ...
    def _health_add(self, name: str, weight: float, needs: list[str]) -> int: ...
    def _health_report(self, component: int, health: float) -> None: ...
    def _health_check(self, component: int, check: Callable[[], float]) -> None: ...
    def _health_poll(self) -> HealthReport: ...
    def _health_start(self, interval: float) -> None: ...
    def _health_stop(self) -> None: ...

@final
class HedgedCall:
    """A hedged call's copies."""

@final
class Permit:
    """An admitted call."""

    def finish(self, outcome: str = "success") -> bool:
        """Tells how the call ended: "success", "failure" or "ignored". False where that was taken for something else: a success
        beyond the deadline is a failure."""

    @property
    def left(self) -> float | None:
        """Seconds until the call is to be over; None without a deadline."""

    @property
    def is_to_fail(self) -> bool:
        """Whether chaos wants the call to fail without being made."""

@final
class Parameter:
    """A parameter of a policy, as it stands."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def is_whole(self) -> bool: ...
    @property
    def what(self) -> str: ...

@final
class ComponentReport:
    """A component's health at one moment."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def health(self) -> float: ...
    @property
    def age(self) -> float | None: ...
    @property
    def explained_by(self) -> list[str]: ...

@final
class HealthReport:
    """A system's health at one moment; its text is for people."""

    @property
    def availability(self) -> float: ...
    @property
    def system(self) -> str: ...
    @property
    def components(self) -> list[ComponentReport]: ...
    @property
    def text(self) -> str: ...

@final
class PolicyInfo:
    """A policy that an engine knows."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def sector(self) -> str | None: ...
    @property
    def version(self) -> int: ...
    @property
    def refused(self) -> str | None: ...
    @property
    def state(self) -> str: ...
    @property
    def text(self) -> str: ...

def policies(engine: Engine) -> list[PolicyInfo]:
    """The policies that an engine knows."""

def remove_policy(engine: Engine, name: str) -> bool:
    """Has an engine forget a policy; False when there is none of that name."""

def retry_after(value: str) -> float | None:
    """What a `Retry-After` header asks for, in seconds; None when it is neither seconds nor a date."""

@final
class Counts:
    """How many observations, and how they ended."""

    @property
    def count(self) -> int:
        """All of them."""

    @property
    def unspecified(self) -> int: ...

    @property
    def success(self) -> int: ...

    @property
    def rejected(self) -> int: ...

    @property
    def error(self) -> int: ...

    @property
    def timeout(self) -> int: ...

    @property
    def own(self) -> int:
        """Those with a code of the program's own."""

    @property
    def mismatched(self) -> int:
        """Those whose value is not of the type or range that the ontology declares."""

@final
class Figures:
    """What a window's observations add up to; None where there is no data."""

    @property
    def seconds(self) -> float:
        """What they are over: the window, or less while it is not full."""

    @property
    def counts(self) -> Counts: ...

    @property
    def rate(self) -> float:
        """Observations a second."""

    @property
    def failure_share(self) -> float | None:
        """The share of those whose outcome is not success, in %."""

    @property
    def sum(self) -> float | None: ...

    @property
    def mean(self) -> float | None: ...

    @property
    def min(self) -> float | None: ...

    @property
    def max(self) -> float | None: ...

    @property
    def p50(self) -> float | None:
        """The median; quantiles are within 1 %."""

    @property
    def p90(self) -> float | None: ...

    @property
    def p99(self) -> float | None: ...

    @property
    def p999(self) -> float | None: ...

@final
class Aggregate:
    """What the observations under a key, of a kind, add up to."""

    @property
    def key(self) -> str | None:
        """Its path; None for what came beyond the limit of series."""

    @property
    def kind(self) -> str | None: ...

    @property
    def unit(self) -> str | None: ...

    @property
    def window(self) -> Figures:
        """The window that ends now."""

    @property
    def total(self) -> Counts:
        """Since the engine was opened."""

@final
class Objective:
    """How a service level objective stands."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str:
        """The kind that it is about."""

    @property
    def aggregate(self) -> str:
        """What is computed: "failure_share", "p99" and so on."""

    @property
    def bound(self) -> str:
        """"at most" or "at least"."""

    @property
    def parameter(self) -> str:
        """The parameter that is the limit."""

    @property
    def limit(self) -> float | None: ...

    @property
    def window(self) -> int:
        """In seconds."""

    @property
    def value(self) -> float | None:
        """The value now; None where there is no data."""

    @property
    def met(self) -> bool | None:
        """Whether it holds; None where there is no data, or no limit."""

    @property
    def burn(self) -> float | None:
        """How much of what is allowed is used up; above 1 it is broken."""

    @property
    def figures(self) -> Figures: ...

@final
class Segment:
    """A batch of observations of one sector that became durable under one receipt."""

    @property
    def number(self) -> int: ...

    @property
    def sector(self) -> str: ...

    @property
    def first_ns(self) -> int: ...

    @property
    def last_ns(self) -> int: ...

    @property
    def count(self) -> int: ...

    @property
    def root(self) -> str:
        """The Merkle root over them (RFC 9162), in hexadecimal digits."""

    @property
    def receipt(self) -> int | None:
        """The number of its receipt."""

    def __hash__(self) -> int: ...

@final
class KeptObservation:
    """An observation that was kept."""

    @property
    def sector(self) -> str: ...

    @property
    def key(self) -> str | None: ...

    @property
    def value(self) -> int | float | bool | None: ...

    @property
    def outcome(self) -> int: ...

    @property
    def subject(self) -> int: ...

    @property
    def detail(self) -> int: ...

    @property
    def time_ns(self) -> int: ...

    @property
    def epoch(self) -> int:
        """The generation in which it was made."""

@final
class ObserveStats:
    """Figures of what drains the rings, since the engine was opened."""

    @property
    def drained(self) -> int: ...

    @property
    def persisted(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def unattributed(self) -> int: ...

    @property
    def lost(self) -> int: ...

    @property
    def segments(self) -> int: ...

    @property
    def stored_bytes(self) -> int: ...

    @property
    def pruned(self) -> int: ...

    @property
    def held_bytes(self) -> int: ...

    @property
    def failing(self) -> str | None:
        """Why observations cannot be stored now, if so."""

def aggregates(sector: Sector, /) -> list[Aggregate]: ...
def objectives(sector: Sector, /) -> list[Objective]: ...
def flush_observations(engine: Engine, /) -> None: ...
def observe_stats(engine: Engine, /) -> ObserveStats: ...
def segments(engine: Engine, sector: str | None, first: int, limit: int | None, /) -> list[Segment]: ...
def observations(engine: Engine, segment: int, /) -> list[KeptObservation]: ...
def prove_observation(engine: Engine, segment: int, index: int, /) -> tuple[bytes, bytes]: ...
def verify_observation(engine: Engine, record: bytes, proof: bytes, /) -> None: ...

@final
class Run:
    """A run, as the function that is being called sees it; `knhk.warm.current_run` has it. Once the slice is over it says that it was cancelled."""

    def should_yield(self) -> bool:
        """Whether to give way: the budget is used up, the run was cancelled, the executor is paused, or the hot path is over its budget."""

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled, or the executor gives up what runs."""

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""

    @property
    def slice(self) -> int:
        """Which slice of the run this is, from 0."""

@final
class ExecutorBase:
    """What `knhk.warm.Executor` stands on."""

    def __new__(
        cls,
        name: str,
        threads: int,
        capacity: int,
        horizon: float,
        notice: Callable[[str, str, str], object] | None,
    ) -> Self: ...
    def task(self, name: str, priority: int, budget: float, drop_late: bool) -> TaskBase: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stats(self) -> tuple[list[int], int, bool, tuple[float, float, float, int, float | None, bool]]: ...
    def tasks(self) -> list[tuple[str, int, int, tuple[int, int, int, int], tuple[float, float, float]]]: ...
    def counters(self) -> dict[str, int]: ...
    def add_to(self, engine: Engine) -> None: ...
    def end(self, drain: float, cancel: float) -> tuple[int, list[str]] | None: ...

def executors(
    engine: Engine,
) -> list[
    tuple[
        str,
        tuple[list[int], int, bool, tuple[float, float, float, int, float | None, bool]],
        list[tuple[str, int, int, tuple[int, int, int, int], tuple[float, float, float]]],
    ]
]: ...

@final
class TaskBase:
    """What `knhk.warm.Task` stands on."""

    def submit(self, work: object, within: float | None) -> Ticket: ...
    def stats(self) -> tuple[str, int, int, tuple[int, int, int, int], tuple[float, float, float]]: ...

@final
class Ticket:
    """Stands for a run, whose place it keeps."""

    def cancel(self) -> bool: ...

@final
class ChannelBase:
    """What `knhk.warm.Channel` stands on."""

    @staticmethod
    def pair(window: int) -> tuple[ChannelBase, ChannelBase]: ...
    def send(self, message: Any, timeout: float | None) -> bool: ...
    def receive(self, timeout: float | None) -> tuple[Any] | None: ...
    def take(self, timeout: float | None) -> tuple[Any] | None: ...
    def done(self) -> None: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...
    def finish(self) -> None: ...
    def close(self) -> None: ...
    def is_closed(self) -> bool: ...
    def credit(self) -> int: ...
    def outgoing(self) -> tuple[int, int, int, int, bool]: ...
    def incoming(self) -> tuple[int, int, int, int, bool]: ...
    def fileno(self) -> int: ...
    def when(self, writable: bool, callback: Callable[[], object]) -> ChannelWaker: ...

@final
class ChannelWaker:
    """Who waits at a channel, until it is closed or forgotten."""

    def close(self) -> None: ...

@final
class GraphBase:
    """What `knhk.warm.Graph` stands on."""

    def __new__(cls, scope: ScopeBase | None) -> Self: ...
    def add(
        self,
        name: str,
        needs: list[str],
        start: Callable[[], object] | None,
        drain: Callable[[], object] | None,
        stop: Callable[[], object] | None,
        health: Callable[[], float] | None,
    ) -> None: ...
    def depend(self, name: str, on: str) -> None: ...
    def components(self) -> list[tuple[str, list[str]]]: ...
    def start(self, patience: float) -> tuple[tuple[list[tuple[str, str, str, float]], str, float], str | None]: ...
    def shutdown(self, drain: float, stop: float) -> tuple[list[tuple[str, str, str, float]], str, float]: ...
    def health(self) -> list[tuple[str, float, float, list[str]]]: ...
