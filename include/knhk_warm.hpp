// The warm path for C++17: an executor whose work are lambdas, and channels of values. Included by knhk_resilience.hpp.
//
//     knhk::executor warm("reports"); // two threads
//     std::future<int> sum = warm.submit([] { return 2 + 2; });
//     auto sweep = warm.task("sweep", {KNHK_PRIORITY_LOW, std::chrono::milliseconds(2)});
//     sweep.submit([at = 0](knhk::run &run) mutable { // in slices: called again until it says that it is done
//         while (at < 1000000 && !run.should_yield()) at++;
//         return at == 1000000;
//     });
//
//     auto [here, there] = knhk::channel<order, receipt>::pair(64); // here sends orders and receives receipts, at most 64 under way
//     here.send(order(7));
//     while (std::optional<order> next = there.receive()) handle(*next);
#ifndef KNHK_WARM_HPP
#define KNHK_WARM_HPP

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>

#include "knhk_resilience.hpp"

namespace knhk {

namespace detail {

// Nanoseconds for C; none is for ever.
inline std::uint64_t patience(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    return timeout ? static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(timeout->count(), 0)) : KNHK_FOREVER;
}

} // namespace detail

// ---- Executor ----

// A run, as the work that is being done sees it.
class run {
public:
    explicit run(knhk_run_t *of) noexcept : of_(of) {}
    // Whether to give way: the budget is used up, the run was cancelled, the executor is paused, or the hot path is over its budget.
    bool should_yield() const noexcept { return knhk_run_should_yield(of_); }
    bool cancelled() const noexcept { return knhk_run_cancelled(of_); }

private:
    knhk_run_t *of_;
};

// Why a future has no value: its run never ran to its end. `state` is KNHK_RUN_CANCELLED or KNHK_RUN_EXPIRED.
class not_run : public std::runtime_error {
public:
    explicit not_run(std::uint32_t state)
        : std::runtime_error(state == KNHK_RUN_EXPIRED ? "the run was dropped: its deadline had passed before it began"
                                                       : "the run was cancelled, or its executor ended"),
          state_(state) {}
    std::uint32_t state() const noexcept { return state_; }

private:
    std::uint32_t state_;
};

struct task_settings {
    std::uint32_t priority = KNHK_PRIORITY_NORMAL;
    std::chrono::nanoseconds budget = std::chrono::milliseconds(1); // what a slice may take
    bool drop_late = false;                                         // drops runs whose deadline has passed before they begin
};

namespace detail {

// Work that was submitted: it is owned by its run, and ends with it.
struct work {
    virtual ~work() = default;
    virtual bool step(run &at) noexcept = 0; // whether it is done
    virtual void over(std::uint32_t state) noexcept = 0;
};

template <class F> struct work_of final : work {
    // Work that takes a run says with a bool whether it is done, and is called again until it is.
    static constexpr bool sliced = std::is_invocable_r_v<bool, F &, run &>;
    template <bool, class G> struct result_of {
        using type = void;
    };
    template <class G> struct result_of<false, G> {
        using type = std::decay_t<std::invoke_result_t<G &>>;
    };
    using value = typename result_of<sliced, F>::type;

    explicit work_of(F from) : function(std::move(from)) {}
    bool step(run &at) noexcept override {
        try {
            if constexpr (sliced) {
                if (!function(at)) return false;
                made.emplace(true);
            } else if constexpr (std::is_void_v<value>) {
                function();
                made.emplace(true);
            } else {
                made.emplace(function());
            }
        } catch (...) {
            thrown = std::current_exception();
        }
        return true;
    }
    // Told then, when everything that is known of the run has been counted.
    void over(std::uint32_t state) noexcept override {
        if (thrown)
            promise.set_exception(thrown);
        else if (!made)
            promise.set_exception(std::make_exception_ptr(not_run(state)));
        else if constexpr (std::is_void_v<value>)
            promise.set_value();
        else
            promise.set_value(std::move(*made));
    }
    F function;
    std::promise<value> promise;
    std::optional<std::conditional_t<std::is_void_v<value>, bool, value>> made;
    std::exception_ptr thrown;
};

} // namespace detail

// What was submitted: its value, or the exception that it threw, or `not_run`. Forgetting it lets the run go on.
template <class T> class submitted {
public:
    submitted(std::future<T> value, knhk_ticket_t *ticket) : value_(std::move(value)), ticket_(ticket) {}
    // Waits. Not in work of the same executor.
    T get() { return value_.get(); }
    bool wait_for(std::chrono::nanoseconds timeout) const { return value_.wait_for(timeout) == std::future_status::ready; }
    // Work that waits never runs, work that runs is told; whether it was not over yet.
    bool cancel() noexcept { return knhk_ticket_cancel(ticket_.get()); }
    // Lets go of the run alone.
    operator std::future<T>() && { return std::move(value_); }

private:
    std::future<T> value_;
    detail::handle<knhk_ticket_t, knhk_ticket_free> ticket_;
};

