"""What governance answers of changes that are tried before they are everyone's, and of the history: as types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ._governed import Proposal, _only, _proposal


@dataclass(frozen=True)
class Guard:
    """A boundary. What it draws is in `boundary`, as `docs/guards.md` has it: `chain`, `limit`, `interlock`, `residency`, `bound`, …"""

    id: str
    kind: Literal["approval_chain", "safety_interlock", "data_residency", "performance_bound", "compliance_rule"]
    criticality: Literal["low", "medium", "high", "critical"]
    sector: str | None = None
    doc: str = ""
    groups: list[str] = field(default_factory=list)
    longest_seconds: int | None = None
    boundary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guards:
    """The guards in force."""

    revision: int
    guards: list[Guard]


@dataclass(frozen=True)
class RuleRevision:
    """A rule as it was decided at a moment. `rule` is the rule itself, as `docs/doctrine.md` has it."""

    rule: dict[str, Any]
    revision: int
    decided_ns: int
    removed: bool
    by: str
    why: str

    @property
    def name(self) -> str:
        """`sector/id`, or `id` of a rule of every sector."""
        sector: str | None = self.rule.get("sector")
        return f"{sector}/{self.rule['id']}" if sector else str(self.rule["id"])


@dataclass(frozen=True)
class Violation:
    """A rule that a change broke; `overridden` where an approval let it pass."""

    rule: str
    sector: str
    proposal: str
    by: str
    time_ns: int
    severity: Literal["info", "warning", "blocker"]
    what: str
    overridden: bool


@dataclass(frozen=True)
class ValueDifference:
    """One path whose value, or what is said about it, differs. `str()` of it is for people."""

    path: str
    old: str | None
    new: str | None
    summary: str

    def __str__(self) -> str:
        return self.summary


@dataclass(frozen=True)
class TestOutcome:
    """What came of one test; `failed` says what does not hold."""

    __test__ = False

    name: str
    severity: Literal["info", "warning", "blocker"]
    failed: str | None
    duration_ns: int


@dataclass(frozen=True)
class TestReport:
    """What came of the tests of a sector in a shadow; "refused" where a blocker failed."""

    __test__ = False

    sector: str
    verdict: Literal["passed", "refused"]
    outcomes: list[TestOutcome]
    duration_ns: int

    def __bool__(self) -> bool:
        return self.verdict == "passed"


@dataclass(frozen=True)
class Shadow:
    """Where a change is tried. `differences` are by sector."""

    id: str
    by: str
    time_ns: int
    differences: dict[str, list[ValueDifference]]
    tested: list[TestReport] | None


@dataclass(frozen=True)
class Version:
    """A version that something led to."""

    sector: str
    version: int
    snapshot_id: str
    time_ns: int
    by: str
    why: str
    major: bool
    rollback_of: int | None
    receipt: str | None


@dataclass(frozen=True)
class ArmObjective:
    """A service level objective as it stands in an arm; `met` is `None` without data, which is no pass."""

    name: str
    value: float | None
    limit: float | None
    met: bool | None


@dataclass(frozen=True)
class Arm:
    """What was recorded in one arm. `outcomes`: unspecified, success, rejected, failed, timed out; `own`: those with codes of the program's own."""

    count: int
    outcomes: list[int]
    own: int
    failure_share: float | None
    objectives: list[ArmObjective]


@dataclass(frozen=True)
class Arms:
    """What was recorded of a sector while a canary ran; records without a subject belong to no arm."""

    sector: str
    current: Arm
    candidate: Arm
    without_subject: int


@dataclass(frozen=True)
class Canary:
    """A share of the subjects that reads what is to come."""

    id: str
    state: Literal["running", "adopted", "stopped", "cut_off"]
    proposal: str | None
    share: float
    by: str
    why: str
    time_ns: int
    arms: list[Arms]
    versions: list[Version]
    closed: dict[str, Any] | None


@dataclass(frozen=True)
class Schedule:
    """A change whose time is to come, or has come."""

    id: str
    state: Literal["waiting", "done", "failed", "cancelled"]
    proposal: str | None
    at: dict[str, Any]
    next_ns: int
    until_ns: int
    by: str
    why: str
    time_ns: int
    said: str
    versions: list[Version]
    closed: dict[str, Any] | None


@dataclass(frozen=True)
class Probationer:
    """A sector on probation."""

    sector: str
    version: int
    back_to: int
    objectives: list[ArmObjective]


@dataclass(frozen=True)
class Probation:
    """A promotion whose objectives are watched."""

    id: str
    state: Literal["watching", "held", "passed", "kept", "rolled_back", "superseded"]
    sectors: list[Probationer]
    since_ns: int
    until_ns: int
    said: str


@dataclass(frozen=True)
class MadeBy:
    """A version as the one that changed something."""

    version: int
    time_ns: int
    by: str
    why: str
    receipt: str


@dataclass(frozen=True)
class Conflict:
    """Something that both sides of a merge changed differently; statements are lines of N-Triples."""

    item: str
    what: str
    base: list[str]
    ours: list[str]
    theirs: list[str]
    ours_by: MadeBy | None
    theirs_by: MadeBy | None


