"""Health: components tell how well they are, and a monitor what that means for the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from .._knhk import HealthReport
from ._policy import Policy, named
from ._scope import Scope


@dataclass(frozen=True)
class Component:
    """A component of a health monitor."""

    name: str
    _monitor: Health = field(repr=False)
    _number: int = field(repr=False)

    def report(self, health: float) -> None:
        """Tells its health, from 0 to 1."""
        self._monitor._health_report(self._number, health)

    def check(self, check: Callable[[], float], /) -> None:
        """Has it asked for its health at each poll; an exception is health 0."""
        self._monitor._health_check(self._number, check)


class Health(Policy):
    """Watches components: the availability is the mean of their healths by weight; who is silent for `stale_after` seconds has none."""

    def __new__(
        cls,
        name: str,
        *,
        running: float | None = None,
        critical: float | None = None,
        stale_after: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        return cls._make("health", name, named(running=running, critical=critical, stale_after=stale_after), scope)

    def add(self, name: str, *, weight: float = 1.0, needs: Sequence[str] = ()) -> Component:
        """Adds a component that depends on others, which were added before."""
        return Component(name, self, self._health_add(name, weight, list(needs)))

    def report(self) -> HealthReport:
        """Asks all checks, and reports. `str()` of the report is for people."""
        return self._health_poll()

    def start(self, interval: float = 0.1) -> None:
        """Polls in an interval, on a thread of its own, until `stop`."""
        self._health_start(interval)

    def stop(self) -> None:
        """Ends the polling."""
        self._health_stop()
