// knhk_resilience.hpp: permits that tell by themselves, calls that throw, retries, what a policy is made of.
#include <knhk_resilience.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#define CHECK(what)                                                         \
    do {                                                                    \
        if (!(what)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            std::abort();                                                   \
        }                                                                   \
    } while (0)

static_assert(!std::is_copy_constructible_v<knhk::permit> && std::is_nothrow_move_constructible_v<knhk::permit>);

template <class Error, class Call> static Error thrown(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error;
    }
    std::abort();
}

int main() {
    knhk::scope scope(KNHK_CLOCK_MANUAL);
    scope.advance(1'000'000);
    std::atomic<int> heard{0};
    auto subscription = scope.subscribe([&](const knhk_transition_t &told) {
        if (std::string(told.kind) == "breaker") heard++;
        throw std::runtime_error("dropped");
    });
    knhk::policy breaker(scope, "breaker", "payments", {{"consecutive_failures", 2}, {"recovery_ms", 10}, {"half_open_permits", 1}});
    CHECK(breaker.call([] { return 7; }) == 7 && breaker.name() == "payments");
    CHECK(breaker.call([](std::uint64_t deadline_ns) { return deadline_ns; }, {KNHK_PRIORITY_HIGH, 9'000'000}) == 9'000'000);
    breaker.call([] {});
    auto fails = [&] { breaker.call([]() -> int { throw std::runtime_error("down"); }); };
    CHECK(std::string(thrown<std::runtime_error>(fails).what()) == "down");
    { auto permit = breaker.enter(); } // a success
    thrown<std::runtime_error>(fails);
    CHECK(breaker.state() == KNHK_BREAKER_CLOSED); // not in a row
    auto unwinds = [&] {
        auto permit = breaker.enter();
        throw std::runtime_error("down");
    };
    thrown<std::runtime_error>(unwinds);
    CHECK(breaker.state() == KNHK_BREAKER_OPEN);
    auto why = thrown<knhk::refused>([&] { breaker.enter().ignored(); });
    CHECK(why.status() == KNHK_REFUSED && why.reason() == KNHK_REFUSED_OPEN && *why.retry_after_ns() <= 11'000'000);
    CHECK(std::string(why.what()).find("payments: the circuit breaker is open") == 0);
    knhk_refusal_t raw;
    CHECK(!breaker.try_enter({}, &raw) && raw.reason == KNHK_REFUSED_OPEN);
    thrown<knhk::refused>([&] { breaker.call([] { return 1; }); });
    scope.advance(*why.retry_after_ns());
    {
        auto probe = breaker.enter();
        probe.ignored();
    }
    CHECK(breaker.state() == KNHK_BREAKER_HALF_OPEN); // the probe gave its permit back
    {
        auto probe = breaker.try_enter();
        knhk::permit moved(std::move(*probe));
        CHECK(!breaker.try_enter());
        moved.succeeded();
    }
    CHECK(breaker.state() == KNHK_BREAKER_CLOSED);
    while (heard < 3) continue;
    scope.unsubscribe(subscription);

    knhk::policy budget(scope, "budget", "budget"), bulkhead(scope, "bulkhead", "places", {{"limit", 1}});
    knhk::parts spends, parts;
    spends.policies = {&budget};
    knhk::policy retry(scope, "retry", "again", {{"attempts", 2}, {"base_ms", 1}, {"cap_ms", 1}}, spends);
    parts.policies = {&retry, &bulkhead, &breaker};
    knhk::policy pipeline(scope, "pipeline", "callee", {{"timeout_ms", 100}}, parts);
    int calls = 0;
    CHECK(pipeline.call([&] { return ++calls < 2 ? throw std::runtime_error("once") : std::string("twice"); }) == "twice");
    auto late = thrown<knhk::error>([&] { pipeline.call([&] { scope.advance(100'000'000); }); });
    CHECK(late.status() == KNHK_TIMEOUT);
    breaker.close();
    {
        auto held = bulkhead.enter();
        CHECK(bulkhead.figure("taken") == 1);
        CHECK(thrown<knhk::refused>([&] { pipeline.call([] {}); }).reason() == KNHK_REFUSED_FULL);
    }
    CHECK(bulkhead.figure("taken") == 0 && bulkhead.text() == "taken 0, limit 1");
    bulkhead.retune({{"limit", 3}});
    CHECK(bulkhead.parameters().at(0).value == 3 && bulkhead.parameters().at(0).is_whole);
    CHECK(thrown<knhk::error>([&] { bulkhead.retune({{"limits", 3}}); }).status() == KNHK_INVALID_ARGUMENT);

    knhk::parts steps;
    steps.levels = {{"brownout", 0.8, 0.6, 0, 0, {"images"}}};
    knhk::policy shop(scope, "degradation", "shop", {}, steps);
    auto images = shop.feature("images");
    shop.load(0.9);
    CHECK(!shop.is_on(images) && shop.state() == 1);
    shop.pin(0);
    CHECK(shop.is_on(images));
    int mended = 0;
    knhk::parts menders;
    menders.strategies = {{"reconnect", 1, [](auto &, auto &) { throw std::runtime_error("no"); }},
                          {"restart", 1, [&](const std::string &component, const std::string &) { mended += component == "db"; }}};
    knhk::policy recovery(scope, "recovery", "db", {}, menders);
    CHECK(recovery.recover("db", "silent").find("mended by restart") == 0 && mended == 1);
    knhk::policy monitor(scope, "health", "shop");
    auto db = monitor.add("db"), cart = monitor.add("cart", 2, {"db"});
    monitor.report(db, 1), monitor.report(cart, 1);
    CHECK(monitor.state() == 0 && monitor.figure("availability") == 1);

    knhk::engine eng(":memory:");
    eng.create_sector("orders");
    auto shared = knhk::scope::of(eng);
    knhk::policy bucket(shared, "token_bucket", "api", {{"rate", 10}});
    bucket.add_to(eng, "orders");
    eng.promote_json("orders", bucket.document());
    eng.promote_json("orders", R"({"resilience": {"api": {"rate": 4.5, "burst": 2}}})");
    CHECK(bucket.parameters().at(0).value == 4.5);
    return 0;
}
