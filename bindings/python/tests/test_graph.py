"""Component graphs: started in order, stopped in order, and who does not stop is named."""

import asyncio
import os
import threading

import pytest

import knhk
from knhk import resilience, warm

LONG = 60.0


class Part:
    """A component that notes what it is asked to do."""

    def __init__(self, name, log, **does):
        self.name, self.log, self.does = name, log, does

    def _asked(self, what):
        self.log.append(f"{what} {self.name}")
        if what in self.does:
            return self.does[what]()

    def start(self):
        self._asked("start")

    def drain(self):
        self._asked("drain")

    def stop(self):
        self._asked("stop")

    def health(self):
        return self.does.get("health", 1.0)


def planted(why):
    def fails():
        raise OSError(why)

    return fails


def test_a_graph_starts_and_stops_in_order():
    log = []
    parts = warm.Graph()
    parts.add("store", Part("store", log, health=0.4))
    parts.add("engine", Part("engine", log), needs=["store"])
    with pytest.raises(knhk.InvalidArgument, match="store -> engine -> store"):
        parts.depend("store", "engine")
    with pytest.raises(knhk.NotFound):
        parts.add("other", Part("other", log), needs=["stor"])
    with pytest.raises(knhk.AlreadyExists):
        parts.add("store", Part("store", log))
    with pytest.raises(TypeError):
        parts.add("other", object())
    assert parts.components() == [("store", []), ("engine", ["store"])]
    with parts:
        assert log == ["start store", "start engine"]
        store, engine = parts.health()
        assert (store.own, engine.own, engine.effective, engine.because_of) == (0.4, 1.0, 0.4, ["store"])
        with pytest.raises(knhk.Busy):
            parts.depend("engine", "store")
    assert log[2:] == ["drain engine", "drain store", "stop engine", "stop store"]
    assert parts.shutdown().all == []


def test_a_start_that_fails_leaves_nothing_running():
    log = []
    parts = warm.Graph()
    parts.add("store", Part("store", log))
    parts.add("ledger", Part("ledger", log, start=planted("no disk")), needs=["store"])
    parts.add("engine", Part("engine", log), needs=["ledger"])
    with pytest.raises(warm.StartFailed, match="ledger failed: OSError: no disk") as failed:
        asyncio.run(parts.astart(timeout=LONG))
    assert [each.outcome for each in failed.value.report.all] == ["done", "failed", "skipped"]
    assert failed.value.report.all[2].why == "ledger" and failed.value.code == 111
    assert log == ["start store", "start ledger", "stop store"]


def threads_of(phase):
    """Threads of a phase that have not ended."""
    count = 0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/comm") as comm:
                count += comm.read().strip() == f"knhk-{phase}"
        except OSError:
            pass  # It has ended meanwhile.
    return count


def test_a_shutdown_of_fifty_ends_at_its_deadline_and_names_the_stuck():
    """Ten chains of five. The clock is the test's own, and stands while there is something to wait for."""
    log, let_go = [], threading.Event()
    scope = resilience.Scope("manual")
    parts = warm.Graph(scope)
    stuck = {"c0l4": "stop", "c3l2": "stop", "c5l1": "drain"}
    for chain in range(10):
        for link in range(5):
            name = f"c{chain}l{link}"
            does = {stuck[name]: let_go.wait} if name in stuck else {}
            parts.add(name, Part(name, log, **does), needs=[f"c{chain}l{link - 1}"] if link else [])
    parts.start(timeout=LONG)

    def settled(phase, called, left):
        while sum(each.startswith(phase) for each in list(log)) < called or threads_of(phase) > left:
            pass

    reports = []
    ending = threading.Thread(target=lambda: reports.append(parts.shutdown(drain=60.0, stop=60.0)))
    ending.start()
    for phase, called, left, seconds in [("drain", 49, 1, 31), ("drain", 50, 1, 30), ("stop", 44, 2, 21), ("stop", 50, 2, 40)]:
        settled(phase, called, left)
        scope.advance(seconds)
    ending.join(LONG)
    [report] = reports
    assert report.stuck == list(stuck) and not report.all_well and report.took == 122.0
    assert {each.name: each.why for each in report.all if each.outcome == "stuck"} == stuck
    assert str(report).startswith("47 of 50 components did in ") and "c5l1 did not return from drain" in str(report)
    let_go.set()
    # None of them is left behind when the interpreter ends.
    while threads_of("stop") or threads_of("drain"):
        pass
