// knhk_warm.hpp and knhk_graph.hpp: lambdas with futures, slices, cancelling, channels of values, a graph whose members throw and hang.
#include <knhk_warm.hpp>

#include <poll.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <thread>

#define CHECK(what)                                                         \
    do {                                                                    \
        if (!(what)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            std::abort();                                                   \
        }                                                                   \
    } while (0)

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<knhk::executor> && std::is_nothrow_move_constructible_v<knhk::channel<int>>);

template <class Error, class Call> static Error thrown(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error;
    }
    std::abort();
}

static void executor() {
    std::atomic<int> late{0};
    knhk::executor_settings settings;
    settings.threads = 1, settings.capacity = 16;
    settings.notice = [&](const knhk_notice_t &told) { late += told.kind == KNHK_NOTICE_LATE; };
    knhk::executor warm("warm", settings);
    std::future<int> sum = warm.submit([] { return 2 + 2; });
    CHECK(sum.get() == 4);
    warm.submit([] {}).get();
    auto owned = std::make_unique<int>(7); // work may own what cannot be copied
    CHECK(*warm.submit([owned = std::move(owned)]() mutable { return std::move(owned); }).get() == 7);
    auto fails = warm.submit([]() -> int { throw std::runtime_error("planted"); });
    CHECK(std::string(thrown<std::runtime_error>([&] { fails.get(); }).what()) == "planted");

    // Slices: called again until it says that it is done.
    auto counts = warm.task("counts", {KNHK_PRIORITY_HIGH, 1min});
    counts.submit([at = 0](knhk::run &) mutable { return ++at == 10; }).get();
    CHECK(counts.stats().slices == 10 && counts.stats().level == KNHK_PRIORITY_HIGH);

    // One that runs and one that waits are cancelled; one is too late.
    std::promise<void> began;
    auto runs = counts.submit([&, told = false](knhk::run &run) mutable {
        if (!std::exchange(told, true)) began.set_value();
        while (!run.cancelled()) std::this_thread::yield();
        return false;
    });
    began.get_future().wait();
    auto waits = warm.submit([] { std::abort(); });
    CHECK(!waits.wait_for(0s) && waits.cancel() && !waits.cancel());
    CHECK(thrown<knhk::not_run>([&] { waits.get(); }).state() == KNHK_RUN_CANCELLED);
    auto drops = warm.task("drops", {KNHK_PRIORITY_NORMAL, 1ms, true});
    auto too_late = drops.submit([] { std::abort(); }, 1ns);
    CHECK(runs.cancel());
    CHECK(thrown<knhk::not_run>([&] { runs.get(); }).state() == KNHK_RUN_CANCELLED);
    CHECK(thrown<knhk::not_run>([&] { too_late.get(); }).state() == KNHK_RUN_EXPIRED && late == 1);

    warm.submit([] {}).get(); // behind the cancelled one, which its queue has until it finds it over
    warm.pause();
    auto paused = warm.submit([] {});
    CHECK(warm.stats().waiting[2] == 1 && (warm.stats().flags & KNHK_EXECUTOR_PAUSED));
    warm.resume();
    paused.get();
    auto ended = warm.shutdown(1min, 1min);
    CHECK(ended.unfinished == 0 && ended.stuck == 0);
    CHECK(thrown<knhk::error>([&] { warm.submit([] {}); }).status() == KNHK_CLOSED);
}

static void channels() {
    auto [here, there] = knhk::channel<int, std::string>::pair(4);
    std::thread answers([&, end = &there] {
        while (end->work([&](int n) { CHECK(end->send(std::to_string(n))); })) {
        }
        end->finish();
    });
    std::thread asks([end = &here] {
        for (int n = 0; n < 10000; n++) CHECK(end->send(n));
        end->finish();
    });
    int expected = 0;
    while (auto answer = here.receive()) CHECK(*answer == std::to_string(expected++));
    answers.join(), asks.join();
    CHECK(expected == 10000 && here.outgoing().done == 10000);
    CHECK(thrown<knhk::error>([&, end = &here] { end->send(1); }).status() == KNHK_CLOSED);

    // What is never received is destroyed.
    auto token = std::make_shared<int>(1);
    {
        auto [left, right] = knhk::channel<std::shared_ptr<int>>::pair(1);
        std::shared_ptr<int> none;
        struct pollfd polled = {right.fd(), POLLIN, 0};
        CHECK(right.receive(none, 0s) == KNHK_TIMEOUT && poll(&polled, 1, 0) == 0);
        CHECK(left.send(token, 0s) && poll(&polled, 1, 0) == 1 && right.receive(none, 0s) == KNHK_OK && none == token);
        none.reset();
        CHECK(right.receive(none, 0s) == KNHK_TIMEOUT && left.send(token, 0s) && !left.send(token, 1ms) && token.use_count() == 2);
        right.hold();
        CHECK(left.outgoing().held && right.receive(none, 0s) == KNHK_OK && none == token);
        right.release();
        CHECK(left.send(token));
    }
    CHECK(token.use_count() == 1);
}

static void graph() {
    knhk::graph parts;
    std::vector<std::string> log;
    std::mutex lock;
    auto note = [&](const char *what) {
        std::lock_guard<std::mutex> held(lock);
        log.push_back(what);
    };
    bool broken = true;
    std::promise<void> let_go;
    std::shared_future<void> gone(let_go.get_future());
    parts.add("store", {[&] { note("start store"); }, {}, [&] { note("stop store"); }, [] { return 0.5; }});
    parts.add("engine",
              {[&] {
                   if (broken) throw std::runtime_error("no licence");
                   note("start engine");
               },
               {},
               [gone] { gone.wait(); }},
              {"store"});
    CHECK(std::string(thrown<knhk::error>([&] { parts.depend("store", "engine"); }).what()).find("store -> engine -> store") != std::string::npos);
    auto failed = thrown<knhk::error>([&] { parts.start(1min); });
    CHECK(failed.status() == KNHK_CALL_FAILED && std::string(failed.what()).find("engine failed: no licence") != std::string::npos);
    broken = false;
    CHECK(parts.start(1min).all_well());
    CHECK((log == std::vector<std::string>{"start store", "stop store", "start store", "start engine"}));
    auto health = parts.health();
    CHECK(health[1].own == 1 && health[1].effective == 0.5 && health[1].because_of == std::vector<std::string>{"store"});
    auto report = parts.shutdown(1min, 200ms);
    auto stuck = report.stuck();
    CHECK(std::count(stuck.begin(), stuck.end(), "engine") == 1 && report.text.find("engine did not return from stop") != std::string::npos);
    let_go.set_value();
}

int main() {
    executor();
    channels();
    graph();
}
