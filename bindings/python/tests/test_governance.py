"""Governance: each row of the table that C, Python and Node share, and what the methods give."""

import asyncio
import json
from pathlib import Path

import knhk
import pytest
from knhk import governance

TABLE = json.loads((Path(__file__).parents[3] / "tests" / "governance" / "table.json").read_text())


def opened(limits=None, **settings):
    eng = knhk.open(":memory:", signer=knhk.Signer.generate(), **settings)
    eng.create_sector("orders", kind="governed")
    document = TABLE["base"] | {"governance": TABLE["governance"] | (limits or {})}
    first = eng.propose({"orders": governance.Whole(document)}, by="ops-1", why="the first")
    assert first.state == "enacted", str(first)
    return eng


def approvers(eng):
    keys = {name: governance.approver_key() for name in ("ada", "eve")}
    groups = {"ada": "desk-risk", "eve": "head-of-desk"}
    members = [f'[[approver]]\nname = "{name}"\nkey = "{key.public}"\ngroups = ["{groups[name]}"]\n' for name, key in keys.items()]
    change = eng.change_approvers("revision = 1\nthreshold = 1\n" + "".join(members), by="ops-1", why="the first")
    assert not change.in_force and change.needs
    asked = eng.approval_request("approvers", change.id)
    assert eng.approve(governance.sign_approval(asked.payload, keys["ada"].secret)).change.in_force
    return keys


def proposed(eng, change):
    request = {"by": "bob", "why": "the test", **{name: value for name, value in change.items() if name != "content"}}
    return eng.govern("propose", changes=[{"sector": "orders", "content": change["content"]}], **request)


def of_stage(proposal, name):
    return next(stage for stage in proposal["reports"][0]["stages"] if stage["stage"] == name)


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["name"])
def test_what_breaks_a_stage_is_refused_by_it_and_mended_passes(row):
    with opened(row.get("governance"), retain_versions=row.get("retain_versions")) as eng:
        if row.get("approvers"):
            approvers(eng)
        for verb, request in row.get("setup", []):
            eng.govern(verb, **request)
        held = eng.sector("orders").key(*row["holds"]) if "holds" in row else None
        broken = proposed(eng, row["breaks"])
        state = row.get("state", "refused")
        assert broken["state"] == state, broken["said"]
        stage = of_stage(broken, row["stage"])
        assert stage["verdict"] == state
        said = [f"{finding['item']}: {finding['what']}" for finding in stage["findings"]]
        said += [need["item"] for need in stage["needs"]]
        assert any(line.startswith(row["item"]) and row["says"] in line for line in said), said
        if "mended_governance" not in row:
            mended = proposed(eng, row["mended"])
            assert mended["state"] == row.get("mended_state", "enacted"), json.dumps(mended["reports"], indent=1)
        del held
    if "mended_governance" in row:
        with opened(row["mended_governance"]) as eng:
            assert proposed(eng, row["mended"])["state"] == "enacted"


def test_a_proposal_waits_for_an_approval_and_is_current_with_it():
    with opened() as eng:
        keys = approvers(eng)
        rule = '[[rule]]\nid = "four-eyes"\nsector = "orders"\nenforcement = "hard_mandatory"\n[rule.approval_chain]\nsteps = [{ quorum = 1 }]\n'
        assert len(eng.add_rules(rule, by="ops-1", why="audit")) == 1
        waiting = eng.propose({"orders": {"max_qty": 1400}}, by="bob", why="ticket 881")
        assert waiting.state == "waiting" and "waits for an approval" in waiting.said
        assert "doctrine" in str(waiting) and "four-eyes" in str(waiting)
        assert waiting.reports[0].stage("doctrine").needs[0].quorum == 1
        with pytest.raises(knhk.Waiting) as failed:
            eng.enact(waiting.id)
        assert failed.value.reports[0].verdict == "waiting"
        asked = eng.approval_request("proposal", waiting.id)
        assert waiting.id in asked.text
        signed = governance.sign_approval(asked.payload, keys["eve"].secret)
        forged = bytearray(signed)
        forged[-1] ^= 1
        with pytest.raises(knhk.Error):
            eng.approve(bytes(forged))
        with pytest.raises(knhk.Error):
            eng.approve(governance.sign_approval(asked.payload, governance.approver_key().secret))
        done = asyncio.run(eng.aapprove(signed))
        assert done.proposal.state == "enacted" and [one.by for one in done.proposal.approvals] == ["eve"]
        assert eng.sector("orders").key("max_qty", int)() == 1400
        assert [one.id for one in eng.proposals()][0] == waiting.id
        assert eng.proposals(open=True) == []


