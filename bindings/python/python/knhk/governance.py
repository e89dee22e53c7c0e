"""Governance: changes that become current only once seven stages have nothing against them. The methods are the engine's.

    proposal = eng.propose({"orders": {"max_qty": 1400}}, by="ops-2", why="desk asked, ticket 881")
    if proposal.state == "waiting":              # filed; somebody in desk-risk approves it with their own key
        asked = eng.approval_request("proposal", proposal.id)
        proposal = eng.approve(sign_approval(asked.payload, key)).proposal
    print(proposal)                              # each stage, what it found, and what to do about it

What becomes of a sector is a `dict` of single values by path, a `Whole` document, or `Statements` that come and go. Times are nanoseconds
since 1970 (UTC), or aware `datetime`s.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from ._functions import Functions, Judge, Question, Work
from ._governed import (
    ApprovalGiven,
    ApprovalRequest,
    Approved,
    ApproverKey,
    Change,
    Content,
    Finding,
    Moment,
    Need,
    Proposal,
    Proposed,
    Relaxation,
    Report,
    StageReport,
    Statements,
    Whole,
    _at,
    _change,
    _changes,
    _proposal,
    _relaxation,
    _report,
    _stage,
    approver_key,
    sign_approval,
)
from ._ledger import _nanoseconds
from ._tried import (
    Arm,
    ArmObjective,
    Arms,
    Blamed,
    Canary,
    Conflict,
    Culprit,
    Guard,
    Guards,
    MadeBy,
    Merge,
    Probation,
    Probationer,
    RuleRevision,
    Schedule,
    Shadow,
    TestOutcome,
    TestReport,
    ValueDifference,
    Version,
    Violation,
    _guard_said,
    _guards,
    _rule,
    _violation,
)

__all__ = [
    "ApprovalGiven",
    "ApprovalRequest",
    "Approved",
    "ApproverKey",
    "Arm",
    "ArmObjective",
    "Arms",
    "Blamed",
    "Canary",
    "Change",
    "Conflict",
    "Content",
    "Culprit",
    "Finding",
    "Governance",
    "Guard",
    "Guards",
    "Judge",
    "MadeBy",
    "Merge",
    "Moment",
    "Need",
    "Probation",
    "Probationer",
    "Progress",
    "Proposal",
    "Proposed",
    "Question",
    "Relaxation",
    "Report",
    "RuleRevision",
    "Schedule",
    "Shadow",
    "StageReport",
    "Statements",
    "TestOutcome",
    "TestReport",
    "ValueDifference",
    "Version",
    "Violation",
    "Whole",
    "Work",
    "approver_key",
    "sign_approval",
]

Progress: TypeAlias = Callable[[str, str, StageReport | None], object]
"""Called with a sector, a stage's name, and its report where it ended."""


def _telling(progress: Progress | None) -> Callable[[str, str, str | None], object] | None:
    if progress is None:
        return None

    def tell(sector: str, stage: str, report: str | None) -> object:
        return progress(sector, stage, None if report is None else _stage(json.loads(report)))

    return tell


