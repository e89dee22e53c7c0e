// Functions that have a say in governance, through the C++ classes.
#include "check.h"

#include <knhk.hpp>

#include <atomic>

static bool has(const std::string &text, const char *what) { return text.find(what) != std::string::npos; }

int main() {
    auto signer = knhk::signer::generate();
    knhk::options options;
    options.signer = signer.raw();
    knhk::engine eng(":memory:", options);
    OK(knhk_sector_create(eng.raw(), "orders", KNHK_GOVERNED, &err));
    knhk::governance governed(eng);
    knhk::functions asked(eng);
    auto request = [](const std::string &content) {
        return R"({"changes": [{"sector": "orders", "content": )" + content + R"(}], "by": "bob"})";
    };
    auto qty = [&](const std::string &value) { return request(R"({"values": [["max_qty", ")" + value + R"("]]})"); };
    CHECK(has(governed.propose(request(R"({"document": {"text": "{\"max_qty\": {\"$value\": 1000, \"$max\": 5000},)"
                                       R"( \"governance\": {\"slowdown_percent\": 200.0, \"measure_ms\": 60000.0, \"tail_budget_ns\": 1e9, \"read_budget_ns\": 1e9,)"
                                       R"( \"lookup_budget_ns\": 1e9, \"apply_budget_ms\": 1e6, \"cpu_budget_ms\": 1e6}}"}})")),
              R"("state":"enacted")"));
    auto max_qty = eng.key<std::int64_t>("orders", "max_qty");

    auto below = [=](const knhk::question &of) -> std::optional<std::string> {
        if (of.text.find("differences") == of.text.npos) throw std::runtime_error("it is no question");
        auto lots = of.view.get(max_qty);
        if (lots > 2000) return std::to_string(lots) + " lots are more than the desk can hedge";
        return std::nullopt;
    };
    asked.invariant("hedged", below);
    auto refused = governed.propose(qty("2500"));
    CHECK(has(refused, R"("state":"refused")") && has(refused, "2500 lots are more than the desk can hedge"));
    CHECK(has(governed.propose(qty("1100")), R"("state":"enacted")"));
    asked.unset_invariant("hedged");
    asked.condition("hedged", R"(after["orders/max_qty"] <= 2000)");
    CHECK(has(governed.propose(qty("2500")), R"("state":"refused")"));
    asked.unset_invariant("hedged");

    governed.add_rule(R"({"toml": "[[rule]]\nid = \"below\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n[rule.callback]\nname = \"below\"\n"})");
    asked.rule("below", [](const knhk::question &) -> std::optional<std::string> { throw std::runtime_error("the desk is closed"); });
    CHECK(has(governed.propose(qty("1200")), "the desk is closed"));
    asked.rule("below", below);
    CHECK(has(governed.propose(qty("1200")), R"("state":"enacted")"));

    asked.test("below", below);
    governed.shadow(request(R"({"values": [["max_qty", "2600"]]})"));
    CHECK(has(governed.shadow_test(R"({"id": "s-1", "tests": [{"name": "hedged", "severity": "blocker", "assertion": {"function": {"name": "below"}}}]})"),
              "2600 lots"));

    asked.workload("orders", "sweep", [=](const knhk::snapshot &view, std::uint64_t times) {
        std::uint64_t sum = 0;
        for (; times > 0; times--)
            for (std::int64_t n = view.get(max_qty); n > 0; n--) {
                volatile std::uint64_t kept = sum + static_cast<std::uint64_t>(n); // not worked out while compiling
                sum = kept;
            }
        return sum;
    });
    CHECK(has(governed.propose(qty("100")), R"("state":"enacted")"));
    asked.rule("below", [](const knhk::question &) { return std::optional<std::string>(); });
    CHECK(has(governed.propose(qty("5000")), "measurement sweep"));
    asked.unset_workload("orders", "sweep");

    std::atomic<int> told{0};
    asked.check(qty("110"), [&](std::string_view sector, std::string_view, std::string_view, std::string_view) {
        told++;
        return sector == "orders";
    });
    CHECK(told == 14);
    auto stopped = asked.propose(qty("110"), [&](std::string_view, std::string_view stage, std::string_view, std::string_view) {
        if (stage == "guards") throw std::runtime_error("enough");
        return true;
    });
    CHECK(has(stopped, R"("state":"refused")") && has(stopped, "it was stopped before it began"));
    return 0;
}
