// Governance for C++17: changes that become current only once seven stages have nothing against them. Included by knhk_ledger.hpp.
//
//     knhk::governance governed(eng);
//     std::string proposal = governed.propose(R"({"changes": [{"sector": "orders", "content": {"values": [["max_qty", "1400"]]}}],
//                                                 "by": "ops-2", "why": "desk asked, ticket 881"})");
//
// Requests and answers are the JSON of docs/governing.md. Each call throws knhk::not_admitted, which has the reports, where a stage
// refuses what has to pass, and knhk::error for the rest.
#ifndef KNHK_GOVERNANCE_HPP
#define KNHK_GOVERNANCE_HPP

#include "knhk_ledger.hpp"

namespace knhk {

// A stage refuses the change, or it lacks approvals or time: status() is KNHK_NOT_ADMITTED or KNHK_WAITING.
class not_admitted : public error {
public:
    not_admitted(error from, std::string reports) : error(std::move(from)), reports_(std::move(reports)) {}
    // What each stage said of the change, as a JSON array.
    const std::string &reports() const noexcept { return reports_; }

private:
    std::string reports_;
};

namespace detail {

// What a call answers, or throws.
template <class Call> std::string answered(Call call) {
    knhk_buffer_t *made = nullptr;
    knhk_error_t *err = nullptr;
    if (knhk_status_t status = call(&made, &err); status != KNHK_OK) {
        std::string reports = text(knhk_error_reports(err));
        error failed(status, err);
        if (reports.empty()) throw failed;
        throw not_admitted(std::move(failed), std::move(reports));
    }
    handle<knhk_buffer_t, knhk_buffer_free> from(made);
    return {knhk_buffer_data(made), knhk_buffer_len(made)};
}

} // namespace detail

// The part of an engine that lets nothing become current unproven. It refers to the engine, which must stay. Any thread.
class governance {
public:
    explicit governance(engine &of) noexcept : of_(of.raw()) {}

    // Does what a verb asks for.
    std::string govern(const std::string &verb, const std::string &request = "{}") const {
        return detail::answered([&](auto **answer, auto err) { return knhk_govern(of_, verb.c_str(), request.c_str(), answer, err); });
    }

#define KNHK_VERB(name) \
    std::string name(const std::string &request = "{}") const { \
        return detail::answered([&](auto **answer, auto err) { return knhk_##name(of_, request.c_str(), answer, err); }); \
    }
    KNHK_VERB(propose)
    KNHK_VERB(check)
    KNHK_VERB(proposals)
    KNHK_VERB(proposal)
    KNHK_VERB(enact)
    KNHK_VERB(withdraw)
    KNHK_VERB(approval_request)
    KNHK_VERB(approve)
    KNHK_VERB(relax)
    KNHK_VERB(revoke)
    KNHK_VERB(relaxations)
    KNHK_VERB(approvers)
    KNHK_VERB(change_approvers)
    KNHK_VERB(guards)
    KNHK_VERB(change_guards)
    KNHK_VERB(add_guard)
    KNHK_VERB(remove_guard)
    KNHK_VERB(governance_changes)
    KNHK_VERB(add_rule)
    KNHK_VERB(remove_rule)
    KNHK_VERB(rules)
    KNHK_VERB(doctrine_log)
    KNHK_VERB(rollback_doctrine)
    KNHK_VERB(clean_up_doctrine)
    KNHK_VERB(violations)
    KNHK_VERB(shadow)
    KNHK_VERB(shadow_test)
    KNHK_VERB(shadows)
    KNHK_VERB(drop_shadow)
    KNHK_VERB(canary)
    KNHK_VERB(stop_canary)
    KNHK_VERB(canaries)
    KNHK_VERB(schedule)
    KNHK_VERB(unschedule)
    KNHK_VERB(schedules)
    KNHK_VERB(probations)
    KNHK_VERB(promote_together)
    KNHK_VERB(rollback_together)
    KNHK_VERB(merge)
    KNHK_VERB(bisect)
    KNHK_VERB(blame)
    KNHK_VERB(codegen)
    KNHK_VERB(recompose)
#undef KNHK_VERB

    // Signs what approval_request gave, with the approver's key: {"payload", "key"}. Nothing of the key goes to an engine.
    static std::string sign_approval(const std::string &request) {
        return detail::answered([&](auto **answer, auto err) { return knhk_sign_approval(request.c_str(), answer, err); });
    }
    // A pair of keys for an approver: {"public", "secret"}.
    static std::string approver_key() {
        return detail::answered([&](auto **answer, auto err) { return knhk_approver_key(answer, err); });
    }

private:
    knhk_engine_t *of_;
};

} // namespace knhk

#include "knhk_functions.hpp"
#include "knhk_loop.hpp"

#endif // KNHK_GOVERNANCE_HPP