class Governance(Functions):
    """The part of an engine that lets nothing become current unproven."""

    def propose(
        self,
        changes: Mapping[str, Content],
        *,
        by: str = "",
        why: str = "",
        major: bool = False,
        confidence: float | None = None,
        at: Moment | None = None,
        enact: bool = True,
        progress: Progress | None = None,
    ) -> Proposal:
        """Files a change of one sector or of several at once, runs it through the stages, and makes it current once nothing speaks against it and
        nothing is missing; not before `at`, and not by itself without `enact`.

        What a stage refuses comes back with the state "refused" and its reports: that is no exception. `progress` is called as each stage of a
        sector begins, with its name, and as it ends, with its report too; on another thread. Where it returns `False`, the stages that did not
        begin refuse. Raises `NotFound` for an unknown sector, `InvalidDocument` for what cannot be read, and what `progress` raises.
        """
        asked = {
            "changes": _changes(changes),
            "by": by,
            "why": why,
            "major": major,
            "confidence": confidence,
            "at_ns": _at(at),
            "enact": enact,
        }
        return _proposal(self._govern("propose", asked, _telling(progress)))

    def check(
        self,
        changes: Mapping[str, Content],
        *,
        by: str = "",
        why: str = "",
        major: bool = False,
        progress: Progress | None = None,
    ) -> list[Report]:
        """Runs a change through the stages as `propose` would, and files nothing: a report for each sector. `progress` as of `propose`."""
        asked = {"changes": _changes(changes), "by": by, "why": why, "major": major}
        return [_report(report) for report in self._govern("check", asked, _telling(progress))["reports"]]

    def proposals(
        self, *, sector: str | None = None, open: bool = False, before: str | None = None, limit: int | None = None
    ) -> list[Proposal]:
        """Proposals, the newest first; at most 100 unless `limit` says so. `open`: only those that something can still come of."""
        answer = self.govern("proposals", sector=sector, open=open, before=before, limit=limit)
        return [_proposal(proposal) for proposal in answer["proposals"]]

    def proposal(self, id: str, /) -> Proposal:
        """The proposal of that id. Raises `NotFound`."""
        return _proposal(self.govern("proposal", id=id))

    def enact(self, id: str, /, *, by: str = "") -> Proposal:
        """Runs a proposal again and makes it current. Raises `NotAdmitted` or `Waiting`, with `reports`."""
        return _proposal(self.govern("enact", id=id, by=by))

    def withdraw(self, id: str, /, *, by: str = "", why: str = "") -> Proposal:
        """Takes a proposal back."""
        return _proposal(self.govern("withdraw", id=id, by=by, why=why))

    def approval_request(
        self,
        kind: Literal["proposal", "relaxation", "approvers", "guards"],
        id: str,
        /,
        *,
        overrides: Sequence[str] = (),
        take_back: bool = False,
        expires: Moment | None = None,
    ) -> ApprovalRequest:
        """What an approver signs, with `sign_approval`: to approve it, overriding soft-mandatory rules by name, or to take an approval back."""
        answer = self.govern(
            "approval_request",
            kind=kind,
            id=id,
            overrides=list(overrides),
            withdraw=take_back,
            expires_ns=_at(expires),
        )
        return ApprovalRequest(base64.b64decode(answer["payload"]), answer["text"])

    def approve(self, approval: bytes, /) -> Approved:
        """Takes an approval: verifies it, records it, and carries on with what waited for it.

        Raises `Unproven` for a signature that is not an approver's, `Refused` for one that may not be given: one's own request, twice, expired.
        """
        answer = self.govern("approve", approval=base64.b64encode(approval).decode())
        proposal, relaxation, change = (answer.get(name) for name in ("proposal", "relaxation", "change"))
        return Approved(
            proposal and _proposal(proposal), relaxation and _relaxation(relaxation), change and _change(change)
        )

    def relax(
        self,
        guard: str,
        /,
        *,
        until: Moment,
        by: str = "",
        why: str = "",
        sector: str | None = None,
        proposal: str | None = None,
    ) -> Relaxation:
        """Asks for a guard to give way until a moment. It does once enough approvers signed it and its review time is over."""
        until_ns = _nanoseconds(until)
        answer = self.govern("relax", guard=guard, until_ns=until_ns, by=by, why=why, sector=sector, proposal=proposal)
        return _relaxation(answer)

    def revoke(self, id: str, /, *, by: str = "", why: str = "") -> Relaxation:
        """Ends a relaxation."""
        return _relaxation(self.govern("revoke", id=id, by=by, why=why))

    def relaxations(self, *, open: bool = False) -> list[Relaxation]:
        """Relaxations; `open`: only those that are not over."""
        return [_relaxation(one) for one in self.govern("relaxations", open=open)["relaxations"]]

    def approvers(self) -> dict[str, Any] | None:
        """Who may approve; none before the first set."""
        answer: dict[str, Any] | None = self.govern("approvers")["approvers"]
        return answer

    def change_approvers(self, toml: str, /, *, by: str = "", why: str = "") -> Change:
        """Asks for another set of approvers, which the old set and the new one sign."""
        return _change(self.govern("change_approvers", toml=toml, by=by, why=why))

    def guards(self, *, sector: str | None = None) -> Guards:
        """The guards in force."""
        return _guards(self.govern("guards", sector=sector)["guards"])

    def change_guards(self, toml: str, /, *, by: str = "", why: str = "") -> Change:
        """Asks for other guards in place of all there are."""
        return _change(self.govern("change_guards", toml=toml, by=by, why=why))

    def add_guard(self, guard: Guard, /, *, by: str = "", why: str = "") -> Change:
        """`change_guards` by one guard, which takes the place of one with its id."""
        return _change(self.govern("add_guard", guard=_guard_said(guard), by=by, why=why))

    def remove_guard(self, id: str, /, *, by: str = "", why: str = "") -> Change:
        """`change_guards` by one guard less. Raises `NotFound`."""
        return _change(self.govern("remove_guard", id=id, by=by, why=why))

    def governance_changes(self) -> list[Change]:
        """Changes of approvers and guards that are on their way."""
        return [_change(change) for change in self.govern("changes")["changes"]]

    def add_rules(self, toml: str, /, *, by: str = "", why: str = "") -> list[RuleRevision]:
        """Adds rules, or replaces those of the same ids; their revisions. Raises `Conflict` where one contradicts another, and names both."""
        return [_rule(one) for one in self.govern("add_rule", toml=toml, by=by, why=why)["rules"]]

    def remove_rule(self, id: str, /, *, by: str = "", why: str = "") -> RuleRevision:
        """Removes a rule; its history stays."""
        return _rule(self.govern("remove_rule", id=id, by=by, why=why)["rule"])

    def rules(
        self, *, sector: str | None = None, valid: Moment | None = None, decided: Moment | None = None
    ) -> list[RuleRevision]:
        """The rules in force at the moment `valid`, as they were known at the moment `decided`; now, unless said otherwise."""
        answer = self.govern("rules", sector=sector, valid_ns=_at(valid), decided_ns=_at(decided))
        return [_rule(one) for one in answer["rules"]]

    def doctrine_log(self, id: str | None = None, /) -> list[RuleRevision]:
        """Every revision of the rules."""
        return [_rule(one) for one in self.govern("doctrine_log", id=id)["revisions"]]

    def rollback_doctrine(self, to: Moment, /, *, by: str = "", why: str = "") -> list[RuleRevision]:
        """Brings back the rules as they were known at a moment, as new revisions."""
        answer = self.govern("rollback_doctrine", to_ns=_nanoseconds(to), by=by, why=why)
        return [_rule(one) for one in answer["revisions"]]

    def clean_up_doctrine(self) -> list[RuleRevision]:
        """Removes the rules whose validity is over; the revisions by which they went."""
        return [_rule(one) for one in self.govern("clean_up_doctrine")["revisions"]]

    def violations(self, *, sector: str | None = None) -> list[Violation]:
        """The rules that changes broke: who, when, which rule."""
        return [_violation(one) for one in self.govern("violations", sector=sector)["violations"]]

    async def apropose(
        self,
        changes: Mapping[str, Content],
        *,
        by: str = "",
        why: str = "",
        major: bool = False,
        confidence: float | None = None,
        at: Moment | None = None,
        enact: bool = True,
        progress: Progress | None = None,
    ) -> Proposal:
        """`propose` in a thread. Cancelling the wait does not take the proposal back."""
        return await asyncio.to_thread(
            self.propose,
            changes,
            by=by,
            why=why,
            major=major,
            confidence=confidence,
            at=at,
            enact=enact,
            progress=progress,
        )

    async def acheck(
        self,
        changes: Mapping[str, Content],
        *,
        by: str = "",
        why: str = "",
        major: bool = False,
        progress: Progress | None = None,
    ) -> list[Report]:
        """`check` in a thread."""
        return await asyncio.to_thread(self.check, changes, by=by, why=why, major=major, progress=progress)

    async def aenact(self, id: str, /, *, by: str = "") -> Proposal:
        """`enact` in a thread."""
        return await asyncio.to_thread(self.enact, id, by=by)

    async def aapprove(self, approval: bytes, /) -> Approved:
        """`approve` in a thread."""
        return await asyncio.to_thread(self.approve, approval)
