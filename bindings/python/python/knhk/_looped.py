"""What the closed loop asks and answers: patterns, questions, plans, cycles, as types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ._governed import _only


@dataclass(frozen=True)
class Pattern:
    """Something in the observations that is not as it was."""

    watch: str
    sector: str
    detector: str
    concerns: str | None
    """The parameter that it concerns, where the watch names one."""
    confidence: float
    """1 - the probability of what was seen while nothing changed."""
    observed: float
    expected: float
    from_ns: int
    to_ns: int
    evidence: list[str]
    """Receipts of the observations that show it."""
    id: str = ""
    """Its own, where it was listed."""
    cycle: str | None = None
    """The cycle that it began or belongs to."""
    receipt: str | None = None


@dataclass(frozen=True)
class Parameter:
    """A parameter that a plan may change."""

    path: str
    value_type: Literal["bool", "i64", "f64", "string"]
    value: Any
    min: float | None = None
    max: float | None = None
    values: list[Any] = field(default_factory=list)
    """The only values that there are, where they are listed."""
    step: float | None = None
    """The largest change at once, as a share of the value."""
    unit: str | None = None
    doc: str | None = None


@dataclass(frozen=True)
class Plan:
    """Which parameters should have which values, and why."""

    changes: Mapping[str, Any]
    """New values, by path."""
    why: str
    confidence: float = 0.5
    """How sure the proposer is that it helps."""


@dataclass(frozen=True)
class Example:
    """A plan of the past, and what became of it: "kept", "rolled back: …", "refused: …"."""

    pattern: Pattern
    plan: Plan
    outcome: str


@dataclass(frozen=True)
class Question:
    """What a proposer is asked."""

    pattern: Pattern
    parameters: list[Parameter]
    doctrine: list[str]
    guards: list[str]
    invariants: list[str]
    examples: list[Example]
    refusals: list[str]

    def parameter(self, path: str) -> Parameter:
        """The parameter of that path. Raises `LookupError` where a plan may not change it."""
        for parameter in self.parameters:
            if parameter.path == path:
                return parameter
        raise LookupError(f"{path} is not among the parameters that may be changed")


@dataclass(frozen=True)
class Counts:
    """How many records, and how they ended."""

    count: int
    outcomes: list[int]
    """Those with each `Outcome`, in their order."""
    own: int
    """Those with a code of the program's own."""
    mismatched: int
    """Those whose value is not of the type or not in the range that the ontology declares."""


@dataclass(frozen=True)
class Sample:
    """What was recorded of the watched kind in one sample's time."""

    from_ns: int
    to_ns: int
    counts: Counts
    value: float | None = None
    """The watch's measure; none where it has none, or there is nothing to compute it of."""


@dataclass(frozen=True)
class Score:
    """What a detector says of a sample."""

    statistic: float
    """The more, the more unusual."""
    confidence: float
    """1 - the probability of such a statistic while nothing changed, 0 to 1."""
    expected: float


@dataclass(frozen=True)
class Cycle:
    """One way through the loop: from a pattern to what became of the plan for it."""

    id: str
    sector: str
    state: Literal["detected", "planned", "waiting", "watching", "closed"]
    pattern: Pattern
    said: str
    """How it stands, in a sentence."""
    started_ns: int
    outcome: Literal["kept", "rolled_back", "refused", "no_plan", "superseded", "interrupted"] | None = None
    proposer: str | None = None
    question: str | None = None
    """The digest of what the proposer was asked."""
    plan: Plan | None = None
    proposal: str | None = None
    versions: dict[str, int] = field(default_factory=dict)
    """The versions that it led to, by sector."""
    patterns: list[str] = field(default_factory=list)
    """All that belong to it, the first one first."""
    receipts: list[str] = field(default_factory=list)
    ended_ns: int | None = None

    def __str__(self) -> str:
        return f"cycle {self.id} of {self.sector}: {self.said}"


@dataclass(frozen=True)
class Difference:
    """Something that is not what was signed, or does not follow from what was recorded."""

    turn: int
    """0: of no single one."""
    what: str
    receipt: str
    """What is stated or recorded."""
    recomputed: str


@dataclass(frozen=True)
class Replayed:
    """Decisions that were computed anew, beside those of the receipts."""

    turns: int
    patterns: int
    decisions: int
    equal: bool
    differences: list[Difference]
    """The first 100."""
    missing: list[int]
    """Segments of observations that were dropped meanwhile."""
    left_out: list[str]
    """Turns that cannot be computed anew, because a version that they went by is not retained any more: a sentence each."""


