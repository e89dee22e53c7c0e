// Resilience for C++17: scopes, policies, and permits that tell by themselves how a call ended. Included by knhk.hpp.
//
//     knhk::scope scope; // on the system's clock; knhk::scope::of(engine) for an engine's
//     knhk::policy breaker(scope, "breaker", "payments", {{"window_calls", 100}, {"recovery_ms", 5000}});
//     int paid = breaker.call([&] { return pay(order); }); // throws knhk::refused while the breaker is open
//     {
//         auto permit = breaker.enter(); // a guard: an exception is a failure, else it was a success
//         pay(order);
//     }
//
// The kinds of policies and their settings are those of knhk_policy_new in knhk.h.
#ifndef KNHK_RESILIENCE_HPP
#define KNHK_RESILIENCE_HPP

#include <utility>

#include "knhk.hpp"

namespace knhk {

// A policy refused a call, which never began.
class refused : public error {
public:
    refused(error from, const knhk_refusal_t &why) : error(std::move(from)), why_(why) {}
    // A KNHK_REFUSED_ constant.
    std::uint32_t reason() const noexcept { return why_.reason; }
    // After how many nanoseconds another try has a chance; none where that is not known, or never.
    std::optional<std::uint64_t> retry_after_ns() const noexcept {
        return why_.retry_after_ns == UINT64_MAX ? std::nullopt : std::optional<std::uint64_t>(why_.retry_after_ns);
    }
    const knhk_refusal_t &raw() const noexcept { return why_; }

private:
    knhk_refusal_t why_;
};

// What policies share: a clock, counters, and who listens.
class scope {
public:
    // `clock`: KNHK_CLOCK_SYSTEM, KNHK_CLOCK_CACHED, or KNHK_CLOCK_MANUAL for tests.
    explicit scope(std::uint32_t clock = KNHK_CLOCK_SYSTEM)
        : scope(made([&](auto **to, auto err) { return knhk_scope_new(clock, to, err); })) {}
    // An engine's, on its cached clock.
    static scope of(const engine &eng) {
        return scope(made([&](auto **to, auto err) { return knhk_engine_scope(eng.raw(), to, err); }));
    }
    knhk_scope_t *raw() const noexcept { return handle_.get(); }
    std::uint64_t now_ns() const noexcept { return knhk_scope_now_ns(raw()); }
    // Moves a manual clock forward.
    void advance(std::uint64_t ns) {
        detail::called([&](auto err) { return knhk_scope_advance(raw(), ns, err); }).value();
    }
    // Calls `changed` on a thread of its own for every transition, until unsubscribed or destroyed. What it throws is dropped.
    std::uint64_t subscribe(std::function<void(const knhk_transition_t &)> changed) {
        using told = std::function<void(const knhk_transition_t &)>;
        auto callback = detail::sized<knhk_transition_callback_t>();
        callback.ctx = new told(std::move(changed));
        callback.changed = [](void *ctx, const knhk_transition_t *transition) noexcept {
            try {
                (*static_cast<told *>(ctx))(*transition);
            } catch (...) {
            }
        };
        callback.destroy = [](void *ctx) noexcept { delete static_cast<told *>(ctx); };
        std::uint64_t number = 0;
        return detail::called([&](auto err) { return knhk_scope_subscribe(raw(), &callback, &number, err); }, [&] { return number; }).value();
    }
    void unsubscribe(std::uint64_t subscription) {
        detail::called([&](auto err) { return knhk_scope_unsubscribe(raw(), subscription, err); }).value();
    }

private:
    explicit scope(knhk_scope_t *from) noexcept : handle_(from) {}
    template <class Call> static knhk_scope_t *made(Call call) {
        knhk_scope_t *to = nullptr;
        return detail::called([&](auto err) { return call(&to, err); }, [&] { return to; }).value();
    }
    detail::handle<knhk_scope_t, knhk_scope_free> handle_;
};

// What is known of a call.
struct attempt {
    std::uint32_t priority = KNHK_PRIORITY_NORMAL;
    std::uint64_t deadline_ns = 0; // by the scope's clock; 0 for none
    std::uint32_t tokens = 1;
};

// An admitted call. When it is destroyed and was not told how the call ended, an exception on its way means that it failed, and none that
// it succeeded. The policy must outlive it.
class [[nodiscard]] permit {
public:
    permit(const knhk_policy_t *of, const knhk_permit_t &from) noexcept : of_(of), permit_(from), unwinding_(std::uncaught_exceptions()) {}
    permit(permit &&other) noexcept
        : of_(std::exchange(other.of_, nullptr)), permit_(other.permit_), unwinding_(other.unwinding_) {}
    permit &operator=(permit &&) = delete;
    ~permit() { finish(std::uncaught_exceptions() > unwinding_ ? KNHK_OUTCOME_FAILURE : KNHK_OUTCOME_SUCCESS); }
    void succeeded() noexcept { finish(KNHK_OUTCOME_SUCCESS); }
    void failed() noexcept { finish(KNHK_OUTCOME_FAILURE); }
    // The call says nothing of the callee.
    void ignored() noexcept { finish(KNHK_OUTCOME_IGNORED); }
    // Until when the call is to be over, by the scope's clock; UINT64_MAX for ever.
    std::uint64_t deadline_ns() const noexcept { return knhk_permit_deadline_ns(&permit_); }
    // Whether chaos wants the call to fail without being made.
    bool is_to_fail() const noexcept { return knhk_permit_is_to_fail(&permit_); }

private:
    void finish(std::uint32_t outcome) noexcept {
        if (of_) knhk_policy_finish(std::exchange(of_, nullptr), &permit_, outcome);
    }
    const knhk_policy_t *of_;
    knhk_permit_t permit_;
    int unwinding_;
};

// A named number.
using setting = std::pair<std::string, double>;

// A level of degradation.
struct level {
    std::string name;
    double enter, leave;
    std::uint64_t enter_after_ns = 0, leave_after_ns = 0;
    std::vector<std::string> off; // features that are off from here on
};

// A strategy of a recovery: what mends a component, or throws.
struct strategy {
    std::string name;
    std::uint32_t tries = 1;
    std::function<void(const std::string &component, const std::string &what)> recover;
};

class policy;

// What a policy is made of besides numbers.
struct parts {
    std::vector<const policy *> policies;
    std::vector<level> levels;
    std::vector<strategy> strategies;
};

// A parameter of a policy, as it stands.
struct parameter {
    std::string name, unit, what;
    double value, low, high;
    bool is_whole;
};

// Any policy.
class policy {
public:
    policy(const scope &in, const std::string &kind, const std::string &name, const std::vector<setting> &settings = {},
           const parts &of = {})
        : handle_(make(in, kind, name, settings, of)) {}
    knhk_policy_t *raw() const noexcept { return handle_.get(); }
    std::string name() const { return knhk_policy_name(raw()); }
    // A breaker's KNHK_BREAKER_ constant, a degradation's level, and so on: see knhk_policy_state.
    std::uint32_t state() const noexcept { return knhk_policy_state(raw()); }
    // For people.
    std::string text() const {
        knhk_buffer_t *made = nullptr;
        detail::called([&](auto err) { return knhk_policy_text(raw(), &made, err); }).value();
        return taken(made);
    }
    double figure(const std::string &name) const {
        double value = 0;
        return detail::called([&](auto err) { return knhk_policy_figure(raw(), name.c_str(), &value, err); }, [&] { return value; }).value();
    }
    std::vector<parameter> parameters() const {
        std::vector<parameter> all;
        auto at = detail::sized<knhk_parameter_t>();
        for (std::size_t n = 0; knhk_policy_parameter(raw(), n, &at, nullptr) == KNHK_OK; n++)
            all.push_back({at.name, at.unit, at.what, at.value, at.low, at.high, at.is_whole != 0});
        return all;
    }
    void retune(const std::vector<setting> &settings) {
        auto of = named(settings);
        detail::called([&](auto err) { return knhk_policy_retune(raw(), of.data(), of.size(), err); }).value();
    }
    // The parameters as a JSON document for a sector that the policy follows.
    std::string document() const {
        knhk_buffer_t *made = nullptr;
        detail::called([&](auto err) { return knhk_policy_document(raw(), &made, err); }).value();
        return taken(made);
    }
    // Has an engine list it, and a sector's values retune it: see knhk_policy_add.
    void add_to(engine &eng, const std::string &sector = "") const {
        const char *follows = sector.empty() ? nullptr : sector.c_str();
        detail::called([&](auto err) { return knhk_policy_add(eng.raw(), raw(), follows, err); }).value();
    }

