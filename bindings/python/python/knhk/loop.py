"""The closed loop: the engine watches what the program observes, proposes changes of its limits, and follows what becomes of them.

    eng.loop.start(sectors=["gateway"], proposers=["rule", "halve"])

    @eng.loop.proposer("halve")
    def halve(question):                      # asked about what was found; it may only propose
        limit = question.parameter("concurrency")
        return Plan({"concurrency": limit.value // 2}, why="half of it", confidence=0.9)

    async for cycle in eng.loop.finished():   # each as it ends
        print(cycle)

What is watched, and what is done about it, a sector's ontology declares (`knhk:Watch`, `knhk:Remedy`). Times are nanoseconds since 1970 (UTC), or
aware `datetime`s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import _knhk
from . import _looped as _types
from ._errors import Error
from ._governed import Moment, _at
from ._looped import (
    Counts,
    Cycle,
    Difference,
    Example,
    Forecast,
    HookInfo,
    Knowledge,
    Parameter,
    Pattern,
    Plan,
    Question,
    Replayed,
    Sample,
    Score,
    Status,
    Tally,
    WatchStatus,
)
from ._news import Mailbox, News

if TYPE_CHECKING:
    from ._engine import Engine

__all__ = [
    "Counts",
    "Cycle",
    "Difference",
    "Example",
    "Finished",
    "Forecast",
    "HookInfo",
    "Knowledge",
    "Loop",
    "Parameter",
    "Pattern",
    "Plan",
    "Question",
    "Replayed",
    "Sample",
    "Score",
    "Status",
    "Tally",
    "WatchStatus",
]

Proposer = Callable[[Question], Plan | None]
Detector = Callable[[Sample], Score | None]

_P = TypeVar("_P", bound=Proposer)
_D = TypeVar("_D", bound=Callable[[str, str], Detector])
_H = TypeVar("_H", bound=Callable[[HookInfo], object])


class Loop:
    """An engine's closed loop. Every method may be called from any thread. Made by `Engine.loop`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(
        self,
        *,
        sectors: list[str] | None = None,
        every: float | None = None,
        changes_per_hour: int | None = None,
        step: float | None = None,
        cooldown: int | None = None,
        confirm_above: float | None = None,
        proposers: list[str] | None = None,
        deadline: float | None = None,
    ) -> Status:
        """Starts the loop, on a thread of the engine; times are in seconds. One that runs goes on with the new settings.

        `sectors`: those that it watches, each that declares watches if left out. `every`: how often it takes a turn. `changes_per_hour`: of a
        sector, at most. `step`: how far a value may move at once, as a share of it. `cooldown`: after a cycle, for its watch. `confirm_above`:
        what moves a value by a greater share waits for a person. `proposers`: who is asked, in this order: "rule", "search", "model", and
        the names of your own. `deadline`: for each callback.

        Raises `NotReady` where the engine keeps no observations.
        """
        settings = {
            "sectors": sectors,
            "every_ms": None if every is None else round(every * 1e3),
            "changes_per_hour": changes_per_hour,
            "step": step,
            "cooldown_s": cooldown,
            "confirm_above": confirm_above,
            "proposers": proposers,
            "deadline_ms": None if deadline is None else round(deadline * 1e3),
        }
        return _types.status(self._engine.govern("loop_start", **settings))

    def stop(self) -> Status:
        """Stops the loop, once the turn under way has ended. What it proposed stays on its way."""
        return _types.status(self._engine.govern("loop_stop"))

    def step(self) -> list[Cycle]:
        """Takes one turn now, on this thread; the cycles that it began or moved on. For a program that has the clock in its own hands."""
        return [_types.cycle(cycle) for cycle in self._engine.govern("loop_step")["cycles"]]

    async def astep(self) -> list[Cycle]:
        """`step` in a thread."""
        return await asyncio.to_thread(self.step)

    def status(self) -> Status:
        """What the loop is doing."""
        return _types.status(self._engine.govern("loop_status"))

    def patterns(
        self, *, sector: str | None = None, since: Moment | None = None, limit: int | None = None
    ) -> list[Pattern]:
        """What was found, the newest first; at most 100 unless `limit` says so."""
        answer = self._engine.govern("patterns", sector=sector, since_ns=_at(since), limit=limit)
        return [_types.pattern(pattern) for pattern in answer["patterns"]]

    def cycles(
        self, *, sector: str | None = None, open: bool = False, before: str | None = None, limit: int | None = None
    ) -> list[Cycle]:
        """Cycles, the newest first; at most 100 unless `limit` says so. `open`: only those that are under way."""
        answer = self._engine.govern("cycles", sector=sector, open=open, before=before, limit=limit)
        return [_types.cycle(cycle) for cycle in answer["cycles"]]

    def cycle(self, id: str, /) -> Cycle:
        """The cycle of that id. Raises `NotFound`."""
        return _types.cycle(self._engine.govern("cycle", id=id))

    def replay(
        self, cycle: str | None = None, /, *, since: Moment | None = None, until: Moment | None = None
    ) -> Replayed:
        """Computes decisions anew from the observations that were kept, of a cycle or of a span, and compares them with the receipts."""
        return _types.replayed(
            self._engine.govern("replay", cycle=cycle, from_ns=_at(since), to_ns=_at(until))
        )

    def knowledge(self, *, sector: str | None = None) -> Knowledge:
        """What was learned."""
        return _types.knowledge(self._engine.govern("knowledge", sector=sector))

    def export_knowledge(self) -> dict[str, Any]:
        """All that was learned, for `import_knowledge` of another engine."""
        answer: dict[str, Any] = self._engine.govern("export_knowledge")["knowledge"]
        return answer

    def import_knowledge(self, knowledge: Mapping[str, Any], /) -> int:
        """Adds what another engine learned, which counts as older than what is here; how many outcomes that were."""
        answer: int = self._engine.govern("import_knowledge", knowledge=dict(knowledge))["imported"]
        return answer

    def proposer(self, name: str, /) -> Callable[[_P], _P]:
        """Adds what it decorates as a proposer: asked a `Question`, it gives a `Plan`, or `None` where it knows none. The settings name it among
        `proposers`. What it raises is why it could not, and the cycle says it. It runs on a thread of the loop."""

        def add(propose: _P) -> _P:
            def answer(text: str) -> str | None:
                plan = propose(_types.question(json.loads(text)))
                if plan is None:
                    return None
                if not isinstance(plan, Plan):
                    raise TypeError(f"a proposer gives a Plan or None, not {type(plan).__name__}")
                return json.dumps(_types.written(plan))

            _knhk.add_proposer(self._engine, name, answer)
            return propose

        return add

    def remove_proposer(self, name: str, /) -> bool:
        """Removes a proposer; whether it was there."""
        return _knhk.remove_proposer(self._engine, name)

    def detector(self, name: str, /) -> Callable[[_D], _D]:
        """Adds what it decorates, a class or a function, as a kind of detector: called with a sector and a watch, it makes what judges that
        watch's samples one after another, giving a `Score`, or `None` while there were too few. Watches name it "callback:NAME"."""

        def add(make: _D) -> _D:
            def made(sector: str, watch: str) -> Callable[[str], str | None]:
                judge = make(sector, watch)

                def score(text: str) -> str | None:
                    says = judge(_types.sample(json.loads(text)))
                    if says is None:
                        return None
                    return json.dumps({"statistic": says.statistic, "confidence": says.confidence, "expected": says.expected})

                return score

            _knhk.add_detector(self._engine, name, made)
            return make

        return add

    def remove_detector(self, name: str, /) -> bool:
        """Removes a kind of detector; whether it was there."""
        return _knhk.remove_detector(self._engine, name)

    def hook(
        self, phase: Literal["monitor", "analyze", "plan", "execute", "learn"], when: Literal["before", "after"] = "after", /
    ) -> Callable[[_H], _H]:
        """Calls what it decorates with a `HookInfo` before or after a phase of each turn, on a thread of the hooks: a slow one misses some, which
        `status().hooks_skipped` counts, and holds nothing up. What it raises is logged."""

        def add(hears: _H) -> _H:
            self.add_hook(hears, phase, when)
            return hears

        return add

    def add_hook(
        self,
        hears: Callable[[HookInfo], object],
        phase: Literal["monitor", "analyze", "plan", "execute", "learn"],
        when: Literal["before", "after"] = "after",
        /,
    ) -> int:
        """`hook` as a call; what `remove_hook` takes."""
        return _knhk.add_hook(self._engine, phase, when, lambda text: hears(_types.heard(json.loads(text))))

    def remove_hook(self, number: int, /) -> bool:
        """Removes a hook; whether it was there."""
        return _knhk.remove_hook(self._engine, number)

    def finished(self) -> Finished:
        """The cycles that end from now on, as an asynchronous iterator. Call it on an event loop."""
        return Finished(self)


class Finished(News[Cycle]):
    """Cycles in the order in which they end: `async for cycle in eng.loop.finished()`.

    It ends when the engine is closed. `aclose`, leaving its `async with` block and being forgotten take its hook away.
    """

    def __init__(self, loop: Loop) -> None:
        def subscribe(post: Callable[[Cycle], None]) -> Callable[[], object]:
            def hears(info: HookInfo) -> None:
                if info.cycle is not None:
                    post(info.cycle)

            hook = loop.add_hook(hears, "learn", "after")

            def leave() -> None:
                # An engine that was closed, or is a forked parent's, has none any more.
                with suppress(Error):
                    loop.remove_hook(hook)

            return leave

        super().__init__(loop._engine, Mailbox(), subscribe)

    @property
    def missed(self) -> int:
        """Cycles that were given up because nobody took them. Those that a slow hook missed `Loop.status` counts."""
        return self._mailbox.missed
