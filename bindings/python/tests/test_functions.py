"""Functions of the program in governance, what is tried before it is everyone's, and the history, from Python."""

import threading

import knhk
import pytest
from knhk import governance
from test_governance import opened

BELOW = '[[rule]]\nid = "below"\nsector = "orders"\nenforcement = "hard_mandatory"\n[rule.callback]\nname = "below"\n'


def test_a_rule_asks_a_function_which_reads_what_would_be():
    with opened() as eng:
        [rule] = eng.add_rules(BELOW, by="ops-1", why="audit")
        assert rule.name == "orders/below" and rule.by == "ops-1"
        assert eng.propose({"orders": {"max_qty": 1100}}, by="bob").state == "refused"
        seen = []

        @eng.rule_function("below")
        def below(question, view):
            seen.append(question)
            if view["orders/max_qty"] > 2000:
                return f"{view['orders/max_qty']} lots are too many"

        refused = eng.propose({"orders": {"max_qty": 2500}}, by="bob", why="ticket 881")
        assert refused.state == "refused" and "2500 lots are too many" in str(refused)
        asked = seen[-1]
        assert (asked.kind, asked.name, asked.sector, asked.proposal) == ("rule", "below", "orders", refused.id)
        assert asked.rule["id"] == "below" and asked.by == "bob" and str(asked.differences[0]) == "max_qty 1000 → 2500"
        assert eng.propose({"orders": {"max_qty": 1100}}, by="bob").state == "enacted"

        @eng.rule_function("below")
        def broken(question, view):
            raise ValueError("the desk is closed")

        assert "ValueError: the desk is closed" in str(eng.propose({"orders": {"max_qty": 1200}}, by="bob"))
        assert eng.unset("rule", "below") and not eng.unset("rule", "below")
        with pytest.raises(TypeError):
            eng.rule_function("below")(7)


def test_an_invariant_is_a_function_or_a_condition():
    with opened() as eng:
        eng.invariant("hedged")(lambda question, view: view["orders/max_qty"] <= 2000)
        refused = eng.propose({"orders": {"max_qty": 2500}}, by="bob")
        assert refused.state == "refused" and "hedged would not hold any more" in str(refused)
        eng.invariant("hedged", severity="warning")(lambda question, view: "not hedged")
        warned = eng.propose({"orders": {"max_qty": 2500}}, by="bob")
        assert warned.state == "enacted" and "not hedged" in str(warned)
        eng.set_invariant("hedged", 'after["orders/max_qty"] <= 1500')
        assert eng.propose({"orders": {"max_qty": 2600}}, by="bob").state == "refused"
        assert eng.unset("invariant", "hedged")
        with pytest.raises(knhk.InvalidDocument):
            eng.set_invariant("hedged", "after.")
        with pytest.raises(knhk.InvalidArgument, match="severity"):
            eng.set_invariant("hedged", "true", severity="grave")


def test_a_shadow_is_tested_by_a_function():
    with opened() as eng:
        shadow = eng.shadow({"orders": {"max_qty": 2600}}, by="bob")
        assert str(shadow.differences["orders"][0]) == "max_qty 1000 → 2600" and shadow.tested is None

        @eng.test_function("hedged")
        def hedged(question, view):
            assert question.shadow == shadow.id
            return view["orders/max_qty"] <= 2000

        test = {"name": "hedged", "severity": "blocker", "assertion": {"function": {"name": "hedged"}}}
        [report] = eng.test_shadow(shadow.id, [test])
        assert not report and report.outcomes[0].failed == "it is not so"
        assert [one.tested[0].verdict for one in eng.shadows()] == ["refused"]
        eng.drop_shadow(shadow.id)
        assert eng.shadows() == []


