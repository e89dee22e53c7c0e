"""The kinds that admit calls: breaker, limits, shedding, chaos."""

from __future__ import annotations

from typing import Self

from ._admitting import Admitting
from ._policy import Exceptions, named
from ._scope import Scope


class Breaker(Admitting):
    """A circuit breaker: stops calling what fails, and tries again later.

    It opens after `consecutive_failures` in a row; or, after `minimum_calls`, when the moving average of failures (`ema_alpha`) reaches
    `ema_threshold`, or when the window's share of failures, or of calls slower than `slow_call`, reaches its rate. The window is the last
    `window_calls` calls, or `window_span` seconds. After `recovery` seconds it admits `half_open_permits` probes.
    """

    def __new__(
        cls,
        name: str,
        *,
        consecutive_failures: int | None = None,
        ema_alpha: float | None = None,
        ema_threshold: float | None = None,
        minimum_calls: int | None = None,
        failure_rate: float | None = None,
        slow_call: float | None = None,
        slow_call_rate: float | None = None,
        recovery: float | None = None,
        half_open_permits: int | None = None,
        window_calls: int | None = None,
        window_span: float | None = None,
        window_buckets: int | None = None,
        ignored: Exceptions = (),
        scope: Scope | None = None,
    ) -> Self:
        given = named(
            consecutive_failures=consecutive_failures,
            ema_alpha=ema_alpha,
            ema_threshold=ema_threshold,
            minimum_calls=minimum_calls,
            failure_rate=failure_rate,
            slow_call=slow_call,
            slow_call_rate=slow_call_rate,
            recovery=recovery,
            half_open_permits=half_open_permits,
            window_calls=window_calls,
            window_span=window_span,
            window_buckets=window_buckets,
        )
        made = cls._make("breaker", name, given, scope)
        made.ignored = ignored
        return made


class Bulkhead(Admitting):
    """Admits at most `limit` calls at once."""

    def __new__(cls, name: str, limit: int, *, scope: Scope | None = None) -> Self:
        return cls._make("bulkhead", name, named(limit=limit), scope)


class AdaptiveLimit(Admitting):
    """Admits as many calls at once as the callee takes without queueing, and learns how many those are from what calls take."""

    def __new__(
        cls,
        name: str,
        *,
        lowest: int | None = None,
        highest: int | None = None,
        initial: int | None = None,
        tolerance: float | None = None,
        queue: float | None = None,
        smoothing: float | None = None,
        ignored: Exceptions = (),
        scope: Scope | None = None,
    ) -> Self:
        given = named(
            lowest=lowest, highest=highest, initial=initial, tolerance=tolerance, queue=queue, smoothing=smoothing
        )
        made = cls._make("adaptive", name, given, scope)
        made.ignored = ignored
        return made


class TokenBucket(Admitting):
    """Admits `rate` calls a second, and `burst` at once. `acquire` and `aacquire` wait for their turn."""

    def __new__(cls, name: str, rate: float, burst: int | None = None, *, scope: Scope | None = None) -> Self:
        return cls._make("token_bucket", name, named(rate=rate, burst=burst), scope)


class SlidingWindow(Admitting):
    """Admits at most `limit` calls in any `span` of seconds, exactly; `capacity` is the limit that a retune may set."""

    def __new__(
        cls, name: str, limit: int, span: float, *, capacity: int | None = None, scope: Scope | None = None
    ) -> Self:
        return cls._make("sliding_window", name, named(limit=limit, span=span, capacity=capacity), scope)


class Shedder(Admitting):
    """Refuses what matters least when the load, which `load` tells, reaches its priority's threshold."""

    def __new__(
        cls,
        name: str,
        *,
        background: float | None = None,
        low: float | None = None,
        normal: float | None = None,
        high: float | None = None,
        critical: float | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = named(background=background, low=low, normal=normal, high=high, critical=critical)
        return cls._make("shedder", name, given, scope)


class Chaos(Admitting):
    """Injects faults, the same ones for the same seed, once it is switched on: a share of calls fails, a share is delayed."""

    def __new__(
        cls,
        name: str,
        *,
        failures: float | None = None,
        delays: float | None = None,
        delay: tuple[float, float] = (0.0, 0.0),
        seed: int | None = None,
        scope: Scope | None = None,
    ) -> Self:
        given = named(failures=failures, delays=delays, shortest_delay=delay[0], longest_delay=delay[1], seed=seed)
        return cls._make("chaos", name, given, scope)