    // Admits a call, or throws `refused`.
    permit enter(const attempt &call = {}) const {
        auto with = raw_attempt(call);
        auto why = detail::sized<knhk_refusal_t>();
        knhk_permit_t made;
        knhk_error_t *err = nullptr;
        knhk_status_t status = knhk_policy_enter(raw(), &with, &made, &why, &err);
        check(status, err, why);
        return {raw(), made};
    }
    // Admits a call, or says why not; nothing is thrown or allocated for that.
    std::optional<permit> try_enter(const attempt &call = {}, knhk_refusal_t *why = nullptr) const noexcept {
        auto with = raw_attempt(call);
        knhk_permit_t made;
        if (why) why->struct_size = sizeof *why;
        if (knhk_policy_enter(raw(), &with, &made, why, nullptr) != KNHK_OK) return std::nullopt;
        return std::optional<permit>(std::in_place, raw(), made);
    }
    // Does some work through the policy, and again where a pipeline's retry says so; an exception is a failure, and the last one goes on.
    // `work` may take the deadline, by the scope's clock. Throws `refused`, or `error` with KNHK_TIMEOUT.
    template <class Work> auto call(Work work, const attempt &about = {}) const {
        constexpr bool told = std::is_invocable_v<Work &, std::uint64_t>;
        using value = decltype(invoke<told>(work, 0));
        struct made_t {
            Work &work;
            std::optional<std::conditional_t<std::is_void_v<value>, bool, value>> value_;
            std::exception_ptr thrown;
        } made{work, {}, {}};
        auto run = [](void *ctx, std::uint64_t deadline_ns) noexcept -> std::uint32_t {
            auto &to = *static_cast<made_t *>(ctx);
            to.thrown = nullptr;
            try {
                if constexpr (std::is_void_v<value>) {
                    invoke<told>(to.work, deadline_ns);
                    to.value_.emplace(true);
                } else {
                    to.value_.emplace(invoke<told>(to.work, deadline_ns));
                }
                return KNHK_OUTCOME_SUCCESS;
            } catch (...) {
                to.thrown = std::current_exception();
                return KNHK_OUTCOME_FAILURE;
            }
        };
        auto with = raw_attempt(about);
        auto why = detail::sized<knhk_refusal_t>();
        knhk_error_t *err = nullptr;
        knhk_status_t status = knhk_policy_call(raw(), &with, run, &made, &why, &err);
        if (status == KNHK_CALL_FAILED && made.thrown) {
            knhk_error_free(err);
            std::rethrow_exception(made.thrown);
        }
        check(status, err, why);
        if constexpr (!std::is_void_v<value>) return std::move(*made.value_);
    }

