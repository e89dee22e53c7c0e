"""Degradation and recovery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from ._policy import Policy, named
from ._scope import Scope


@dataclass(frozen=True)
class Level:
    """A level of degradation: entered when the load has been at least `enter` for `enter_after` seconds, left when it has been below
    `leave` for `leave_after`; the features in `off` are off in it and in all further ones."""

    name: str
    enter: float
    leave: float
    off: Sequence[str] = ()
    enter_after: float = 0.0
    leave_after: float = 0.0


class Degradation(Policy):
    """Features that are switched off in steps as the load rises, and on again, later, as it falls."""

    def __new__(cls, name: str, levels: Sequence[Level], *, scope: Scope | None = None) -> Self:
        steps = [(at.name, at.enter, at.leave, at.enter_after, at.leave_after, list(at.off)) for at in levels]
        return cls._make("degradation", name, [], scope, levels=steps)

    @property
    def level(self) -> int:
        """The level at present; 0 is full service. `state` has its name."""
        return self._level()


class Strategy(NamedTuple):
    """How to mend something: `mend(component, what)` returns, or raises and has failed. It is tried `tries` times."""

    name: str
    mend: Callable[[str, str], object]
    tries: int = 1


class RecoveryReport(NamedTuple):
    """How a recovery went."""

    mended_by: str | None
    failed: list[tuple[str, str]]
    """Each try that failed: the strategy, and why."""


class Recovery(Policy):
    """Strategies that are tried in order until one mends what is broken; what breaks again within `relapse` seconds begins further on."""

    def __new__(
        cls,
        name: str,
        strategies: Sequence[Strategy],
        *,
        pause: float | None = None,
        relapse: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        menders = [(each.name, each.tries, each.mend) for each in strategies]
        return cls._make("recovery", name, named(pause=pause, relapse=relapse), scope, strategies=menders)

    def recover(self, component: str, what: str) -> RecoveryReport:
        """Tries the strategies, on the calling thread."""
        return RecoveryReport(*self._recover(component, what))
