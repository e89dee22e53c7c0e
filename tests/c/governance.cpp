// Governance through the C++ classes: what it answers, as types.
#include "check.h"

#include <knhk.hpp>

template <class Error, class Call> static Error thrown(Call call) {
    try {
        call();
    } catch (const Error &why) {
        return why;
    }
    fprintf(stderr, "nothing was thrown\n");
    abort();
}

static std::string request(const std::string &content, const std::string &more = "") {
    return R"({"changes": [{"sector": "orders", "content": )" + content + R"(}], "by": "bob")" + more + "}";
}

static std::string qty(int lots, const std::string &more = "") {
    return request(R"({"values": [["max_qty", ")" + std::to_string(lots) + R"("]]})", more);
}

static void places() {
    auto all = knhk::answer::parse(R"({"a/b~c": [1, -2, 2.5, "x\"y", true, null], "big": 18446744073709551615})");
    auto list = all["a/b~c"];
    CHECK(all.size() == 2 && list.size() == 6 && list[0].as<std::uint64_t>() == 1 && list[1].as<std::int64_t>() == -2);
    CHECK(list[2].as<double>() == 2.5 && list[3].as<std::string>() == "x\"y" && list[4].as<bool>());
    CHECK(all.get<std::uint64_t>("big") == UINT64_MAX && list[2].json() == "2.5" && list[3].json() == R"("x\"y")");
    CHECK(!list[5] && !list[6] && !all["none"]["at"] && !list[5].as<std::optional<double>>() && *list[2].as<std::optional<double>>() == 2.5);
    CHECK(thrown<knhk::error>([&] { list[3].as<double>(); }).status() == KNHK_WRONG_TYPE);
    CHECK(thrown<knhk::error>([&] { all.get<std::int64_t>("big"); }).status() == KNHK_WRONG_TYPE);
    CHECK(thrown<knhk::error>([&] { list[6].as<double>(); }).status() == KNHK_NOT_FOUND);
    CHECK(thrown<knhk::error>([&] { list.as<std::vector<double>>(); }).status() == KNHK_WRONG_TYPE);
    CHECK(thrown<knhk::error>([&] { knhk::answer::parse("{"); }).status() == KNHK_INVALID_ARGUMENT);
}

static const char DESK[] = R"(
    @prefix : <urn:knhk:desk:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :max_qty k:value 1000 ; k:unit "lots" . :reject_share k:value 5 ; k:unit "%" .
    <urn:knhk:desk:governance/probation_seconds> k:value 3600 .
    :OrderChecked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ; rdfs:comment "Each order that was checked."@en .
    :Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ; k:window 60 ;
        k:onMissingData "hold" ; rdfs:comment "Few orders are refused."@en .)";

// What is watched, and what two sides record, where the engine observes.
static void watched() {
    auto signer = knhk::signer::generate();
    auto kept = knhk::detail::sized<knhk_observations_options_t>();
    knhk::options options;
    options.signer = signer.raw();
    options.observations = &kept;
    knhk::engine eng(":memory:", options);
    eng.create_sector("desk");
    eng.promote_rdf("desk", DESK, KNHK_FORMAT_TURTLE);
    knhk::governance governed(eng);
    CHECK(governed.probations().empty());
    auto changes = [](int lots) { return R"("changes": [{"sector": "desk", "content": {"values": [["max_qty", ")" + std::to_string(lots) + R"("]]}}])"; };
    auto made = governed.promote_together("{" + changes(2000) + "}");
    CHECK(made.size() == 1 && made[0].version == 2 && made[0].receipt);
    auto watched = governed.probations().at(0);
    CHECK(watched.state == "watching" && !watched.id.empty() && watched.until_ns - watched.since_ns == 3600000000000);
    auto &sector = watched.sectors.at(0);
    CHECK(sector.sector == "desk" && sector.version == 2 && sector.back_to == 1);
    auto some = governed.canary("{" + changes(3000) + R"(, "share": 0.5})");
    auto listed = governed.canaries().at(0);
    auto &arms = listed.arms.at(0);
    CHECK(listed.id == some.id && !some.proposal && arms.sector == "desk" && arms.current.count == 0 && arms.current.outcomes.size() == 5 && arms.without_subject == 0);
    CHECK(!arms.candidate.failure_share && arms.candidate.objectives.at(0).limit == 5.0 && !arms.candidate.objectives[0].met);
    CHECK(governed.stop_canary(R"({"id": ")" + some.id + R"(", "adopt": false})").state == "stopped");
    CHECK(governed.rollback_together(R"({"sectors": [{"sector": "desk", "version": "1"}]})").at(0).version == 3);
}