@dataclass(frozen=True)
class Tally:
    """How often plans did well."""

    kept: int
    rolled_back: int
    refused: int
    rate: float | None
    """The share that was kept; none of none."""
    at_least: float
    """What that share is at least, with 97.5 % confidence."""


@dataclass(frozen=True)
class Knowledge:
    """What was learned, by watch, proposer and rule, and what refused plans."""

    watches: dict[str, Tally]
    proposers: dict[str, Tally]
    rules: dict[str, Tally]
    refusals: list[str]
    """What refused plans most often, a sentence each."""


@dataclass(frozen=True)
class WatchStatus:
    """A watch at work."""

    sector: str
    watch: str
    detector: str
    samples: int
    confidence_last: float | None
    """How unusual the last one was; none while there were too few."""


@dataclass(frozen=True)
class Forecast:
    """What is foretold of a watched series."""

    sector: str
    watch: str
    model: str
    """The one that foretells best now."""
    next: float | None
    """The next sample's value."""
    relative_error: float
    """Its mean absolute error over that of the naive forecast; 1: it is the naive one."""


@dataclass(frozen=True)
class Status:
    """What the loop is doing."""

    running: bool
    turns: int
    sectors: list[str]
    watches: list[WatchStatus]
    forecasts: list[Forecast]
    counters: dict[str, int]
    last_turn_ns: int
    """0 before the first one."""
    took_ns: int
    hooks_skipped: int
    callbacks_failed: int
    """Callbacks that raised or were late."""
    failed: str | None = None
    """Why the last turn did not come to its end, where it did not; it is tried again."""


@dataclass(frozen=True)
class HookInfo:
    """What a hook hears."""

    phase: Literal["monitor", "analyze", "plan", "execute", "learn"]
    when: Literal["before", "after"]
    turn: int
    now_ns: int
    sector: str | None = None
    cycle: Cycle | None = None
    """After learning: the one that was closed."""


def pattern(data: Mapping[str, Any]) -> Pattern:
    return Pattern(**_only(Pattern, data))


def plan(data: Mapping[str, Any]) -> Plan:
    return Plan(**{**_only(Plan, data), "changes": {change["path"]: change["value"] for change in data["changes"]}})


def question(data: Mapping[str, Any]) -> Question:
    def example(one: Mapping[str, Any]) -> Example:
        return Example(pattern(one["pattern"]), plan(one["plan"]), one["outcome"])

    return Question(
        **{
            **_only(Question, data),
            "pattern": pattern(data["pattern"]),
            "parameters": [Parameter(**_only(Parameter, parameter)) for parameter in data["parameters"]],
            "examples": [example(one) for one in data["examples"]],
        }
    )


def sample(data: Mapping[str, Any]) -> Sample:
    return Sample(**{**_only(Sample, data), "counts": Counts(**_only(Counts, data["counts"]))})


def cycle(data: Mapping[str, Any]) -> Cycle:
    planned = data.get("plan")
    return Cycle(**{**_only(Cycle, data), "pattern": pattern(data["pattern"]), "plan": planned and plan(planned)})


def replayed(data: Mapping[str, Any]) -> Replayed:
    differences = [Difference(**_only(Difference, one)) for one in data["differences"]]
    return Replayed(**{**_only(Replayed, data), "differences": differences})


def knowledge(data: Mapping[str, Any]) -> Knowledge:
    def tallies(by_name: Mapping[str, Any]) -> dict[str, Tally]:
        return {name: Tally(**_only(Tally, tally)) for name, tally in by_name.items()}

    watches, proposers, rules = (tallies(data[of]) for of in ("watches", "proposers", "rules"))
    return Knowledge(watches, proposers, rules, data["refusals"])


def status(data: Mapping[str, Any]) -> Status:
    watches = [WatchStatus(**_only(WatchStatus, one)) for one in data["watches"]]
    forecasts = [Forecast(**_only(Forecast, one)) for one in data["forecasts"]]
    return Status(**{**_only(Status, data), "watches": watches, "forecasts": forecasts})


def heard(data: Mapping[str, Any]) -> HookInfo:
    about = data.get("cycle")
    return HookInfo(**{**_only(HookInfo, data), "cycle": about and cycle(about)})


def written(answer: Plan) -> dict[str, Any]:
    """A plan as the loop takes it."""
    changes = [{"path": path, "value": value} for path, value in answer.changes.items()]
    return {"changes": changes, "why": answer.why, "confidence": answer.confidence}
