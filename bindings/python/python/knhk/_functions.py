"""Functions of the program that have a say in governance.

    @eng.rule_function("below")                      # [rule.callback] name = "below"
    def below(question, view):
        if view["orders/max_qty"] > 2000:            # as it would be
            return "more than the desk can hedge"

Such a function gets what it is asked and a view of the sectors as they would be. Nothing speaks against the change where it returns `None` or
`True`; a text, `False` or an exception does. It may be called from any thread, several at once, and must not change the engine. Nothing of
it is kept: whoever opens the engine registers it anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from . import _knhk
from ._governed import _only
from ._knhk import View
from ._rollout import Rollout
from ._tried import ValueDifference, _differences


@dataclass(frozen=True)
class Question:
    """What a function is asked. Of a rule and of an invariant the proposal is told, of a rule the rule itself, of a test the shadow."""

    kind: Literal["rule", "invariant", "test"]
    name: str
    sector: str
    differences: list[ValueDifference]
    rule: dict[str, Any] | None = None
    proposal: str = ""
    by: str = ""
    why: str = ""
    major: bool = False
    confidence: float | None = None
    time_ns: int | None = None
    at_ns: int | None = None
    shadow: str | None = None


Judge: TypeAlias = Callable[[Question, View], bool | str | None]
Work: TypeAlias = Callable[[View], object]
_Judge = TypeVar("_Judge", bound=Judge)
_Work = TypeVar("_Work", bound=Work)


def _judging(judge: Judge) -> Callable[[str, View], bool | str | None]:
    if not callable(judge):
        raise TypeError(f"{judge!r} cannot be called")

    def asked(text: str, view: View) -> bool | str | None:
        data = json.loads(text)
        with view:
            return judge(Question(**{**_only(Question, data), "differences": _differences(data["differences"])}), view)

    return asked


class Functions(Rollout):
    """The part of an engine that asks the program."""

    def rule_function(self, name: str, /) -> Callable[[_Judge], _Judge]:
        """Registers the function below as the one that rules of the kind `callback` call by this name, in the place of another of the name."""

        def register(judge: _Judge) -> _Judge:
            _knhk.set_function(self, "rule", name, _judging(judge), "blocker")
            return judge

        return register

    def test_function(self, name: str, /) -> Callable[[_Judge], _Judge]:
        """Registers the function below as the one that tests of shadows call by this name."""

        def register(judge: _Judge) -> _Judge:
            _knhk.set_function(self, "test", name, _judging(judge), "blocker")
            return judge

        return register

    def invariant(self, name: str, /, *, severity: Literal["info", "warning", "blocker"] = "blocker") -> Callable[[_Judge], _Judge]:
        """Registers the function below as what has to hold across sectors: every change of a governed sector is judged by it."""

        def register(judge: _Judge) -> _Judge:
            _knhk.set_function(self, "invariant", name, _judging(judge), severity)
            return judge

        return register

    def set_invariant(self, name: str, condition: str, /, *, severity: Literal["info", "warning", "blocker"] = "blocker") -> None:
        """Registers a condition in CEL that has to hold across sectors: `after["orders/max_qty"] <= after["risk/ceiling"]`.

        Raises `InvalidDocument` for what is no condition.
        """
        _knhk.set_condition(self, name, condition, severity)

    def workload(self, sector: str, name: str, /) -> Callable[[_Work], _Work]:
        """Registers the function below as work that is measured with the sector's candidates: it gets a view, and does once what the program
        does. A candidate that makes it slower than `governance/slowdown_percent` allows is refused."""

        def register(work: _Work) -> _Work:
            _knhk.set_workload(self, sector, name, work)
            return work

        return register

    def unset(
        self, kind: Literal["rule", "test", "invariant", "workload"], name: str, /, *, sector: str = ""
    ) -> bool:
        """Takes back what was registered; whether it was there. `sector` is that of a workload."""
        return _knhk.unset(self, kind, name, sector)
