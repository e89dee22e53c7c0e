"""The component graph: parts of a program that start after what they need, and stop before it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from .._errors import CallFailed
from .._knhk import GraphBase
from ..resilience import Scope


class Component(Protocol):
    """A component. Each of these may be left out; what one raises is why it failed.

    `start`, `drain` and `stop` are called on threads of their own. After a phase that one did not return from, the next one is called while
    the call before still runs.
    """

    def start(self) -> object:
        """Begins its work. What it needs has begun."""
        ...

    def drain(self) -> object:
        """Takes nothing more, and returns when it is done with what it has."""
        ...

    def stop(self) -> object:
        """Ends. What needs it has ended, or was given up."""
        ...

    def health(self) -> float:
        """How well it is, from 0 to 1."""
        ...


class Fared(NamedTuple):
    """How a component fared."""

    name: str
    outcome: str
    """ "done", "failed", "stuck" or "skipped"."""
    why: str
    """Why it failed; what it did not return from; what it needs and was not started. Empty where it is done."""
    took: float
    """How many seconds it took, where it is done."""


@dataclass(frozen=True)
class GraphReport:
    """How a start or a shutdown went. `str()` of it is for people."""

    all: list[Fared]
    """Each component that had a part, in the order in which they were added."""
    took: float
    _text: str

    @property
    def all_well(self) -> bool:
        """Whether every component did what it was asked to."""
        return all(each.outcome == "done" for each in self.all)

    @property
    def stuck(self) -> list[str]:
        """The components that did not return."""
        return [each.name for each in self.all if each.outcome == "stuck"]

    def __str__(self) -> str:
        return self._text


class ComponentHealth(NamedTuple):
    """A component's health."""

    name: str
    own: float
    """What it says of itself, from 0 to 1; 0 for one that does not run, or that raises."""
    effective: float
    """The least of its own health and of what it needs, directly or not."""
    because_of: list[str]
    """The components that pull it down; empty where it is its own doing."""


class StartFailed(CallFailed):
    """Some components could not be started; what had started was stopped again."""

    report: GraphReport
    """How each fared."""


def _report(row: tuple[list[tuple[str, str, str, float]], str, float]) -> GraphReport:
    each, text, took = row
    return GraphReport([Fared(*one) for one in each], took, text)


class Graph:
    """Components that start after what they need, and stop before it.

        parts = Graph()
        parts.add("store", store)
        parts.add("engine", engine, needs=["store"])
        with parts:                          # or: parts.start() … print(parts.shutdown())
            serve()

    A shutdown drains all, then stops all, each phase within its time. A component that does not return keeps nobody waiting for ever: it is named in the
    report, and its thread left to itself. Any thread; the calls that wait have a form for asyncio.
    """

    def __init__(self, scope: Scope | None = None) -> None:
        """`scope`: whose clock it goes by; without one the system's."""
        self._base = GraphBase(scope)

    def add(self, name: str, component: object, /, *, needs: Sequence[str] = ()) -> None:
        """Adds a `Component` that depends on others, which were added before. It is not started."""
        parts = [getattr(component, part, None) for part in ("start", "drain", "stop", "health")]
        if not any(callable(part) for part in parts):
            raise TypeError("a component has at least one of start(), drain(), stop() and health()")
        self._base.add(name, list(needs), *parts)

    def depend(self, name: str, on: str, /) -> None:
        """Says that a component depends on another. A cycle is refused, with its path: `knhk.InvalidArgument`."""
        self._base.depend(name, on)

    def components(self) -> list[tuple[str, list[str]]]:
        """The components by name, each after what it needs, with what that is."""
        return self._base.components()

    def start(self, *, timeout: float = 10.0) -> GraphReport:
        """Starts what does not run, in order. Raises `StartFailed`."""
        row, failed = self._base.start(timeout)
        report = _report(row)
        if failed is not None:
            error = StartFailed(failed)
            error.code, error.status, error.stage, error.report = 111, "call failed", "graph", report
            raise error
        return report

    def shutdown(self, *, drain: float = 10.0, stop: float = 5.0) -> GraphReport:
        """Drains, then stops what runs, in order; ends when both times are over, and tells who did not."""
        return _report(self._base.shutdown(drain, stop))

    def health(self) -> list[ComponentHealth]:
        """How well each component is, in the order in which they were added. They are asked on this thread."""
        return [ComponentHealth(*row) for row in self._base.health()]

    async def astart(self, *, timeout: float = 10.0) -> GraphReport:
        """`start` in a thread."""
        return await asyncio.to_thread(self.start, timeout=timeout)

    async def ashutdown(self, *, drain: float = 10.0, stop: float = 5.0) -> GraphReport:
        """`shutdown` in a thread."""
        return await asyncio.to_thread(self.shutdown, drain=drain, stop=stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()
