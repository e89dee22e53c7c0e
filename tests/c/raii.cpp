// knhk.hpp: owners, typed keys, exceptions and results.
#include <knhk.hpp>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#define CHECK(what)                                                         \
    do {                                                                    \
        if (!(what)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            std::abort();                                                   \
        }                                                                   \
    } while (0)

static_assert(!std::is_copy_constructible_v<knhk::view> && !std::is_move_constructible_v<knhk::view>);
static_assert(!std::is_copy_constructible_v<knhk::engine> && std::is_nothrow_move_constructible_v<knhk::engine>);
static_assert(!std::is_copy_constructible_v<knhk::reader> && std::is_nothrow_move_constructible_v<knhk::reader>);
static_assert(std::is_nothrow_copy_constructible_v<knhk::error> && sizeof(knhk::key<double>) == sizeof(knhk_key_t));

static const char document[] = R"({"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}, "ratio": 0.5, "open": true,
    "desk": "paris", "seal": {"$bytes": "AAEC"}, "steps": [1, 2, 3], "flags": [true, false], "weights": [0.5], "venues": ["XLON", "XPAR"],
    "limits": {"XLON": 7}, "$classes": {"order": [], "limit": ["order"]}})";

static void reads(knhk::engine &eng) {
    using std::int64_t;
    auto max_qty = eng.key<int64_t>("orders", "max_qty");
    auto ratio = eng.key<double>("orders", "ratio");
    auto open = eng.key<bool>("orders", "open");
    auto desk = eng.key<std::string_view>("orders", "desk");
    auto seal = eng.key<knhk::bytes>("orders", "seal");
    auto steps = eng.key<knhk::list<int64_t>>("orders", "steps");
    auto flags = eng.key<knhk::list<bool>>("orders", "flags");
    auto weights = eng.key<knhk::list<double>>("orders", "weights");
    auto venues = eng.key<knhk::string_list>("orders", "venues");
    auto limits = eng.key<knhk::map>("orders", "limits");
    auto order = eng.key<knhk::class_type>("orders", "$classes/order"), limit = eng.key<knhk::class_type>("orders", "$classes/limit");

    knhk::reader reader(eng);
    auto view = reader.view();
    CHECK(view.epoch() == eng.change_version());
    CHECK(view.get(max_qty, 0) == 1000 && view.get(ratio) == 0.5 && view.get(open) && view.get(desk, "none") == "paris");
    CHECK(view.get(knhk::key<int64_t>(), 9) == 9 && view.get(knhk::key<std::string_view>(), "none") == "none");
    CHECK(view.get(seal).size() == 3 && view.get(seal)[2] == 2 && view.get(flags).size() == 2 && view.get(weights)[0] == 0.5);
    int64_t sum = 0;
    for (int64_t step : view.get(steps)) sum += step;
    std::string names;
    for (std::string_view name : view.get(venues)) names += name;
    CHECK(sum == 6 && names == "XLONXPAR");
    auto read = view.try_get(max_qty);
    CHECK(read && read.value == 1000 && !view.try_get(knhk::key<double>()) && view.try_get(desk).value == "paris");
    CHECK(view.try_get(knhk::key<bool>()).reason == KNHK_READ_ABSENT && view.try_get(seal).reason == KNHK_READ_PRESENT);
    CHECK(view.guard<int64_t>(max_qty, 5000) && !view.guard<int64_t>(max_qty, 5001) && view.guard(ratio, 7.0));
    CHECK(view.is_a(limit, order) && !view.is_a(order, limit));
    CHECK(view.get(view.lookup<int64_t>(limits, "XLON"), -1) == 7 && view.get(view.lookup<int64_t>(limits, "XMIL"), -1) == -1);
    CHECK(view.get(view.find<int64_t>(eng.sector_number("orders"), "limits/XLON"), -1) == 7);
    CHECK(view.observe<int64_t>(max_qty, 900, KNHK_SUCCESS, 5, 6) && view.observe_at(77, open, false, KNHK_REJECTED));

    knhk::hold held = view.hold(), copy = held;
    eng.promote_json("orders", R"({"max_qty": 1})", {"ops-2", "desk asked", true});
    held = std::move(copy);
    std::thread([&] { CHECK(held.view().get(max_qty) == 1000); }).join();
    CHECK(view.get(max_qty) == 1000);
    {
        auto nested = reader.view_for(42);
        CHECK(nested.get(max_qty) == 1 && nested.try_get(desk).reason == KNHK_READ_ABSENT);
    }
    auto drained = eng.drain(16);
    CHECK(drained.size() == 2 && drained[0].subject == 5 && drained[0].detail == 6 && drained[0].value.as_i64 == 900);
    CHECK(drained[1].time_ns == 77 && drained[1].value_type == KNHK_BOOL && drained[1].outcome == KNHK_REJECTED);
}