// Work of one kind: one priority, one budget, one conduct. Any thread.
class task {
public:
    // Runs `work` once, or, where it takes a `run` and returns a bool, again until it returns true; within a time where one is given.
    template <class F> auto submit(F work, std::optional<std::chrono::nanoseconds> within = std::nullopt) const {
        auto owned = std::make_unique<detail::work_of<F>>(std::move(work));
        auto value = owned->promise.get_future();
        knhk_ticket_t *ticket = nullptr;
        auto argument = reinterpret_cast<std::uintptr_t>(static_cast<detail::work *>(owned.get()));
        std::uint64_t within_ns = within ? std::max<std::uint64_t>(detail::patience(within), 1) : 0;
        detail::called([&](auto err) { return knhk_task_submit(raw(), argument, within_ns, &ticket, err); }).value();
        owned.release(); // the run's from here on
        return submitted<typename detail::work_of<F>::value>(std::move(value), ticket);
    }
    knhk_task_stats_t stats() const {
        auto stats = detail::sized<knhk_task_stats_t>();
        return detail::called([&](auto err) { return knhk_task_stats(raw(), &stats, err); }, [&] { return stats; }).value();
    }
    knhk_task_t *raw() const noexcept { return handle_.get(); }

private:
    friend class executor;
    explicit task(knhk_task_t *from) noexcept : handle_(from) {}
    detail::handle<knhk_task_t, knhk_task_free> handle_;
};

struct executor_settings {
    std::uint32_t threads = 0;            // 2
    std::uint64_t capacity = 0;           // 1,024 runs
    std::chrono::nanoseconds horizon{0};  // 1 s
    // Told what the executor notices; and says whether the hot path is over its budget. On several threads at once; they must not throw.
    std::function<void(const knhk_notice_t &)> notice = {};
    std::function<bool()> hot = {};
};

// Work beside the hot path, on few threads. Its end gives up what waits; `shutdown` lets it end.
class executor {
public:
    explicit executor(const std::string &name, executor_settings with = {})
        : handle_(made(name, std::move(with))), usual_(task("submit", {})) {}
    // Work of the usual priority and budget; see task::submit.
    template <class F> auto submit(F work) const { return usual_.submit(std::move(work)); }
    knhk::task task(const std::string &name, const task_settings &with = {}) const {
        auto callback = detail::sized<knhk_task_callback_t>();
        callback.priority = with.priority;
        callback.budget_ns = detail::patience(with.budget);
        callback.drop_late = with.drop_late;
        callback.run = [](void *, knhk_run_t *at) noexcept -> std::uint32_t {
            knhk::run run(at);
            return of(knhk_run_argument(at))->step(run) ? KNHK_STEP_DONE : run.cancelled() ? KNHK_STEP_DONE : KNHK_STEP_AGAIN;
        };
        callback.over = [](void *, std::uint64_t argument, std::uint32_t state) noexcept {
            of(argument)->over(state);
            delete of(argument);
        };
        knhk_task_t *made = nullptr;
        detail::called([&](auto err) { return knhk_task_new(raw(), name.c_str(), &callback, &made, err); }).value();
        return knhk::task(made);
    }
    void pause() {
        detail::called([&](auto err) { return knhk_executor_pause(raw(), err); }).value();
    }
    void resume() {
        detail::called([&](auto err) { return knhk_executor_resume(raw(), err); }).value();
    }
    knhk_executor_stats_t stats() const {
        auto stats = detail::sized<knhk_executor_stats_t>();
        return detail::called([&](auto err) { return knhk_executor_stats(raw(), &stats, err); }, [&] { return stats; }).value();
    }
    struct ended {
        std::size_t unfinished, stuck;
    };
    // Takes nothing more, lets what is there end, cancels the rest; how many that were, and how many did not return.
    ended shutdown(std::chrono::nanoseconds drain, std::chrono::nanoseconds cancel) {
        ended how{};
        auto call = [&](auto err) {
            return knhk_executor_shutdown(raw(), detail::patience(drain), detail::patience(cancel), &how.unfinished, &how.stuck, err);
        };
        return detail::called(call, [&] { return how; }).value();
    }
    // Has an engine list it (`knhk tasks`).
    void add_to(engine &eng) const {
        detail::called([&](auto err) { return knhk_engine_add_executor(eng.raw(), raw(), err); }).value();
    }
    knhk_executor_t *raw() const noexcept { return handle_.get(); }

private:
    static detail::work *of(std::uint64_t argument) noexcept {
        return reinterpret_cast<detail::work *>(static_cast<std::uintptr_t>(argument));
    }
    static knhk_executor_t *made(const std::string &name, executor_settings with) {
        auto options = detail::sized<knhk_executor_options_t>();
        options.threads = with.threads, options.capacity = with.capacity, options.horizon_ns = detail::patience(with.horizon);
        if (with.notice) options.notice = [](void *ctx, const knhk_notice_t *told) noexcept { at(ctx).notice(*told); };
        if (with.hot) options.hot = [](void *ctx) noexcept { return at(ctx).hot(); };
        options.destroy = [](void *ctx) noexcept { delete &at(ctx); };
        options.ctx = new executor_settings(std::move(with));
        knhk_executor_t *to = nullptr;
        detail::called([&](auto err) { return knhk_executor_new(name.c_str(), &options, &to, err); }).value();
        return to;
    }
    static executor_settings &at(void *ctx) noexcept { return *static_cast<executor_settings *>(ctx); }
    detail::handle<knhk_executor_t, knhk_executor_free> handle_;
    knhk::task usual_;
};

