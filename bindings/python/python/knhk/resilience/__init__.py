"""Circuit breakers, limits, retries, hedges, shedding, degradation, recovery and health, for threads and for asyncio.

    from knhk import resilience

    breaker = resilience.Breaker("payments", consecutive_failures=5, recovery=30.0)

    @breaker                              # functions and coroutine functions
    def pay(order): ...

    with breaker:                         # an exception is a failure
        pay_otherwise(order)

    callee = resilience.Pipeline("payments", breaker, resilience.Retry("payments"), timeout=0.25)
    callee.call(pay, order)               # or: await callee.acall(apay, order)

A policy that refuses raises `knhk.Refused`, which says why and, where that is known, when another try has a chance. Times are in seconds.
Every parameter can be changed while calls go on (`retune`), also by a sector of an engine (`add_to`).
"""

from .._errors import Refused
from .._knhk import (
    ComponentReport,
    HealthReport,
    KeptCheckpoint,
    Listener,
    Parameter,
    Permit,
    PolicyInfo,
    RestoredCheckpoint,
    TakenCheckpoint,
    policies,
    remove_policy,
    retry_after,
)
from ._admitting import Admitting
from ._checkpoints import Checkpoints, Stateful
from ._health import Component, Health
from ._limits import AdaptiveLimit, Breaker, Bulkhead, Chaos, Shedder, SlidingWindow, TokenBucket
from ._load import Degradation, Level, Recovery, RecoveryReport, Strategy
from ._policy import Policy
from ._retry import Attempt, Budget, Hedge, Pipeline, Retry
from ._scope import Priority, Scope, Transition

__all__ = [
    "AdaptiveLimit",
    "Admitting",
    "Attempt",
    "Breaker",
    "Budget",
    "Bulkhead",
    "Chaos",
    "Checkpoints",
    "Component",
    "ComponentReport",
    "Degradation",
    "Health",
    "HealthReport",
    "Hedge",
    "KeptCheckpoint",
    "Level",
    "Listener",
    "Parameter",
    "Permit",
    "Pipeline",
    "Policy",
    "PolicyInfo",
    "Priority",
    "Recovery",
    "RecoveryReport",
    "Refused",
    "RestoredCheckpoint",
    "Retry",
    "Scope",
    "Shedder",
    "SlidingWindow",
    "Stateful",
    "Strategy",
    "TakenCheckpoint",
    "TokenBucket",
    "Transition",
    "policies",
    "remove_policy",
    "retry_after",
]