def test_work_is_measured():
    with opened() as eng:

        @eng.workload("orders", "sweep")
        def sweep(view):
            # 25 times as much at five times the value: far from the threefold that is allowed, whatever a call costs on this machine.
            for _ in range(view["orders/max_qty"] ** 2 // 1000):
                pass

        refused = eng.propose({"orders": {"max_qty": 5000}}, by="bob")
        assert refused.state == "refused" and "measurement sweep" in str(refused)
        assert eng.propose({"orders": {"max_qty": 900}}, by="bob").state == "enacted"

        @eng.workload("orders", "sweep")
        def fails(view):
            raise RuntimeError("no desk")

        assert "RuntimeError: no desk" in str(eng.propose({"orders": {"max_qty": 800}}, by="bob"))
        assert eng.unset("workload", "sweep", sector="orders")
        with pytest.raises(knhk.NotFound):
            eng.workload("nowhere", "sweep")(sweep)


def test_stages_tell_how_far_they_are_and_stop():
    with opened() as eng:
        seen = []
        lock = threading.Lock()

        def tell(sector, stage, report):
            with lock:
                seen.append((sector, stage, report and report.verdict))

        [report] = eng.check({"orders": {"max_qty": 1100}}, progress=tell)
        assert report.verdict == "passed" and len(seen) == 14
        assert {stage for _, stage, verdict in seen if verdict == "passed"} == {one.stage for one in report.stages}
        stopped = eng.propose({"orders": {"max_qty": 1100}}, progress=lambda sector, stage, report: stage != "guards")
        assert stopped.state == "refused" and "stopped before it began" in str(stopped)

        def fails(sector, stage, report):
            raise KeyError("enough")

        with pytest.raises(KeyError, match="enough"):
            eng.check({"orders": {"max_qty": 1100}}, progress=fails)


def test_what_cannot_be_read_is_not_judged_by_the_rest():
    with opened() as eng:
        [report] = eng.check({"orders": {"max_qty": 9000}})
        assert report.stage("performance").verdict == "not_judged" and report.verdict == "refused"
        assert report.stage("invariants").verdict == "refused"


def test_a_canary_ends_with_a_rollback_and_a_schedule_can_be_taken_back():
    with opened() as eng:
        held = eng.propose({"orders": {"max_qty": 1100}}, by="bob", enact=False)
        canary = eng.canary(held.id, share=0.5, by="bob")
        assert (canary.state, canary.proposal, canary.share) == ("running", held.id, 0.5)
        eng.sector("orders").rollback(1)
        [ended] = eng.canaries()
        assert ended.state == "stopped" and "rolled back" in ended.closed["why"]
        later = eng.propose({"orders": {"max_qty": 1200}}, by="bob", enact=False)
        schedule = eng.schedule(later.id, moment="2099-01-01T00:00:00Z", by="bob")
        assert schedule.state == "waiting" and eng.schedules()[0].id == schedule.id
        assert eng.unschedule(schedule.id).state == "cancelled"
        assert eng.probations() == []
        assert eng.recompose() is None


def test_conflicts_of_a_merge_are_resolved():
    with opened() as eng:
        for price_band in (0.1, 0.2):
            assert eng.propose({"orders": {"price_band": price_band}}, by="bob").state == "enacted"
            eng.sector("orders").rollback(1)
        assert eng.propose({"orders": {"price_band": 0.3}}, by="bob").state == "enacted"
        merge = eng.merge("orders", 2)
        assert [conflict.item for conflict in merge.conflicts] == ["price_band"] and merge.proposal is None
        assert merge.conflicts[0].theirs_by.by == "bob" and "price_band" in str(merge)
        merge = eng.merge("orders", 2, resolve={"price_band": {"value": "0.25"}}, propose=True, by="bob")
        assert merge.proposal.state == "enacted" and eng.sector("orders").key("price_band", float)() == 0.25
        [value] = [one for one in eng.blame("orders", path="price_band") if "0.25" in one.statement]
        assert value.change.by == "bob" and value.change.receipt
        culprit = eng.bisect("orders", "values['price_band'] == 0.25", good=6)
        assert culprit.change.version == 7 and culprit.good == 6
        with pytest.raises(knhk.InvalidArgument, match="no conflict"):
            eng.merge("orders", 2, resolve={"max_qty": "ours"})
        back = eng.rollback_together({"orders": 1}, by="bob", emergency=True)
        assert back[0].rollback_of == 1 and back[0].sector == "orders"


def test_guards_are_typed():
    guard = 'revision = 1\n[[guard]]\nid = "max"\nkind = "safety_interlock"\ncriticality = "low"\nlimit = [{ paths = ["max_qty"], max = 2000 }]\n'
    with opened() as eng:
        assert eng.change_guards(guard, by="ops-1").in_force
        guards = eng.guards()
        assert guards.revision == 1 and isinstance(guards.guards[0], governance.Guard)
        assert guards.guards[0].boundary["limit"][0]["max"] == 2000
