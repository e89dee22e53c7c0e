// Governance for C++17: changes that become current only once seven stages have nothing against them. Included by knhk_ledger.hpp.
//
//     knhk::governance governed(eng);
//     knhk::proposal asked = governed.propose(R"({"changes": [{"sector": "orders", "content": {"values": [["max_qty", "1400"]]}}],
//                                                 "by": "ops-2", "why": "desk asked, ticket 881"})");
//     if (asked.state == "waiting") std::cout << asked.said << "\n";
//
// Requests are the JSON of docs/governing.md; answers are that JSON as types. Each call throws knhk::not_admitted, which has the reports,
// where a stage refuses what has to pass, and knhk::error for the rest.
#ifndef KNHK_GOVERNANCE_HPP
#define KNHK_GOVERNANCE_HPP

#include "knhk_answers.hpp"
#include "knhk_ledger.hpp"

namespace knhk {

// A stage refuses the change, or it lacks approvals or time: status() is KNHK_NOT_ADMITTED or KNHK_WAITING.
class not_admitted : public error {
public:
    not_admitted(error from, const answer &reports) : error(std::move(from)), reports_(reports.as<std::vector<sector_report>>()) {}
    // What the stages said of each sector's change.
    const std::vector<sector_report> &reports() const noexcept { return reports_; }

private:
    std::vector<sector_report> reports_;
};

namespace detail {

// What a call answers, or throws.
template <class Call> answer answered(Call call) {
    knhk_buffer_t *made = nullptr;
    knhk_error_t *err = nullptr;
    if (knhk_status_t status = call(&made, &err); status != KNHK_OK) {
        std::string reports = text(knhk_error_reports(err));
        error failed(status, err);
        if (reports.empty()) throw failed;
        throw not_admitted(std::move(failed), answer::parse(reports));
    }
    return answer(made);
}

} // namespace detail

// The part of an engine that lets nothing become current unproven. It refers to the engine, which must stay. Any thread.
class governance {
public:
    explicit governance(engine &of) noexcept : of_(of.raw()) {}

    // Does what a verb asks for.
    answer govern(const std::string &verb, const std::string &request = "{}") const {
        return detail::answered([&](auto **answer, auto err) { return knhk_govern(of_, verb.c_str(), request.c_str(), answer, err); });
    }

// `made` is what stands in an answer at `place`.
#define KNHK_VERB(name, type, made) \
    type name(const std::string &request = "{}") const { \
        answer all = detail::answered([&](auto **to, auto err) { return knhk_##name(of_, request.c_str(), to, err); }); \
        return made; \
    }
#define KNHK_ANSWERS(name, type) KNHK_VERB(name, knhk::type, all.as<knhk::type>())
#define KNHK_LISTS(name, type) KNHK_VERB(name, std::vector<knhk::type>, all.get<std::vector<knhk::type>>(#name))
#define KNHK_TELLS(name) KNHK_VERB(name, answer, all)
    KNHK_ANSWERS(propose, proposal)
    KNHK_ANSWERS(check, checked)
    KNHK_LISTS(proposals, proposal)
    KNHK_ANSWERS(proposal, proposal)
    KNHK_ANSWERS(enact, proposal)
    KNHK_ANSWERS(withdraw, proposal)
    KNHK_ANSWERS(approval_request, approval_request)
    KNHK_ANSWERS(approve, approved)
    KNHK_ANSWERS(relax, relaxation)
    KNHK_ANSWERS(revoke, relaxation)
    KNHK_LISTS(relaxations, relaxation)
    KNHK_TELLS(approvers)
    KNHK_ANSWERS(change_approvers, governance_change)
    KNHK_TELLS(guards)
    KNHK_ANSWERS(change_guards, governance_change)
    KNHK_ANSWERS(add_guard, governance_change)
    KNHK_ANSWERS(remove_guard, governance_change)
    KNHK_VERB(governance_changes, std::vector<knhk::governance_change>, all.get<std::vector<knhk::governance_change>>("changes"))
    KNHK_TELLS(add_rule)
    KNHK_TELLS(remove_rule)
    KNHK_TELLS(rules)
    KNHK_TELLS(doctrine_log)
    KNHK_TELLS(rollback_doctrine)
    KNHK_TELLS(clean_up_doctrine)
    KNHK_TELLS(violations)
    KNHK_TELLS(shadow)
    KNHK_TELLS(shadow_test)
    KNHK_TELLS(shadows)
    KNHK_TELLS(drop_shadow)
    KNHK_ANSWERS(canary, canary)
    KNHK_ANSWERS(stop_canary, canary)
    KNHK_LISTS(canaries, canary)
    KNHK_ANSWERS(schedule, schedule)
    KNHK_ANSWERS(unschedule, schedule)
    KNHK_LISTS(schedules, schedule)
    KNHK_LISTS(probations, probation)
    KNHK_VERB(promote_together, std::vector<made_version>, all.get<std::vector<made_version>>("versions"))
    KNHK_VERB(rollback_together, std::vector<made_version>, all.get<std::vector<made_version>>("versions"))
    KNHK_TELLS(merge)
    KNHK_TELLS(bisect)
    KNHK_TELLS(blame)
    KNHK_TELLS(codegen)
    KNHK_TELLS(recompose)
#undef KNHK_TELLS
#undef KNHK_LISTS
#undef KNHK_ANSWERS
#undef KNHK_VERB

    // Signs what approval_request gave, with the approver's key: {"payload", "key"}. Nothing of the key goes to an engine.
    static answer sign_approval(const std::string &request) {
        return detail::answered([&](auto **answer, auto err) { return knhk_sign_approval(request.c_str(), answer, err); });
    }
    // A pair of keys for an approver: {"public", "secret"}.
    static answer approver_key() {
        return detail::answered([&](auto **answer, auto err) { return knhk_approver_key(answer, err); });
    }

private:
    knhk_engine_t *of_;
};

} // namespace knhk

#include "knhk_functions.hpp"
#include "knhk_loop.hpp"

#endif // KNHK_GOVERNANCE_HPP