static void modes(knhk::engine &eng) {
    auto max_qty = eng.key<std::int64_t>("orders", "max_qty");
    knhk::reader_options options;
    options.flags = KNHK_MIGRATABLE;
    knhk::reader reader(eng, options);
    {
        auto mode = reader.quiescent();
        CHECK(mode.view().get(max_qty) == 1 && mode.view_for(3).get(max_qty) == 1);
        mode.announce();
    }
    std::thread([moved = std::move(reader), max_qty]() mutable { CHECK(moved.view().get(max_qty) == 1 && moved.id() > 0); }).join();
}

static void management(knhk::engine &eng) {
    CHECK(eng.sectors().size() == 1 && eng.sectors()[0].name == "orders" && eng.sectors()[0].version == 2);
    auto keys = eng.keys("orders");
    CHECK(keys.size() == 1 && keys[0].name == "max_qty" && keys[0].type == KNHK_I64 && keys[0].unit.empty());
    auto back = eng.rollback("orders", 1);
    CHECK(back.version == 3 && back.epoch == eng.change_version());
    auto history = eng.history("orders");
    CHECK(history.size() == 3 && history[1].by == "ops-2" && history[2].rollback_of == 1 && !history[1].differences.empty());
    eng.create_sector("copy");
    eng.declare_json("copy", R"({"n": {"$type": "i64", "$default": 4}})");
    CHECK(!eng.wait_ready(std::nothrow, "copy", 0));
    eng.promote_json("copy", eng.export_json("orders"));
    eng.wait_ready("copy");
    CHECK(eng.export_json("copy") == eng.export_json("orders", 1) && eng.dump().find("copy") != std::string::npos);
    std::string image = eng.compile_json(R"({"n": 5})");
    eng.create_sector("images");
    eng.promote_image("images", {reinterpret_cast<const std::uint8_t *>(image.data()), image.size()});
    CHECK(eng.stats().sectors == 3 && eng.stats().refused == 0);
    eng.report_hot(80);
    CHECK(eng.hot_mean() == 10); // an eighth of the first report
}

static void failures(knhk::engine &eng) {
    try {
        eng.key<double>("orders", "max_qty");
        CHECK(false);
    } catch (const knhk::error &failed) {
        CHECK(failed.status() == KNHK_WRONG_TYPE && failed.item() == "orders/max_qty" && failed.stage() == "intern");
        CHECK(std::string(failed.what()).find("i64") != std::string::npos);
    }
    auto failed = eng.promote_json(std::nothrow, "orders", "{");
    CHECK(!failed && failed.error().status() == KNHK_DOCUMENT);
    CHECK(!knhk::engine::open(std::nothrow, "").has_value());
    auto made = eng.promote_json(std::nothrow, "images", R"({"n": 6})");
    CHECK(made && made->version == 2);
}

static void changes(knhk::engine &eng) {
    std::mutex lock;
    std::condition_variable told;
    std::string summary;
    auto subscription = eng.subscribe([&](const knhk_change_t &change) {
        std::lock_guard<std::mutex> guard(lock);
        summary = change.summary;
        told.notify_all();
        throw 1; // ends in the callback
    });
    eng.promote_json("images", R"({"n": 7})", {"ops-2", ""});
    std::unique_lock<std::mutex> guard(lock);
    told.wait(guard, [&] { return !summary.empty(); });
    guard.unlock();
    CHECK(summary.find("ops-2") != std::string::npos && eng.change_fd() >= 0);
    eng.unsubscribe(subscription);
}

int main() {
    knhk::options options;
    options.history = 8;
    knhk::engine eng(":memory:", options);
    eng.create_sector("orders");
    eng.promote_json("orders", document);
    reads(eng);
    modes(eng);
    management(eng);
    failures(eng);
    changes(eng);
    knhk::reader late(eng);
    eng.close();
    CHECK(late.view().get(knhk::key<double>(), 1.5) == 1.5);
}
