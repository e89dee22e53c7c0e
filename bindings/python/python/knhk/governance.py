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
from datetime import datetime
from typing import Any, Literal

from . import _knhk
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
    approver_key,
    sign_approval,
)
from ._ledger import Ledger, _nanoseconds

__all__ = [
    "ApprovalGiven",
    "ApprovalRequest",
    "Approved",
    "ApproverKey",
    "Change",
    "Content",
    "Finding",
    "Governance",
    "Moment",
    "Need",
    "Proposal",
    "Proposed",
    "Relaxation",
    "Report",
    "StageReport",
    "Statements",
    "Whole",
    "approver_key",
    "sign_approval",
]


class Governance(Ledger):
    """The part of an engine that lets nothing become current unproven."""

    def govern(self, verb: str, /, **request: Any) -> dict[str, Any]:
        """Does what a verb asks for, as `docs/governing.md` describes it; the other methods are this one with names and types. What is `None`
        is left out."""
        asked = {name: value for name, value in request.items() if value is not None}
        answer: dict[str, Any] = json.loads(_knhk.govern(self, verb, json.dumps(asked)))
        return answer

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
    ) -> Proposal:
        """Files a change of one sector or of several at once, runs it through the stages, and makes it current once nothing speaks against it and
        nothing is missing; not before `at`, and not by itself without `enact`.

        What a stage refuses comes back with the state "refused" and its reports: that is no exception. Raises `NotFound` for an unknown
        sector, `InvalidDocument` for what cannot be read.
        """
        asked = self.govern(
            "propose",
            changes=_changes(changes),
            by=by,
            why=why,
            major=major,
            confidence=confidence,
            at_ns=_at(at),
            enact=enact,
        )
        return _proposal(asked)

    def check(
        self, changes: Mapping[str, Content], *, by: str = "", why: str = "", major: bool = False
    ) -> list[Report]:
        """Runs a change through the stages as `propose` would, and files nothing: a report for each sector."""
        answer = self.govern("check", changes=_changes(changes), by=by, why=why, major=major)
        return [_report(report) for report in answer["reports"]]

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

    def guards(self, *, sector: str | None = None) -> dict[str, Any]:
        """The guards in force."""
        answer: dict[str, Any] = self.govern("guards", sector=sector)["guards"]
        return answer

    def change_guards(self, toml: str, /, *, by: str = "", why: str = "") -> Change:
        """Asks for other guards in place of all there are."""
        return _change(self.govern("change_guards", toml=toml, by=by, why=why))

    def governance_changes(self) -> list[Change]:
        """Changes of approvers and guards that are on their way."""
        return [_change(change) for change in self.govern("changes")["changes"]]

    def add_rules(self, toml: str, /, *, by: str = "", why: str = "") -> list[dict[str, Any]]:
        """Adds rules, or replaces those of the same ids; their revisions. Raises `Conflict` where one contradicts another, and names both."""
        answer: list[dict[str, Any]] = self.govern("add_rule", toml=toml, by=by, why=why)["rules"]
        return answer

    def remove_rule(self, id: str, /, *, by: str = "", why: str = "") -> dict[str, Any]:
        """Removes a rule; its history stays."""
        answer: dict[str, Any] = self.govern("remove_rule", id=id, by=by, why=why)["rule"]
        return answer

    def rules(
        self, *, sector: str | None = None, valid: Moment | None = None, decided: Moment | None = None
    ) -> list[dict[str, Any]]:
        """The rules in force at the moment `valid`, as they were known at the moment `decided`; now, unless said otherwise."""
        answer = self.govern("rules", sector=sector, valid_ns=_at(valid), decided_ns=_at(decided))
        rules: list[dict[str, Any]] = answer["rules"]
        return rules

    def doctrine_log(self, id: str | None = None, /) -> list[dict[str, Any]]:
        """Every revision of the rules."""
        answer: list[dict[str, Any]] = self.govern("doctrine_log", id=id)["revisions"]
        return answer

    def rollback_doctrine(self, to: Moment, /, *, by: str = "", why: str = "") -> list[dict[str, Any]]:
        """Brings back the rules as they were known at a moment, as new revisions."""
        answer = self.govern("rollback_doctrine", to_ns=_nanoseconds(to), by=by, why=why)
        revisions: list[dict[str, Any]] = answer["revisions"]
        return revisions

    def violations(self, *, sector: str | None = None) -> list[dict[str, Any]]:
        """The rules that changes broke: who, when, which rule."""
        answer: list[dict[str, Any]] = self.govern("violations", sector=sector)["violations"]
        return answer

    def shadow(self, changes: Mapping[str, Content], /, *, by: str = "") -> dict[str, Any]:
        """Opens a shadow with changes in it, and says what differs there."""
        return self.govern("shadow", changes=_changes(changes), by=by)

    def test_shadow(
        self, id: str, tests: Sequence[Mapping[str, Any]], /, *, sector: str | None = None
    ) -> list[dict[str, Any]]:
        """Tests a shadow: assertions with a name and a severity each; a report for each sector."""
        answer = self.govern("shadow_test", id=id, sector=sector, tests=[dict(test) for test in tests])
        results: list[dict[str, Any]] = answer["results"]
        return results

    def shadows(self) -> list[dict[str, Any]]:
        """The shadows that are open."""
        answer: list[dict[str, Any]] = self.govern("shadows")["shadows"]
        return answer

    def drop_shadow(self, id: str, /) -> None:
        """Drops a shadow."""
        self.govern("drop_shadow", id=id)

    def canary(self, proposal: str, /, *, share: float, by: str = "", why: str = "") -> dict[str, Any]:
        """Has a share of the decisions, chosen by their subject, read a proposal's candidate."""
        return self.govern("canary", proposal=proposal, share=share, by=by, why=why)

    def stop_canary(self, id: str, /, *, adopt: bool, by: str = "", why: str = "") -> dict[str, Any]:
        """Ends a canary: its candidate becomes current, or is gone."""
        return self.govern("stop_canary", id=id, adopt=adopt, by=by, why=why)

    def canaries(self) -> list[dict[str, Any]]:
        """The canaries, with the counts of both arms."""
        answer: list[dict[str, Any]] = self.govern("canaries")["canaries"]
        return answer

    def schedule(
        self,
        proposal: str,
        /,
        *,
        moment: str | datetime | None = None,
        window: str | None = None,
        time_zone: str | None = None,
        by: str = "",
        why: str = "",
    ) -> dict[str, Any]:
        """Has a proposal become current at a moment, or in the next window of the week ("Sat 02:00-04:00") in a zone ("Europe/London"); also
        after a restart."""
        text = moment.isoformat() if isinstance(moment, datetime) else moment
        at = {"moment": text, "window": window, "time_zone": time_zone}
        at = {name: value for name, value in at.items() if value is not None}
        return self.govern("schedule", proposal=proposal, at=at, by=by, why=why)

    def unschedule(self, id: str, /, *, by: str = "", why: str = "") -> dict[str, Any]:
        """Takes a schedule back."""
        return self.govern("unschedule", id=id, by=by, why=why)

    def schedules(self) -> list[dict[str, Any]]:
        """What is scheduled."""
        answer: list[dict[str, Any]] = self.govern("schedules")["schedules"]
        return answer

    def probations(self) -> list[dict[str, Any]]:
        """Promotions whose objectives are watched."""
        answer: list[dict[str, Any]] = self.govern("probations")["probations"]
        return answer

    def promote_together(
        self, changes: Mapping[str, Content], /, *, by: str = "", why: str = "", major: bool = False
    ) -> dict[str, Any]:
        """Promotes several direct sectors with one swap: no reader sees a mix, and all of it happens or nothing."""
        return self.govern("promote_together", changes=_changes(changes), by=by, why=why, major=major)

    def rollback_together(self, versions: Mapping[str, str | int], /, *, by: str = "", why: str = "") -> dict[str, Any]:
        """Rolls several sectors back with one swap."""
        sectors = [{"sector": sector, "version": str(version)} for sector, version in versions.items()]
        return self.govern("rollback_together", sectors=sectors, by=by, why=why)

    def merge(
        self,
        sector: str,
        theirs: str | int,
        /,
        *,
        ours: str | int | None = None,
        propose: bool = False,
        by: str = "",
        why: str = "",
    ) -> dict[str, Any]:
        """Merges another version of a sector into the current one, over the version that both come from; conflicts are listed by statement."""
        into = None if ours is None else str(ours)
        return self.govern("merge", sector=sector, theirs=str(theirs), ours=into, propose=propose, by=by, why=why)

    def blame(
        self, sector: str, /, *, path: str | None = None, statement: str | None = None, version: str | int | None = None
    ) -> list[dict[str, Any]]:
        """Which version gave a path its value, or said a statement."""
        at = None if version is None else str(version)
        answer: list[dict[str, Any]] = self.govern("blame", sector=sector, path=path, statement=statement, version=at)["entries"]
        return answer

    def bisect(
        self,
        sector: str,
        bad_if: Callable[[int], bool | None] | str,
        /,
        *,
        good: str | int,
        bad: str | int = "current",
    ) -> dict[str, Any]:
        """The first bad version after a good one, with its receipt. `bad_if` is a condition in CEL over `values`, a map from path to value; or
        it is called with a version, and answers whether that is bad, or `None` where it cannot tell."""
        if isinstance(bad_if, str):
            answer = self.govern("bisect", sector=sector, good=str(good), bad=str(bad), where=bad_if)
        else:
            answer = self.govern("bisect", sector=sector, good=str(good), bad=str(bad))
            while answer["next"] is not None:
                version = answer["next"]["version"]
                is_bad = bad_if(version)
                trial = "skip" if is_bad is None else "bad" if is_bad else "good"
                answer = self.govern("bisect", state=answer["state"], version=version, trial=trial)
        culprit: dict[str, Any] = answer["culprit"]
        return culprit

    def codegen(
        self,
        sector: str,
        language: Literal["c", "cpp", "rust", "python", "typescript"],
        /,
        *,
        version: str | int | None = None,
    ) -> str:
        """Typed keys of a sector and their documentation, as source text."""
        at = None if version is None else str(version)
        text: str = self.govern("codegen", sector=sector, language=language, version=at)["text"]
        return text

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
    ) -> Proposal:
        """`propose` in a thread. Cancelling the wait does not take the proposal back."""
        return await asyncio.to_thread(
            self.propose, changes, by=by, why=why, major=major, confidence=confidence, at=at, enact=enact
        )

    async def acheck(
        self, changes: Mapping[str, Content], *, by: str = "", why: str = "", major: bool = False
    ) -> list[Report]:
        """`check` in a thread."""
        return await asyncio.to_thread(self.check, changes, by=by, why=why, major=major)

    async def aenact(self, id: str, /, *, by: str = "") -> Proposal:
        """`enact` in a thread."""
        return await asyncio.to_thread(self.enact, id, by=by)

    async def aapprove(self, approval: bytes, /) -> Approved:
        """`approve` in a thread."""
        return await asyncio.to_thread(self.approve, approval)