int main() {
    places();
    watched();
    auto signer = knhk::signer::generate();
    knhk::options options;
    options.signer = signer.raw();
    knhk::engine eng(":memory:", options);
    OK(knhk_sector_create(eng.raw(), "orders", KNHK_GOVERNED, &err));
    knhk::governance governed(eng);
    auto first = governed.propose(request(R"({"document": {"text": "{\"max_qty\": {\"$value\": 1000, \"$max\": 5000},)"
                                          R"( \"governance\": {\"slowdown_percent\": 200.0, \"measure_ms\": 60000.0, \"tail_budget_ns\": 1e9, \"read_budget_ns\": 1e9,)"
                                          R"( \"lookup_budget_ns\": 1e9, \"apply_budget_ms\": 1e6, \"cpu_budget_ms\": 1e6}}"}})"));
    CHECK(first.id == "p-1" && first.state == "enacted" && first.by == "bob" && !first.at_ns && !first["confidence"]);
    CHECK(first.versions.size() == 1 && first.versions[0].sector == "orders" && first.versions[0].version == 1);
    CHECK(knhk::ledger(eng).receipt(*first.versions[0].receipt).sector == "orders" && !first.receipts.empty());

    auto refused = governed.propose(qty(9000));
    CHECK(refused.state == "refused" && refused.said == "was refused by invariants" && refused.versions.empty());
    auto *invariants = refused.reports.at(0).stage("invariants");
    CHECK(refused.reports[0].stages.size() == 7 && invariants && invariants->verdict == "refused" && !refused.reports[0].stage("none"));
    auto &found = invariants->findings.at(0);
    CHECK(found.severity == "blocker" && found.item == "invariant Q2" && found.what.find("max_qty") != found.what.npos && !found.fix.empty());
    CHECK(first.reports.at(0).stage("rollback")->verdict == "passed" && (*first.reports[0].stage("rollback"))["evidence"]["content_address"]);
    auto asked = governed.check(qty(9000));
    CHECK(asked.reports.at(0).verdict == "refused" && asked.text.find("invariant Q2") != asked.text.npos);
    CHECK(governed.propose(qty(1400)).state == "enacted");

    auto rule = governed.add_rule(R"({"toml": "[[rule]]\nid = \"four-eyes\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n[rule.approval_chain]\nsteps = [{ quorum = 1 }]\n"})");
    CHECK(rule["rules"][0]["rule"].get<std::string>("id") == "four-eyes" && governed.rules()["rules"].size() == 1);
    auto waiting = governed.propose(qty(1500));
    CHECK(waiting.state == "waiting" && governed.proposals(R"({"open": true})").at(0).id == waiting.id);
    auto &lacks = waiting.reports[0].stage("doctrine")->needs.at(0);
    CHECK(lacks.item == "rule orders/four-eyes" && lacks.quorum == 1 && lacks.approvals == 0 && lacks.groups.empty() && !lacks.not_before_ns);
    auto held_up = thrown<knhk::not_admitted>([&] { governed.enact(R"({"id": ")" + waiting.id + R"("})"); });
    CHECK(held_up.status() == KNHK_WAITING && held_up.reports().at(0).stage("doctrine")->needs[0].item == "rule orders/four-eyes");

    auto key = knhk::governance::approver_key();
    auto change = governed.change_approvers(R"({"by": "ops-1", "approvers": {"revision": 1, "threshold": 1, "approver": [{"name": "ada", "key": ")" +
                                            key.get<std::string>("public") + R"(", "groups": ["desk-risk"]}]}})");
    CHECK(!change.in_force && change.needs.size() == 1 && governed.governance_changes().at(0).id == change.id);
    auto approve = [&](const std::string &kind, const std::string &id) {
        auto what = governed.approval_request(R"({"kind": ")" + kind + R"(", "id": ")" + id + R"("})");
        CHECK(what.text.find(id) != what.text.npos);
        auto sign = R"({"payload": ")" + what.payload + R"(", "key": ")" + key.get<std::string>("secret") + R"("})";
        return governed.approve(knhk::governance::sign_approval(sign).json());
    };
    CHECK(approve("approvers", change.id).of_change->in_force);
    auto done = approve("proposal", waiting.id);
    CHECK(!done.of_change && !done.of_relaxation && done.of_proposal->state == "enacted" && done.of_proposal->approvals.at(0).by == "ada");

    auto guard = governed.add_guard(R"({"by": "ops-1", "guard": {"id": "g", "kind": "safety_interlock", "criticality": "low", "sector": "orders", "limit": [{"paths": ["max_qty"], "max": 2000}]}})");
    CHECK(approve("guards", guard.id).of_change->in_force && governed.guards()["guards"]["guard"].size() == 1);
    auto until = std::to_string(waiting.time_ns + 3600000000000);
    auto relaxed = governed.relax(R"({"guard": "g", "by": "bob", "why": "rebalancing", "until_ns": )" + until + "}");
    CHECK(relaxed.state == "requested" && relaxed.guard == "g" && relaxed.lacks.quorum == 1 && std::to_string(relaxed.until_ns) == until);
    CHECK(approve("relaxation", relaxed.id).of_relaxation->state == "in_force" && governed.relaxations().size() == 1);
    CHECK(governed.revoke(R"({"id": ")" + relaxed.id + R"("})").state == "revoked");

    governed.remove_rule(R"({"id": "orders/four-eyes"})");
    auto later = governed.propose(qty(1600, R"(, "enact": false)"));
    CHECK(later.state == "passed");
    auto timed = governed.schedule(R"({"proposal": ")" + later.id + R"(", "at": {"moment": "2100-01-01T00:00:00Z"}})");
    CHECK(timed.state == "waiting" && *timed.proposal == later.id && timed.next_ns < timed.until_ns && governed.schedules().at(0).id == timed.id);
    CHECK(governed.unschedule(R"({"id": ")" + timed.id + R"("})").state == "cancelled");
    auto some = governed.canary(R"({"proposal": ")" + later.id + R"(", "share": 0.25})");
    CHECK(some.state == "running" && some.share == 0.25 && some.arms.empty() && governed.canaries().at(0).id == some.id);
    auto adopted = governed.stop_canary(R"({"id": ")" + some.id + R"(", "adopt": true})");
    CHECK(adopted.state == "adopted" && adopted.versions.at(0).sector == "orders");
    CHECK(governed.probations().empty());

    CHECK(thrown<knhk::error>([&] { governed.govern("frobnicate"); }).status() == KNHK_INVALID_ARGUMENT);
    return 0;
}
