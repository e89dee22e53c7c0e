"""The closed loop: each row of the table that C, Python and Node share, and what the methods give."""

import asyncio
import json
import threading
from pathlib import Path

import knhk
import pytest
from knhk import governance
from knhk.loop import Plan, Score

TABLE = json.loads((Path(__file__).parents[3] / "tests" / "loop" / "table.json").read_text())
SECOND = 10**9
FAULT = TABLE["rows"][1]


def opened(row):
    eng = knhk.open(":memory:", signer=knhk.Signer.generate(), observations=True, manual_time=TABLE["begin_ns"], ring_records=1 << 14)
    eng.create_sector("gateway", kind="governed")
    first = eng.propose({"gateway": governance.Whole(TABLE["ontology"] + "\n".join(row["declares"]), "turtle")}, by="ops-1")
    assert first.state == "enacted", str(first)
    return eng


def traffic(eng, phases):
    key = eng.sector("gateway").key("concurrency", int)
    now = eng.advance_time(0)
    for seconds, records, failed, value in phases:
        for _ in range(seconds):
            for record in range(records):
                outcome = knhk.Outcome.ERROR if record < failed else knhk.Outcome.SUCCESS
                assert eng.observe(key, value, outcome, time_ns=now + record)
            now = eng.advance_time(1)


def concurrency(eng):
    return eng.sector("gateway").key("concurrency", int)()


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["name"])
def test_each_row_of_the_table(row):
    with opened(row) as eng:
        if (does := row.get("plan")) is not None:

            @eng.loop.proposer("own")
            def own(question):
                assert question.parameter("concurrency").value == 64
                if "throws" in does:
                    raise RuntimeError(does["throws"])
                return Plan({"concurrency": does["value"]}, "own: it is known to hold", 0.9) if does else None

        if (judges := row.get("detector")) is not None:

            @eng.loop.detector("jump")
            class Jump:
                def __init__(self, sector, watch):
                    assert (sector, watch) == ("gateway", "Jump")

                def __call__(self, sample):
                    if "throws" in judges:
                        raise RuntimeError(judges["throws"])
                    if sample.value is None:
                        return None
                    assert sample.counts.count == 60 and sample.to_ns - sample.from_ns == SECOND
                    return Score(sample.value, 0.9999 if sample.value > judges["above"] else 0.0, judges["above"])

        settings = row.get("settings", {})
        eng.loop.start(every=0, **settings)
        eng.loop.step()
        traffic(eng, row["traffic"])
        eng.loop.step()
        eng.loop.step()
        cycles = eng.loop.cycles(limit=1)
        if (wanted := row["cycle"]) is None:
            assert cycles == []
        else:
            [cycle] = cycles
            assert cycle.state == wanted.get("state", "closed"), cycle.said
            assert cycle.outcome == wanted.get("outcome", cycle.outcome), cycle.said
            assert cycle.proposer == wanted.get("proposer", cycle.proposer)
            assert cycle.pattern.watch == wanted["watch"] and wanted.get("says", "") in cycle.said
            assert cycle.said in str(cycle)
        assert concurrency(eng) == row["value"]
        assert eng.loop.status().callbacks_failed >= row.get("failed", 0)


def test_finished_cycles_are_iterated_and_hooks_hear_of_phases():
    async def main():
        with opened(FAULT) as eng:
            heard, both = [], threading.Event()

            @eng.loop.hook("plan", "before")
            def before(info):
                heard.append((info.phase, info.when, info.sector))

            @eng.loop.hook("learn")
            def after(info):
                heard.append((info.phase, info.when, info.cycle.id))
                both.set()

            eng.loop.start(every=0)
            eng.loop.step()
            traffic(eng, FAULT["traffic"])
            async with eng.loop.finished() as finished:
                await eng.loop.astep()
                await eng.loop.astep()
                cycle = await anext(finished)
            assert (cycle.id, cycle.outcome, cycle.plan.changes) == ("l-1", "kept", {"concurrency": 32})
            assert await asyncio.to_thread(both.wait, 60)
            assert heard == [("plan", "before", "gateway"), ("learn", "after", "l-1")]
            assert finished.missed == 0
            ends = eng.loop.finished()
            eng.close()
            assert [cycle async for cycle in ends] == []

    asyncio.run(main())