// ---- Channels ----

namespace detail {

// A message on its way: what is never received is destroyed, whatever it is.
struct parcel {
    virtual ~parcel() = default;
};
template <class T> struct parcel_of final : parcel {
    explicit parcel_of(T from) : value(std::move(from)) {}
    T value;
};

} // namespace detail

// An end of a channel: it sends `Out` and receives `In`. Several threads may share it; destroying it closes it.
template <class Out, class In = Out> class channel {
public:
    using other = channel<In, Out>;
    // Two ends; at most `window` messages are under way each way.
    static std::pair<channel, other> pair(std::uint32_t window) {
        knhk_channel_t *left = nullptr, *right = nullptr;
        auto discard = [](void *message) noexcept { delete static_cast<detail::parcel *>(message); };
        detail::called([&](auto err) { return knhk_channel_pair(window, discard, &left, &right, err); }).value();
        return {channel(left), other(right)};
    }
    // Whether it was sent; false where no credit came in time. Throws with KNHK_CLOSED where the other end is closed, or this one has finished.
    bool send(Out message, std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
        std::unique_ptr<detail::parcel> owned = std::make_unique<detail::parcel_of<Out>>(std::move(message));
        knhk_error_t *err = nullptr;
        knhk_status_t status = knhk_channel_send(raw(), owned.get(), detail::patience(timeout), &err);
        if (status == KNHK_OK) return owned.release(), true;
        if (status != KNHK_BUSY) throw error(status, err);
        knhk_error_free(err);
        return false;
    }
    // The next message, waiting for it; none: nothing will come any more.
    std::optional<In> receive() {
        parcel next;
        if (received(knhk_channel_receive, next, std::nullopt) != KNHK_OK) return std::nullopt;
        return std::move(next->value);
    }
    // The next message, waiting for so long: KNHK_OK, KNHK_TIMEOUT where none came, or KNHK_CLOSED when nothing will.
    knhk_status_t receive(In &to, std::chrono::nanoseconds timeout) {
        parcel next;
        knhk_status_t status = received(knhk_channel_receive, next, timeout);
        if (next) to = std::move(next->value);
        return status;
    }
    // Does some work with the next message, which fills its place in the window meanwhile; false: nothing will come any more.
    template <class Work> bool work(Work with) {
        parcel next;
        if (received(knhk_channel_take, next, std::nullopt) != KNHK_OK) return false;
        struct done {
            knhk_channel_t *of;
            ~done() { knhk_channel_done(of, nullptr); }
        } at_the_end{raw()};
        with(std::move(next->value));
        return true;
    }
    // A descriptor to poll, which is not to be read: readable while there may be something to receive, until `receive` gives KNHK_TIMEOUT.
    int fd() {
        int made = -1;
        return detail::called([&](auto err) { return knhk_channel_fd(raw(), &made, err); }, [&] { return made; }).value();
    }
    // Withdraws the other end's credit, and gives it back.
    void hold() { switched(knhk_channel_hold); }
    void release() { switched(knhk_channel_release); }
    // Sends nothing more; and closes: receives nothing more either, and wakes whoever waits at this end.
    void finish() { switched(knhk_channel_finish); }
    void close() { switched(knhk_channel_close); }
    knhk_flow_t outgoing() const { return flow(knhk_channel_outgoing); }
    knhk_flow_t incoming() const { return flow(knhk_channel_incoming); }
    knhk_channel_t *raw() const noexcept { return handle_.get(); }

private:
    template <class, class> friend class channel;
    using parcel = std::unique_ptr<detail::parcel_of<In>>;
    explicit channel(knhk_channel_t *from) noexcept : handle_(from) {}
    template <class Call> knhk_status_t received(Call call, parcel &to, std::optional<std::chrono::nanoseconds> timeout) {
        void *message = nullptr;
        knhk_error_t *err = nullptr;
        knhk_status_t status = call(raw(), detail::patience(timeout), &message, &err);
        if (status != KNHK_OK && status != KNHK_TIMEOUT && status != KNHK_CLOSED) throw error(status, err);
        knhk_error_free(err);
        to.reset(static_cast<detail::parcel_of<In> *>(static_cast<detail::parcel *>(message)));
        return status;
    }
    void switched(knhk_status_t (*to)(knhk_channel_t *, knhk_error_t **)) {
        detail::called([&](auto err) { return to(raw(), err); }).value();
    }
    knhk_flow_t flow(knhk_status_t (*of)(const knhk_channel_t *, knhk_flow_t *, knhk_error_t **)) const {
        auto flow = detail::sized<knhk_flow_t>();
        return detail::called([&](auto err) { return of(raw(), &flow, err); }, [&] { return flow; }).value();
    }
    detail::handle<knhk_channel_t, knhk_channel_free> handle_;
};

} // namespace knhk

#include "knhk_graph.hpp"

#endif // KNHK_WARM_HPP
