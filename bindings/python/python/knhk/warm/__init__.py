"""The warm path: an executor with priorities, deadlines and budgets, channels with backpressure, and a graph of components.

    from knhk import warm

    with warm.Executor("reports") as executor:
        future = executor.submit(sum, [2, 2])         # a `concurrent.futures.Future` that can also be awaited
        assert future.result() == 4

        @executor.task(priority=warm.Priority.LOW, budget=0.002)
        def sweep(rows):                              # a generator gives way at each `yield` where its budget is used up
            for row in rows:
                yield
            return len(rows)

        assert sweep.submit([1, 2, 3]).result() == 3

    here, there = warm.Channel.pair(64)               # at most 64 messages under way each way
    here.send("order")
    assert there.receive() == "order"

    parts = warm.Graph()
    parts.add("store", store)                         # it may have start(), drain(), stop() and health()
    parts.add("engine", engine, needs=["store"])
    with parts:                                       # starts in order; drains and stops in order at the end
        ...

Python's functions share the interpreter: with its lock on, threads of an executor take turns at it, and what is won is order, budgets and
patience, not speed. Times are in seconds.
"""

from .._knhk import Run
from ..resilience import Priority
from ._channel import Channel, Flow
from ._executor import Ended, Executor, ExecutorInfo, Future, Notice, Stats, Task, TaskStats, current_run, executors
from ._graph import Component, ComponentHealth, Fared, Graph, GraphReport, StartFailed

__all__ = [
    "Channel",
    "Component",
    "ComponentHealth",
    "Ended",
    "Executor",
    "ExecutorInfo",
    "Fared",
    "Flow",
    "Future",
    "Graph",
    "GraphReport",
    "Notice",
    "Priority",
    "Run",
    "StartFailed",
    "Stats",
    "Task",
    "TaskStats",
    "current_run",
    "executors",
]
