"""What governance asks and answers: changes, proposals, reports, approvals, as types."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypeVar

from . import _knhk
from ._document import Document, to_json
from ._enums import Format
from ._ledger import _nanoseconds

_T = TypeVar("_T")

Moment: TypeAlias = datetime | int


@dataclass(frozen=True)
class Whole:
    """All of a sector from now on: a document, or a text in an RDF format."""

    document: Document
    format: Format | Literal["json"] = "json"


@dataclass(frozen=True)
class Statements:
    """Statements that go, and statements that come; the rest stays."""

    add: str = ""
    remove: str = ""
    format: Format = "turtle"


Content: TypeAlias = Mapping[str, object] | Whole | Statements


@dataclass(frozen=True)
class Finding:
    """One thing that a stage found."""

    severity: Literal["info", "warning", "blocker"]
    item: str
    """What it is about: `rule orders/four-eyes`, `guard max-notional`, `invariant Q3`, `parameter max_qty`."""
    what: str
    fix: str
    """What to do about it; may be empty."""


@dataclass(frozen=True)
class Need:
    """What a change still lacks and can get."""

    item: str
    groups: list[str]
    approvals: int
    quorum: int
    not_before_ns: int | None = None


@dataclass(frozen=True)
class StageReport:
    """What one stage says; "not_judged" where there was nothing to judge, because of what another one refuses."""

    stage: Literal["schema", "invariants", "doctrine", "guards", "performance", "rollback", "compatibility"]
    verdict: Literal["passed", "waiting", "not_judged", "refused"]
    findings: list[Finding]
    needs: list[Need]
    evidence: Any
    duration_ns: int


@dataclass(frozen=True)
class Report:
    """What the stages say of a change of one sector. `str()` of it is for people."""

    proposal: str
    sector: str
    verdict: Literal["passed", "waiting", "not_judged", "refused"]
    stages: list[StageReport]
    duration_ns: int
    _json: str = ""

    def stage(self, name: str) -> StageReport:
        """The stage of that name. Raises `LookupError`."""
        for stage in self.stages:
            if stage.stage == name:
                return stage
        raise LookupError(f"there is no stage {name}")

    def __str__(self) -> str:
        return _knhk.render_report(self._json)


@dataclass(frozen=True)
class ApprovalGiven:
    """An approval that counts."""

    by: str
    groups: list[str]
    time_ns: int


@dataclass(frozen=True)
class Proposed:
    """What becomes of a sector in a proposal, as it was run last."""

    sector: str
    base_version: int
    snapshot_id: str
    digest: str
    differences: list[dict[str, Any]]


@dataclass(frozen=True)
class Proposal:
    """A change on its way. `str()` of it is for people."""

    id: str
    state: Literal["filed", "waiting", "passed", "enacted", "refused", "withdrawn"]
    said: str
    changes: list[Proposed]
    by: str
    why: str
    major: bool
    time_ns: int
    digest: str
    enact: bool
    reports: list[Report]
    approvals: list[ApprovalGiven]
    versions: list[dict[str, Any]]
    receipts: list[str]
    confidence: float | None = None
    at_ns: int | None = None
    run_ns: int | None = None
    closed: dict[str, Any] | None = None

    def __str__(self) -> str:
        return "".join(map(str, self.reports)) + f"proposal {self.id} {self.said}"


@dataclass(frozen=True)
class Relaxation:
    """A guard that gives way for a while, or is asked to."""

    id: str
    state: Literal["requested", "approved", "in_force", "expired", "revoked"]
    guard: str
    sector: str | None
    proposal: str | None
    by: str
    why: str
    requested_ns: int
    until_ns: int
    approvals: list[ApprovalGiven]
    need: Need


@dataclass(frozen=True)
class Change:
    """A change of the approvers or of the guards, which approvers sign."""

    id: str
    by: str
    why: str
    next: dict[str, Any]
    in_force: bool
    needs: list[Need]


@dataclass(frozen=True)
class ApprovalRequest:
    """What an approver signs."""

    payload: bytes
    text: str
    """What that is, for people."""


@dataclass(frozen=True)
class Approved:
    """What became of what was approved: one of the three."""

    proposal: Proposal | None = None
    relaxation: Relaxation | None = None
    change: Change | None = None


@dataclass(frozen=True)
class ApproverKey:
    """A pair of keys (Ed25519): the public one, in hexadecimal, is for the set of approvers; the secret one stays with the approver."""

    public: str
    secret: bytes

    def __repr__(self) -> str:
        return f"ApproverKey(public={self.public!r})"


def approver_key() -> ApproverKey:
    """Makes a pair of keys for an approver."""
    made = _offline("approver_key", {})
    return ApproverKey(made["public"], base64.b64decode(made["secret"]))


def sign_approval(payload: bytes, secret: bytes) -> bytes:
    """Signs what `Engine.approval_request` gave, or signs what others signed already: a COSE_Sign message (RFC 9052) for `Engine.approve`."""
    request = {"payload": base64.b64encode(payload).decode(), "key": base64.b64encode(secret).decode()}
    return base64.b64decode(_offline("sign_approval", request)["approval"])


def _offline(verb: str, request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_knhk.govern_offline(verb, json.dumps(request)))
    return answer


def _only(kind: type[_T], data: Mapping[str, Any]) -> dict[str, Any]:
    # What a newer library says beside it is left out.
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return {name: value for name, value in data.items() if name in known}


def _need(data: Mapping[str, Any]) -> Need:
    return Need(**_only(Need, data))


def _stage(data: Mapping[str, Any]) -> StageReport:
    findings = [Finding(**_only(Finding, finding)) for finding in data["findings"]]
    needs = [_need(need) for need in data["needs"]]
    return StageReport(**{**_only(StageReport, data), "findings": findings, "needs": needs})


def _report(data: Mapping[str, Any]) -> Report:
    stages = [_stage(stage) for stage in data["stages"]]
    return Report(**{**_only(Report, data), "stages": stages, "_json": json.dumps(data)})


def reports(text: str) -> list[Report]:
    """The reports of an error."""
    return [_report(data) for data in json.loads(text)]


def _given(data: Sequence[Mapping[str, Any]]) -> list[ApprovalGiven]:
    return [ApprovalGiven(**_only(ApprovalGiven, approval)) for approval in data]


def _proposal(data: Mapping[str, Any]) -> Proposal:
    return Proposal(
        **{
            **_only(Proposal, data),
            "changes": [Proposed(**_only(Proposed, change)) for change in data["changes"]],
            "reports": [_report(report) for report in data["reports"]],
            "approvals": _given(data["approvals"]),
        }
    )


def _relaxation(data: Mapping[str, Any]) -> Relaxation:
    return Relaxation(
        **{**_only(Relaxation, data), "approvals": _given(data["approvals"]), "need": _need(data["need"])}
    )


def _change(data: Mapping[str, Any]) -> Change:
    return Change(**{**_only(Change, data), "needs": [_need(need) for need in data["needs"]]})


def _content(content: Content) -> dict[str, Any]:
    if isinstance(content, Whole):
        text = to_json(content.document) if content.format == "json" else content.document
        return {"document": {"text": text, "format": content.format}}
    if isinstance(content, Statements):
        return {"change": {"removed": content.remove, "added": content.add, "format": content.format}}
    written = [[path, value if isinstance(value, str) else json.dumps(value)] for path, value in content.items()]
    return {"values": written}


def _changes(changes: Mapping[str, Content]) -> list[dict[str, Any]]:
    return [{"sector": sector, "content": _content(content)} for sector, content in changes.items()]


def _at(moment: Moment | None) -> int | None:
    return None if moment is None else _nanoseconds(moment)
