// Functions of the program that have a say in governance, for C++17. Included by knhk_governance.hpp.
//
//     knhk::functions asked(eng);
//     asked.rule("below", [=](const knhk::question &of) -> std::optional<std::string> { // [rule.callback] name = "below"
//         if (of.view.get(max_qty) > 2000) return "more than the desk can hedge"; // as it would be
//         return std::nullopt;
//     });
//
// A function that gives nothing has nothing against it; a text says why not, and so does what it throws. It may be called from any thread,
// several at once, and must not change the engine. Nothing of it is kept: whoever opens the engine registers it anew.
#ifndef KNHK_FUNCTIONS_HPP
#define KNHK_FUNCTIONS_HPP

#include <functional>
#include <memory>
#include <optional>

#include "knhk_governance.hpp"

namespace knhk {

// What a function is asked: valid during the call.
struct question {
    std::string_view text; // JSON: see knhk_question_t
    snapshot view;         // the sectors as they would be
};

// Judges: nothing, or why not.
using judge_function = std::function<std::optional<std::string>(const question &asked)>;
// Does so many times what the program does with its values; what it gives is not looked at.
using timed_work = std::function<std::uint64_t(const snapshot &view, std::uint64_t times)>;
// A stage begins (`verdict` is "") or has ended, with its report as JSON. False stops the run.
using stage_watcher = std::function<bool(std::string_view sector, std::string_view stage, std::string_view verdict, std::string_view report)>;

// It refers to the engine, which must stay. Any thread.
class functions {
public:
    explicit functions(engine &of) noexcept : of_(of.raw()) {}

    // What rules of the kind `callback` call by this name.
    void rule(const std::string &name, judge_function function) { set(std::move(function), [&](auto *made, auto err) { return knhk_set_rule_function(of_, name.c_str(), made, err); }); }
    // What tests of shadows call by this name.
    void test(const std::string &name, judge_function function) { set(std::move(function), [&](auto *made, auto err) { return knhk_set_test_function(of_, name.c_str(), made, err); }); }
    // What has to hold across sectors; `severity`: "info", "warning" or "blocker".
    void invariant(const std::string &name, judge_function function, const std::string &severity = "blocker") {
        set(std::move(function), [&](auto *made, auto err) { return knhk_set_invariant(of_, name.c_str(), severity.c_str(), nullptr, made, err); });
    }
    // The same as a condition in CEL.
    void condition(const std::string &name, const std::string &holds, const std::string &severity = "blocker") {
        detail::called([&](auto err) { return knhk_set_invariant(of_, name.c_str(), severity.c_str(), holds.c_str(), nullptr, err); }).value();
    }
    // What is measured with a sector's candidates.
    void workload(const std::string &sector, const std::string &name, timed_work does) {
        auto made = detail::sized<knhk_workload_t>();
        made.run = [](void *ctx, knhk_view_t view, std::uint64_t times) noexcept -> std::uint64_t { return (*static_cast<timed_work *>(ctx))(snapshot(view), times); };
        made.destroy = [](void *ctx) noexcept { delete static_cast<timed_work *>(ctx); };
        made.ctx = new timed_work(std::move(does));
        detail::called([&](auto err) { return knhk_set_workload(of_, sector.c_str(), name.c_str(), &made, err); }).value();
    }

    // Take away what was registered.
    void unset_rule(const std::string &name) {
        detail::called([&](auto err) { return knhk_set_rule_function(of_, name.c_str(), nullptr, err); }).value();
    }
    void unset_test(const std::string &name) {
        detail::called([&](auto err) { return knhk_set_test_function(of_, name.c_str(), nullptr, err); }).value();
    }
    void unset_invariant(const std::string &name) {
        detail::called([&](auto err) { return knhk_set_invariant(of_, name.c_str(), nullptr, nullptr, nullptr, err); }).value();
    }
    void unset_workload(const std::string &sector, const std::string &name) {
        detail::called([&](auto err) { return knhk_set_workload(of_, sector.c_str(), name.c_str(), nullptr, err); }).value();
    }

    // governance::propose and governance::check that tell how far the stages are. The watcher is called on the threads that work, one call at a
    // time; what it throws stops the run.
    proposal propose(const std::string &request, stage_watcher watcher) const { return proposal(watched("propose", request, std::move(watcher))); }
    checked check(const std::string &request, stage_watcher watcher) const { return checked(watched("check", request, std::move(watcher))); }

private:
    template <class Call> static void set(judge_function function, Call call) {
        auto made = detail::sized<knhk_function_t>();
        made.judge = [](void *ctx, const knhk_question_t *asked, char *why, std::size_t why_size) noexcept -> std::int32_t {
            std::string said;
            try {
                auto answer = (*static_cast<judge_function *>(ctx))({{asked->text, asked->text_len}, snapshot(asked->view)});
                if (!answer) return 0;
                said = std::move(*answer);
            } catch (const std::exception &failed) {
                said = failed.what();
            } catch (...) {
            }
            std::strncpy(why, said.c_str(), why_size);
            return 1;
        };
        made.destroy = [](void *ctx) noexcept { delete static_cast<judge_function *>(ctx); };
        made.ctx = new judge_function(std::move(function));
        detail::called([&](auto err) { return call(&made, err); }).value();
    }
    answer watched(const char *verb, const std::string &request, stage_watcher watcher) const {
        auto made = detail::sized<knhk_stage_callback_t>();
        made.stage = [](void *ctx, const knhk_stage_t *now) noexcept -> std::int32_t {
            auto said = [](const char *text) { return std::string_view(text ? text : ""); };
            try {
                return (*static_cast<stage_watcher *>(ctx))(said(now->sector), said(now->stage), said(now->verdict), said(now->report)) ? 0 : 1;
            } catch (...) {
                return 1;
            }
        };
        made.ctx = &watcher;
        return detail::answered([&](auto **answer, auto err) { return knhk_govern_watched(of_, verb, request.c_str(), &made, answer, err); });
    }
    knhk_engine_t *of_;
};

} // namespace knhk

#endif // KNHK_FUNCTIONS_HPP
