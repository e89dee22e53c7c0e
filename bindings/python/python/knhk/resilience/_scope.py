"""Scopes: what policies share."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from .._knhk import Listener, ScopeBase


class Priority(IntEnum):
    """How much a call matters; what matters least is refused first."""

    BACKGROUND = 0
    LOW = 1
    NORMAL = 2
    HIGH = 3
    CRITICAL = 4


class Transition(NamedTuple):
    """A transition of a policy: what `Scope.subscribe` tells."""

    policy: str
    kind: str
    """ "breaker", "degradation", "recovery", "health" or "system"."""
    before: str
    now: str
    text: str
    """All of it in one line for people, with what made it change."""
    time: float
    """By the scope's clock."""
    missed: int
    """Transitions that this listener missed so far because it fell behind."""


class Scope(ScopeBase):
    """What policies share: a clock, counters, and who listens.

    `clock` is "system"; "cached", whose look costs a nanosecond and is late by up to a millisecond; or "manual", for tests. With an engine
    it is the engine's own scope, on the engine's cached clock.
    """

    def subscribe(self, callback: Callable[[Transition], object], /) -> Listener:
        """Calls `callback` on a thread of its own for every transition, until what this returns is closed or forgotten."""
        return self._subscribe(lambda *told: callback(Transition(*told)))


_default: Scope | None = None


def in_scope(scope: Scope | None) -> Scope:
    global _default
    if scope is None:
        scope = _default = _default or Scope()
    return scope