def test_a_governed_sector_is_not_promoted_and_a_check_files_nothing():
    with opened() as eng:
        with pytest.raises(knhk.Ungoverned, match="orders is governed"):
            eng.sector("orders").promote({"max_qty": 1})
        [report] = eng.check({"orders": {"max_qty": 9000}})
        assert report.verdict == "refused" and "max_qty" in str(report)
        assert len(eng.proposals()) == 1
        held = eng.propose({"orders": {"max_qty": 1100}}, by="bob", enact=False)
        assert held.state == "passed"
        assert eng.withdraw(held.id, by="bob", why="not needed").state == "withdrawn"
        with pytest.raises(knhk.NotFound):
            eng.proposal("p-99")
        with pytest.raises(knhk.InvalidArgument, match="frobnicate"):
            eng.govern("frobnicate")
        with pytest.raises(knhk.InvalidArgument, match="unknown field"):
            eng.govern("proposal", id="p-1", more=1)


def test_a_guard_gives_way_under_a_relaxation():
    with opened() as eng:
        guard = 'revision = 1\n[[guard]]\nid = "max"\nkind = "safety_interlock"\ncriticality = "low"\nlimit = [{ paths = ["max_qty"], max = 2000 }]\n'
        assert eng.change_guards(guard, by="ops-1").in_force
        keys = approvers(eng)
        assert eng.propose({"orders": {"max_qty": 2500}}, by="bob").state == "refused"
        until = eng.proposals()[0].time_ns + 3600 * 10**9
        relaxation = eng.relax("max", until=until, by="bob", why="index rebalancing")
        assert relaxation.state == "requested" and relaxation.need.quorum == 1
        asked = eng.approval_request("relaxation", relaxation.id)
        assert eng.approve(governance.sign_approval(asked.payload, keys["ada"].secret)).relaxation.state == "in_force"
        assert eng.propose({"orders": {"max_qty": 2500}}, by="bob").state == "enacted"
        assert eng.revoke(relaxation.id, by="ops-1").state == "revoked"
        assert eng.relaxations(open=True) == []
        assert eng.propose({"orders": {"max_qty": 2600}}, by="bob").state == "refused"


def test_guards_come_and_go_one_by_one_and_rules_that_are_over_are_cleaned_up():
    with opened() as eng:
        limit = {"limit": [{"paths": ["max_qty"], "max": 1500}]}
        guard = governance.Guard("max", "safety_interlock", "low", sector="orders", doc="enough", boundary=limit)
        assert eng.add_guard(guard, by="ops-1", why="audit").in_force
        [kept] = eng.guards(sector="orders").guards
        assert (kept.id, kept.doc, kept.boundary["limit"][0]["max"]) == ("max", "enough", 1500)
        assert eng.add_guard(kept, by="ops-1").in_force and len(eng.guards().guards) == 1
        assert eng.propose({"orders": {"max_qty": 1600}}, by="bob").state == "refused"
        assert eng.remove_guard("max", by="ops-1").in_force and eng.guards().guards == []
        with pytest.raises(knhk.NotFound):
            eng.remove_guard("max")
        assert eng.clean_up_doctrine() == []
