"""How a change becomes everyone's, and what the history tells: shadows, canaries, schedules, several sectors at once, merge, bisect, blame."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from . import _knhk
from ._governed import Content, Proposal, _changes, _proposal
from ._ledger import Ledger
from ._tried import (
    Blamed,
    Canary,
    Culprit,
    Merge,
    Probation,
    Schedule,
    Shadow,
    TestReport,
    Version,
    _blamed,
    _canary,
    _culprit,
    _merge,
    _probation,
    _schedule,
    _shadow,
    _tested,
    _versions,
)

Telling = Callable[[str, str, str | None], object]


class Rollout(Ledger):
    """The part of an engine that tries changes and looks back at them."""

    def govern(self, verb: str, /, **request: Any) -> dict[str, Any]:
        """Does what a verb asks for, as `docs/governing.md` describes it; the other methods are this one with names and types. What is `None`
        is left out."""
        return self._govern(verb, request, None)

    def _govern(self, verb: str, request: Mapping[str, Any], tell: Telling | None) -> dict[str, Any]:
        asked = {name: value for name, value in request.items() if value is not None}
        answer: dict[str, Any] = json.loads(_knhk.govern(self, verb, json.dumps(asked), tell))
        return answer

    def shadow(self, changes: Mapping[str, Content], /, *, by: str = "") -> Shadow:
        """Opens a shadow with changes in it, and says what differs there."""
        return _shadow(self.govern("shadow", changes=_changes(changes), by=by))

    def test_shadow(
        self, id: str, tests: Sequence[Mapping[str, Any]], /, *, sector: str | None = None
    ) -> list[TestReport]:
        """Tests a shadow: assertions with a name and a severity each; a report for each sector. `{"function": {"name": …}}` asks what
        `test_function` registered."""
        return _tested(self.govern("shadow_test", id=id, sector=sector, tests=[dict(test) for test in tests])["results"])

    def shadows(self) -> list[Shadow]:
        """The shadows that are open."""
        return [_shadow(one) for one in self.govern("shadows")["shadows"]]

    def drop_shadow(self, id: str, /) -> None:
        """Drops a shadow."""
        self.govern("drop_shadow", id=id)

    def canary(self, proposal: str, /, *, share: float, by: str = "", why: str = "") -> Canary:
        """Has a share of the decisions, chosen by their subject, read a proposal's candidate. A rollback of one of its sectors ends it."""
        return _canary(self.govern("canary", proposal=proposal, share=share, by=by, why=why))

    def stop_canary(self, id: str, /, *, adopt: bool, by: str = "", why: str = "") -> Canary:
        """Ends a canary: its candidate becomes current, or is gone."""
        return _canary(self.govern("stop_canary", id=id, adopt=adopt, by=by, why=why))

    def canaries(self) -> list[Canary]:
        """The canaries, with the counts of both arms."""
        return [_canary(one) for one in self.govern("canaries")["canaries"]]

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
    ) -> Schedule:
        """Has a proposal become current at a moment, or in the next window of the week ("Sat 02:00-04:00") in a zone ("Europe/London"); also
        after a restart."""
        text = moment.isoformat() if isinstance(moment, datetime) else moment
        at = {"moment": text, "window": window, "time_zone": time_zone}
        at = {name: value for name, value in at.items() if value is not None}
        return _schedule(self.govern("schedule", proposal=proposal, at=at, by=by, why=why))

    def unschedule(self, id: str, /, *, by: str = "", why: str = "") -> Schedule:
        """Takes a schedule back."""
        return _schedule(self.govern("unschedule", id=id, by=by, why=why))

    def schedules(self) -> list[Schedule]:
        """What is scheduled."""
        return [_schedule(one) for one in self.govern("schedules")["schedules"]]

    def probations(self) -> list[Probation]:
        """Promotions whose objectives are watched."""
        return [_probation(one) for one in self.govern("probations")["probations"]]

    def promote_together(
        self, changes: Mapping[str, Content], /, *, by: str = "", why: str = "", major: bool = False
    ) -> list[Version]:
        """Promotes several direct sectors with one swap: no reader sees a mix, and all of it happens or nothing."""
        answer = self.govern("promote_together", changes=_changes(changes), by=by, why=why, major=major)
        return _versions(answer["versions"])

    def rollback_together(
        self, versions: Mapping[str, int | str], /, *, by: str = "", why: str = "", emergency: bool = False
    ) -> list[Version]:
        """Rolls several sectors back with one swap; in an emergency before anything is written, and also where nothing can be."""
        sectors = [{"sector": sector, "version": str(version)} for sector, version in versions.items()]
        answer = self.govern("rollback_together", sectors=sectors, by=by, why=why, emergency=emergency)
        return _versions(answer["versions"])

    def merge(
        self,
        sector: str,
        theirs: str | int,
        /,
        *,
        ours: str | int | None = None,
        resolve: Mapping[str, Literal["ours", "theirs"] | Mapping[str, str]] | None = None,
        propose: bool = False,
        by: str = "",
        why: str = "",
    ) -> Merge:
        """Merges another version of a sector into the current one, over the version that both come from; conflicts are listed by statement.

        `resolve` says by a conflict's item what becomes of it: a side, or a value as text, `{"value": "1400"}`; `"*"` stands for those that
        are not named.
        """
        into = None if ours is None else str(ours)
        chosen = None if resolve is None else dict(resolve)
        answer = self.govern(
            "merge", sector=sector, theirs=str(theirs), ours=into, resolve=chosen, propose=propose, by=by, why=why
        )
        return _merge(answer)

    def blame(
        self, sector: str, /, *, path: str | None = None, statement: str | None = None, version: str | int | None = None
    ) -> list[Blamed]:
        """Which version gave a path its value, or said a statement."""
        at = None if version is None else str(version)
        answer = self.govern("blame", sector=sector, path=path, statement=statement, version=at)
        return [_blamed(one) for one in answer["entries"]]

    def bisect(
        self,
        sector: str,
        bad_if: Callable[[int], bool | None] | str,
        /,
        *,
        good: str | int,
        bad: str | int = "current",
    ) -> Culprit:
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
        return _culprit(answer["culprit"])

    def codegen(
        self,
        sector: str,
        language: Literal["c", "cpp", "rust", "python", "typescript"],
        /,
        *,
        version: str | int | None = None,
        only: Sequence[str] = (),
    ) -> str:
        """Typed keys of a sector and their documentation, as source text: of all paths, or of those that `only` names ("limits/*")."""
        at = None if version is None else str(version)
        text: str = self.govern("codegen", sector=sector, language=language, version=at, only=list(only))["text"]
        return text

    def recompose(self, *, by: str = "", why: str = "") -> Proposal | None:
        """Proposes to carry every sector over to the core that this library ships, where it is another one than theirs."""
        answer = self.govern("recompose", by=by, why=why)["proposal"]
        return answer and _proposal(answer)