@dataclass(frozen=True)
class Merge:
    """What came of a merge. `str()` of it is for people."""

    sector: str
    base: int | None
    ours: int
    theirs: int
    conflicts: list[Conflict]
    removed: list[str]
    added: list[str]
    text: str
    proposal: Proposal | None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Blamed:
    """A statement and the version that it came with."""

    statement: str
    path: str | None
    change: MadeBy
    or_earlier: bool


@dataclass(frozen=True)
class Culprit:
    """The first bad version. `or_one_of`: those that could not be told; `lost`: the first and the last of those not kept between."""

    change: MadeBy
    good: int
    or_one_of: list[int]
    lost: tuple[int, int] | None


_Data = Mapping[str, Any]


def _guards(data: _Data) -> Guards:
    return Guards(data["revision"], [_guard(guard) for guard in data.get("guard", [])])


def _guard(data: _Data) -> Guard:
    named = ("id", "kind", "criticality")
    optional: dict[str, Any] = {"sector": None, "doc": "", "groups": [], "longest_seconds": None}
    boundary = {name: value for name, value in data.items() if name not in named and name not in optional}
    said = {name: data.get(name, otherwise) for name, otherwise in optional.items()}
    return Guard(**{name: data[name] for name in named}, **said, boundary=boundary)


def _guard_said(guard: Guard) -> _Data:
    said = {"id": guard.id, "kind": guard.kind, "criticality": guard.criticality, "doc": guard.doc, "groups": guard.groups}
    optional = {"sector": guard.sector, "longest_seconds": guard.longest_seconds}
    return {**said, **{name: value for name, value in optional.items() if value is not None}, **guard.boundary}


def _rule(data: _Data) -> RuleRevision:
    return RuleRevision(**_only(RuleRevision, data))


def _violation(data: _Data) -> Violation:
    return Violation(**_only(Violation, data))


def _differences(data: Sequence[_Data]) -> list[ValueDifference]:
    return [ValueDifference(**_only(ValueDifference, one)) for one in data]


def _tested(data: Sequence[_Data]) -> list[TestReport]:
    def report(one: _Data) -> TestReport:
        outcomes = [TestOutcome(**_only(TestOutcome, outcome)) for outcome in one["report"]["outcomes"]]
        return TestReport(one["sector"], one["report"]["verdict"], outcomes, one["report"]["duration_ns"])

    return [report(one) for one in data]


def _shadow(data: _Data) -> Shadow:
    differences = {one["sector"]: _differences(one["differences"]) for one in data["differences"]}
    tested = data["tested"] and _tested(data["tested"])
    return Shadow(**{**_only(Shadow, data), "differences": differences, "tested": tested})


def _versions(data: Sequence[_Data]) -> list[Version]:
    return [Version(**_only(Version, {**one["version"], "sector": one["sector"]})) for one in data]


def _objectives(data: Sequence[_Data]) -> list[ArmObjective]:
    return [ArmObjective(**_only(ArmObjective, one)) for one in data]


def _arm(data: _Data) -> Arm:
    return Arm(**{**_only(Arm, data), "objectives": _objectives(data["objectives"])})


def _arms(data: _Data) -> Arms:
    return Arms(**{**_only(Arms, data), "current": _arm(data["current"]), "candidate": _arm(data["candidate"])})


def _canary(data: _Data) -> Canary:
    arms = [_arms(one) for one in data["arms"]]
    return Canary(**{**_only(Canary, data), "arms": arms, "versions": _versions(data["versions"])})


def _schedule(data: _Data) -> Schedule:
    return Schedule(**{**_only(Schedule, data), "versions": _versions(data["versions"])})


def _probation(data: _Data) -> Probation:
    sectors = [
        Probationer(**{**_only(Probationer, one), "objectives": _objectives(one["objectives"])})
        for one in data["sectors"]
    ]
    return Probation(**{**_only(Probation, data), "sectors": sectors})


def _made_by(data: _Data | None) -> MadeBy | None:
    return data and MadeBy(**_only(MadeBy, data)) or None


def _merge(data: _Data) -> Merge:
    conflicts = [
        Conflict(
            **{**_only(Conflict, one), "ours_by": _made_by(one["ours_by"]), "theirs_by": _made_by(one["theirs_by"])}
        )
        for one in data["conflicts"]
    ]
    proposal = data["proposal"] and _proposal(data["proposal"])
    return Merge(**{**_only(Merge, data), "conflicts": conflicts, "proposal": proposal})


def _blamed(data: _Data) -> Blamed:
    return Blamed(**{**_only(Blamed, data), "change": MadeBy(**_only(MadeBy, data["change"]))})


def _culprit(data: _Data) -> Culprit:
    lost = data["lost"] and (data["lost"][0], data["lost"][1])
    return Culprit(MadeBy(**_only(MadeBy, data["change"])), data["good"], data["or"], lost)
