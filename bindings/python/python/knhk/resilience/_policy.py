"""What all policies have: a name, a state, figures, and parameters that can be changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, cast

from .._knhk import PolicyBase
from ._scope import Scope, in_scope

Exceptions = tuple[type[BaseException], ...]


def named(**settings: float | None) -> list[tuple[str, float]]:
    """The settings that were given, with seconds as the milliseconds that the engine counts in."""
    given: list[tuple[str, float]] = []
    for name, value in settings.items():
        if value is not None:
            given.append(_setting(name, value))
    return given


_SPANS = frozenset(
    "recovery slow_call window_span span timeout base cap longest_retry_after soonest unknown pause relapse stale_after "
    "enter_after leave_after shortest_delay longest_delay".split()
)


def _setting(name: str, value: float) -> tuple[str, float]:
    if name.rpartition("/")[2] in _SPANS:
        return f"{name}_ms", value * 1000.0
    return name, float(value)


class Policy(PolicyBase):
    """Any policy. It is made as one of its kinds."""

    def __new__(cls, *_args: Any, **_settings: Any) -> Self:
        if cls is Policy:
            raise TypeError("a policy is made as one of its kinds: Breaker, Bulkhead, Retry and so on")
        raise TypeError(f"{cls.__name__} has no settings")  # pragma: no cover - each kind has its own

    @classmethod
    def _make(
        cls,
        kind: str,
        name: str,
        settings: list[tuple[str, float]],
        scope: Scope | None,
        policies: Sequence[Policy] = (),
        levels: Sequence[tuple[str, float, float, float, float, list[str]]] = (),
        strategies: Sequence[tuple[str, int, Callable[[str, str], object]]] = (),
    ) -> Self:
        return PolicyBase.__new__(
            cls, kind, name, settings, in_scope(scope), list(policies), list(levels), list(strategies)
        )

    def retune(self, settings: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Changes what is named, all or nothing, and leaves the rest. Times are in seconds: `retune(recovery=5.0)`."""
        self._retune([_setting(name, value) for name, value in {**(settings or {}), **named}.items()])

    def document(self) -> dict[str, Any]:
        """The parameters as a document for a sector that the policy follows, with ranges, units and meanings."""
        return cast("dict[str, Any]", json.loads(self._document()))
