"""Executors: functions beside the hot path, each within its budget."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar, cast, overload

from .._engine import Engine
from .._errors import Closed, TimedOut
from .._knhk import ExecutorBase, Run, TaskBase, Ticket
from .._knhk import executors as _executors
from ..resilience import Priority

P = ParamSpec("P")
T = TypeVar("T")

_StatsRow = tuple[list[int], int, bool, tuple[float, float, float, int, float | None, bool]]
_TaskRow = tuple[str, int, int, tuple[int, int, int, int], tuple[float, float, float]]


class Notice(NamedTuple):
    """Something that an operator should know."""

    kind: str
    """ "overrun", "demoted", "restored", "late", "panicked", "overload" or "overload_over"."""
    task: str
    """The task; empty of an overload."""
    text: str
    """All of it for people."""


class Stats(NamedTuple):
    """What an executor is doing."""

    waiting: list[int]
    """Runs that wait, by priority, the lowest first."""
    running: int
    """Runs whose function is being called."""
    paused: bool
    arrivals: float
    """Runs that come in a second."""
    services: float
    """Runs that the threads can end in a second; infinite while nothing is known."""
    utilisation: float
    """Arrivals by services: from 1 on the queue grows."""
    queued: int
    """Runs that have a place."""
    full_in: float | None
    """Seconds until the queue is full; None where it is not filling."""
    overloaded: bool
    """Whether overload is announced at present."""


class TaskStats(NamedTuple):
    """What is known of a task."""

    name: str
    priority: Priority
    level: Priority
    """What it is served at: below its priority where it overran its budget again and again."""
    runs: int
    slices: int
    overruns: int
    """Slices that took longer than the budget."""
    late: int
    """Runs that were dropped or ended after their deadline."""
    budget: float
    busy: float
    """What its slices took, all together."""
    worst: float
    """The longest slice."""


class Ended(NamedTuple):
    """How a shutdown went."""

    unfinished: int
    """Runs that were not over when the time to drain was, and were cancelled."""
    stuck: list[str]
    """The tasks of runs that did not return; their threads were left to themselves."""


class ExecutorInfo(NamedTuple):
    """An executor, as an engine lists it."""

    name: str
    stats: Stats
    tasks: list[TaskStats]


def executors(engine: Engine) -> list[ExecutorInfo]:
    """The executors that an engine was told of (`Executor.add_to`) and that have not ended, in any language, and last the engine's own, once it has
    something to do: what `knhk tasks` shows."""
    return [ExecutorInfo(name, _stats(stats), [_task_stats(task) for task in tasks]) for name, stats, tasks in _executors(engine)]


def _stats(row: _StatsRow) -> Stats:
    waiting, running, paused, load = row
    return Stats(waiting, running, paused, *load)


def _task_stats(row: _TaskRow) -> TaskStats:
    name, priority, level, counts, times = row
    return TaskStats(name, Priority(priority), Priority(level), *counts, *times)


_at = threading.local()


def current_run() -> Run | None:
    """The run that this thread is at; None outside of an executor. A function that takes long asks it `should_yield` or `cancelled`."""
    return cast("Run | None", getattr(_at, "run", None))


class Future(concurrent.futures.Future[T]):
    """What was submitted: its value, or the exception that it raised. It can be awaited.

    `cancel` cancels a run that waits. One that runs is told (`Run.cancelled`, and a generator is closed at its next `yield`), and False is
    returned; where it ends for that reason, the future's exception is a `concurrent.futures.CancelledError`. A run that was dropped because its
    deadline had passed before it began raises `knhk.TimedOut`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ticket: Ticket | None = None
        self._over = False

    def _held(self, ticket: Ticket) -> None:
        # A ticket keeps its run's place. The run may be over by now, or from here on: either way it is let go of.
        self._ticket = ticket
        if self._over:
            self._ticket = None

    def cancel(self) -> bool:
        """Cancels the run; whether it never runs."""
        if (ticket := self._ticket) is not None:
            ticket.cancel()
        return self.cancelled()

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()