def test_what_was_found_and_learned_is_told_and_carried_elsewhere():
    with opened(FAULT) as eng, opened(FAULT) as other:
        eng.loop.start(every=0)
        eng.loop.step()
        traffic(eng, FAULT["traffic"])
        eng.loop.step()
        eng.loop.step()
        [pattern] = eng.loop.patterns(sector="gateway")
        assert (pattern.watch, pattern.cycle, pattern.concerns) == ("Errors", "l-1", "concurrency")
        assert pattern.confidence > 0.999999 and pattern.evidence
        cycle = eng.loop.cycle("l-1")
        assert cycle.pattern.observed == pattern.observed > pattern.expected
        proposal = eng.proposal(cycle.proposal)
        assert proposal.state == "enacted" and cycle.versions == {"gateway": 2}
        assert cycle.receipts and all(eng.receipt(receipt) for receipt in cycle.receipts)
        assert eng.loop.cycles(open=True) == [] == eng.loop.patterns(since=eng.advance_time(0) + SECOND)
        knowledge = eng.loop.knowledge()
        assert knowledge.proposers["rule"].kept == 1 and knowledge.watches["gateway/Errors"].rate == 1
        watch = next(watch for watch in eng.loop.status().watches if watch.watch == "Errors")
        assert watch.samples > 0 and eng.loop.status().counters
        replayed = eng.loop.replay("l-1")
        assert replayed.equal and replayed.differences == replayed.left_out == []
        assert other.loop.import_knowledge(eng.loop.export_knowledge()) > 0
        assert other.loop.knowledge().proposers["rule"].kept == 1
        with pytest.raises(knhk.NotFound):
            eng.loop.cycle("l-99")


def test_what_is_refused():
    with opened(FAULT) as eng:
        loop = eng.loop
        loop.proposer("own")(lambda question: None)
        with pytest.raises(knhk.AlreadyExists):
            loop.proposer("own")(lambda question: None)
        with pytest.raises(knhk.InvalidArgument):
            loop.proposer("rule")(lambda question: None)
        assert loop.remove_proposer("own") and not loop.remove_proposer("own")
        loop.detector("jump")(lambda sector, watch: lambda sample: None)
        assert loop.remove_detector("jump") and not loop.remove_detector("jump")
        with pytest.raises(knhk.InvalidArgument, match="there is no phase"):
            loop.hook("dream")(print)
        number = loop.add_hook(print, "monitor", "before")
        assert loop.remove_hook(number) and not loop.remove_hook(number)
        with pytest.raises(knhk.InvalidArgument):
            loop.start(step=-1)
        assert not loop.stop().running
        with pytest.raises(knhk.NotReady, match="not started"):
            opened(FAULT).loop.step()
    with knhk.open(":memory:", signer=knhk.Signer.generate()) as eng, pytest.raises(knhk.NotReady, match="observations"):
        eng.loop.start()
    with knhk.open(":memory:") as eng, pytest.raises(knhk.InvalidArgument, match="manual_time"):
        eng.advance_time(1)


def test_a_plan_of_another_kind_is_said():
    row = next(row for row in TABLE["rows"] if row["name"] == "what a proposer throws is said")
    with opened(row) as eng:
        eng.loop.proposer("own")(lambda question: {"concurrency": 1})
        eng.loop.start(every=0, proposers=["own"])
        eng.loop.step()
        traffic(eng, row["traffic"])
        eng.loop.step()
        assert "a proposer gives a Plan or None, not dict" in eng.loop.cycle("l-1").said