    // A breaker by hand.
    void force_open() { switched(knhk_breaker_force_open); }
    void close() { switched(knhk_breaker_close); }
    void disable() { switched(knhk_breaker_disable); }
    // Chaos on or off.
    void chaos(bool on) {
        detail::called([&](auto err) { return knhk_chaos_switch(raw(), on, err); }).value();
    }
    // Tells a shedder or a degradation the load.
    void load(double load) {
        detail::called([&](auto err) { return knhk_policy_load(raw(), load, err); }).value();
    }
    // Holds a level of a degradation; none lets go.
    void pin(std::optional<std::uint32_t> level) {
        detail::called([&](auto err) { return knhk_degradation_pin(raw(), level.value_or(UINT32_MAX), err); }).value();
    }
    // A feature's number, for is_on.
    std::uint32_t feature(const std::string &name) const {
        std::uint32_t number = 0;
        return detail::called([&](auto err) { return knhk_feature(raw(), name.c_str(), &number, err); }, [&] { return number; }).value();
    }
    bool is_on(std::uint32_t feature) const noexcept { return knhk_feature_is_on(raw(), feature); }
    // Tries a recovery's strategies; how it went. Throws with KNHK_CALL_FAILED when nothing mended it.
    std::string recover(const std::string &component, const std::string &what) const {
        knhk_buffer_t *made = nullptr;
        auto done = detail::called([&](auto err) { return knhk_recover(raw(), component.c_str(), what.c_str(), &made, err); });
        std::string report = taken(made);
        done.value();
        return report;
    }
    // Health: adds a component, and tells how well it is.
    std::size_t add(const std::string &component, double weight = 1, const std::vector<std::string> &needs = {}) {
        std::vector<const char *> names;
        for (const std::string &need : needs) names.push_back(need.c_str());
        std::size_t number = 0;
        return detail::called([&](auto err) { return knhk_health_add(raw(), component.c_str(), weight, names.data(), names.size(), &number, err); },
                              [&] { return number; })
            .value();
    }
    void report(std::size_t component, double health) {
        detail::called([&](auto err) { return knhk_health_report(raw(), component, health, err); }).value();
    }

private:
    template <bool told, class Work> static decltype(auto) invoke(Work &work, [[maybe_unused]] std::uint64_t deadline_ns) {
        if constexpr (told)
            return work(deadline_ns);
        else
            return work();
    }
    static knhk_attempt_t raw_attempt(const attempt &call) noexcept {
        auto with = detail::sized<knhk_attempt_t>();
        with.priority = call.priority;
        with.deadline_ns = call.deadline_ns;
        with.tokens = call.tokens;
        return with;
    }
    static void check(knhk_status_t status, knhk_error_t *err, const knhk_refusal_t &why) {
        if (status == KNHK_REFUSED) throw refused(error(status, err), why);
        if (status != KNHK_OK) throw error(status, err);
    }
    static std::string taken(knhk_buffer_t *made) {
        detail::handle<knhk_buffer_t, knhk_buffer_free> from(made);
        return {knhk_buffer_data(made) ? knhk_buffer_data(made) : "", knhk_buffer_len(made)};
    }
    void switched(knhk_status_t (*to)(knhk_policy_t *, knhk_error_t **)) {
        detail::called([&](auto err) { return to(raw(), err); }).value();
    }
    static std::vector<knhk_setting_t> named(const std::vector<setting> &settings) {
        std::vector<knhk_setting_t> of;
        for (const setting &one : settings) of.push_back({one.first.c_str(), one.second});
        return of;
    }
    static knhk_policy_t *make(const scope &in, const std::string &kind, const std::string &name, const std::vector<setting> &settings,
                               const parts &of) {
        auto options = detail::sized<knhk_policy_options_t>();
        auto numbers = named(settings);
        std::vector<const knhk_policy_t *> policies;
        for (const policy *one : of.policies) policies.push_back(one->raw());
        std::vector<std::vector<const char *>> off;
        std::vector<knhk_level_t> levels;
        for (const level &one : of.levels) {
            off.emplace_back();
            for (const std::string &feature : one.off) off.back().push_back(feature.c_str());
        }
        for (std::size_t n = 0; n < of.levels.size(); n++) {
            const level &one = of.levels[n];
            levels.push_back({one.name.c_str(), one.enter, one.leave, one.enter_after_ns, one.leave_after_ns, off[n].data(), off[n].size()});
        }
        using mend = decltype(strategy::recover);
        std::vector<knhk_strategy_t> strategies;
        for (const strategy &one : of.strategies) {
            auto with = knhk_strategy_t();
            with.name = one.name.c_str();
            with.tries = one.tries;
            with.ctx = new mend(one.recover);
            with.recover = [](void *ctx, const char *component, const char *what) noexcept -> std::int32_t {
                try {
                    (*static_cast<mend *>(ctx))(component, what);
                    return 0;
                } catch (...) {
                    return 1;
                }
            };
            with.destroy = [](void *ctx) noexcept { delete static_cast<mend *>(ctx); };
            strategies.push_back(with);
        }
        options.settings = numbers.data(), options.settings_len = numbers.size();
        options.policies = policies.data(), options.policies_len = policies.size();
        options.levels = levels.data(), options.levels_len = levels.size();
        options.strategies = strategies.data(), options.strategies_len = strategies.size();
        knhk_policy_t *made = nullptr;
        return detail::called([&](auto err) { return knhk_policy_new(in.raw(), kind.c_str(), name.c_str(), &options, &made, err); }, [&] { return made; })
            .value();
    }
    detail::handle<knhk_policy_t, knhk_policy_free> handle_;
};

} // namespace knhk

#include "knhk_checkpoints.hpp"
#include "knhk_warm.hpp"

#endif // KNHK_RESILIENCE_HPP