class _Work(Generic[T]):
    """What a run does, slice by slice. What came of it is told when the run is over and counted."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.future: Future[T] = Future()
        self.call: Callable[[], object] | None = call
        self.steps: Generator[object, None, object] | None = None
        self.value: object = None
        self.raised: BaseException | None = None

    def step(self, run: Run) -> bool:
        """Does a slice; whether there is more to do."""
        outer, _at.run = current_run(), run
        try:
            if (call := self.call) is not None:
                self.call = None
                if not self.future.set_running_or_notify_cancel():
                    return False
                came = call()
                if not inspect.isgenerator(came):
                    self.value = came
                    return False
                self.steps = cast("Generator[object, None, object]", came)
            assert self.steps is not None
            while not run.cancelled:
                next(self.steps)
                if run.should_yield():
                    return True
        except StopIteration as end:
            self.steps, self.value = None, end.value
        except BaseException as error:
            self.steps, self.raised = None, error
        finally:
            _at.run = outer
        return False

    def over(self, state: str) -> None:
        future, given_up = self.future, self.steps is not None
        future._over = True
        future._ticket = None
        if self.steps is not None:
            try:
                self.steps.close()
            except BaseException as error:
                self.raised = error
        if self.call is not None:
            self.call = None
            if state == "expired":
                future.set_exception(TimedOut("the run was dropped: its deadline had passed before it began"))
            elif concurrent.futures.Future.cancel(future):
                future.set_running_or_notify_cancel()
        elif self.raised is not None:
            future.set_exception(self.raised)
        elif given_up:
            future.set_exception(concurrent.futures.CancelledError("the run was cancelled before its end"))
        else:
            future.set_result(cast(T, self.value))
        # The future may be kept for long, and what it came from need not be.
        del self.future, self.value, self.raised, self.steps


class Task(Generic[P, T]):
    """A function with a priority, a budget and a conduct of its own: see `Executor.task`."""

    def __init__(self, executor: Executor, function: Callable[P, Any], base: TaskBase) -> None:
        self._executor, self._base = executor, base
        self.function = function

    def submit(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queues a run. Raises `knhk.Busy` where all places are taken, `knhk.Closed` where the executor has ended."""
        return self._executor._submit(self._base, None, lambda: self.function(*args, **kwargs))

    def submit_within(self, within: float, /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `submit`, for what should be over within so many seconds: at one priority the earliest deadline is served first."""
        return self._executor._submit(self._base, within, lambda: self.function(*args, **kwargs))

    def stats(self) -> TaskStats:
        """What is known of it."""
        return _task_stats(self._base.stats())


class _Registers(Protocol):
    """A decorator."""

    @overload
    def __call__(self, function: Callable[P, Generator[Any, None, T]], /) -> Task[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> Task[P, T]: ...


class Executor(concurrent.futures.Executor):
    """Runs functions on few threads, by priority and deadline, within budgets; it measures overruns, and announces overload.

    `threads`: how many. `capacity`: runs that may wait or run. `horizon`: overload is told of when the queue will be full in so many seconds.
    `notice`: called with each `Notice`, on the thread that finds it.

    It is a `concurrent.futures.Executor`, so `loop.run_in_executor` and `map` work with it. Used as a context, it waits at the end for what was
    submitted; when it is forgotten instead, what waits is given up.
    """

    def __init__(
        self,
        name: str = "knhk-warm",
        *,
        threads: int = 2,
        capacity: int = 1024,
        horizon: float = 1.0,
        notice: Callable[[Notice], object] | None = None,
    ) -> None:
        told = None if notice is None else lambda *of: notice(Notice(*of))
        self._base = ExecutorBase(name, threads, capacity, horizon, told)
        self._usual = self._base.task("submit", Priority.NORMAL, 0.001, False)
        self._pending: set[Future[Any]] = set()
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queues a call of a function at the usual priority, with a budget of 1 ms: see `task` for others.

        Raises `knhk.Busy` where all places are taken, `knhk.Closed` where the executor has ended.
        """
        return self._submit(self._usual, None, lambda: fn(*args, **kwargs))

    @overload
    def task(
        self,
        function: Callable[P, Generator[Any, None, T]],
        /,
        *,
        name: str | None = None,
        priority: Priority = Priority.NORMAL,
        budget: float = 0.001,
        drop_late: bool = False,
    ) -> Task[P, T]: ...
    @overload
    def task(
        self,
        function: Callable[P, T],
        /,
        *,
        name: str | None = None,
        priority: Priority = Priority.NORMAL,
        budget: float = 0.001,
        drop_late: bool = False,
    ) -> Task[P, T]: ...
    @overload
    def task(
        self,
        function: None = None,
        /,
        *,
        name: str | None = None,
        priority: Priority = Priority.NORMAL,
        budget: float = 0.001,
        drop_late: bool = False,
    ) -> _Registers: ...
    def task(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        priority: Priority = Priority.NORMAL,
        budget: float = 0.001,
        drop_late: bool = False,
    ) -> Any:
        """Registers a function, also as a decorator. What matters most is served first; at one priority the earliest deadline is.

        `budget`: what a slice may take; a task of whose last 16 slices 4 took longer loses a level, and gets it back after 64 slices in a row within
        it. A function is one slice. A generator function gives way at a `yield` where its budget is used up, the run was cancelled, or the executor
        is paused; what it returns is the future's value. `drop_late`: drops runs whose deadline has passed before they begin.
        """

        def register(function: Callable[..., Any]) -> Task[..., Any]:
            if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
                raise TypeError("an executor runs functions and generator functions; coroutines belong to an event loop")
            called = name or str(getattr(function, "__qualname__", function))
            return Task(self, function, self._base.task(called, priority, budget, drop_late))

        return register if function is None else register(function)

    def pause(self) -> None:
        """Begins nothing more until `resume`; runs under way are told to yield."""
        self._base.pause()

    def resume(self) -> None:
        """Goes on after `pause`."""
        self._base.resume()

    def stats(self) -> Stats:
        """What it is doing."""
        return _stats(self._base.stats())

    def tasks(self) -> list[TaskStats]:
        """What is known of each task that somebody still holds."""
        return [_task_stats(row) for row in self._base.tasks()]

    def counters(self) -> dict[str, int]:
        """Its counters, by their names."""
        return self._base.counters()

    def add_to(self, engine: Engine) -> None:
        """Has an engine list it for operators (`knhk tasks`), until it ends. It yields to the engine's hot path from now on (`Engine.report_hot`),
        unless it yields to another's already."""
        self._base.add_to(engine)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes nothing more, and, unless told not to, waits for what was submitted. With `cancel_futures` what waits is cancelled."""
        self._closed = True
        pending = list(self._pending)
        if cancel_futures:
            for future in pending:
                future.cancel()
        if wait:
            concurrent.futures.wait(pending)
            self._base.end(0.0, 0.0)
        else:
            # It goes on until the last one is over.
            threading.Thread(target=self.shutdown, name="knhk-shutdown").start()

    def stop(self, *, drain: float = 10.0, cancel: float = 5.0) -> Ended:
        """Ends in time: takes nothing more, lets what is there end for `drain` seconds, cancels the rest, waits for functions that run for
        `cancel` seconds, and tells whose did not return. Not from a function of its own."""
        self._closed = True
        return Ended(*(self._base.end(drain, cancel) or (0, [])))

    def _submit(self, task: TaskBase, within: float | None, call: Callable[[], object]) -> Future[Any]:
        if self._closed:
            raise Closed("the executor was shut down: nothing more can be submitted")
        work: _Work[Any] = _Work(call)
        future = work.future
        # Before the run can be over, which takes it out again.
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        try:
            future._held(task.submit(work, within))
        except BaseException:
            self._pending.discard(future)
            raise
        return future
