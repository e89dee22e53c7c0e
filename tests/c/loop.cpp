// The closed loop through the C++ classes: a proposer and a detector that are lambdas, what they throw, hooks.
#include "check.h"

#include <atomic>
#include <future>
#include <knhk.hpp>

static bool has(const std::string &text, const std::string &what) { return text.find(what) != std::string::npos; }

static const char ONTOLOGY[] =
    R"(@prefix gateway: <urn:knhk:gateway:> . @prefix knhk: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
gateway:concurrency knhk:value 64 ; knhk:min 1 ; knhk:max 512 .
gateway:Served a knhk:ObservationKind ; knhk:concerns gateway:concurrency ; knhk:valueType "i64" ; knhk:min 0 ; rdfs:comment "A request was answered." .
gateway:Jump a knhk:Watch ; knhk:watches gateway:Served ; knhk:detector "callback:jump" ; knhk:measure "max" ; knhk:sample 1 ; knhk:confidence 0.99 ;
    rdfs:comment "One answer took longer than any should." .
<urn:knhk:gateway:governance/read_budget_ns> knhk:value 1e9 . <urn:knhk:gateway:governance/tail_budget_ns> knhk:value 1e9 . <urn:knhk:gateway:governance/lookup_budget_ns> knhk:value 1e9 . <urn:knhk:gateway:governance/slowdown_percent> knhk:value 1e6 . <urn:knhk:gateway:governance/apply_budget_ms> knhk:value 1e6 . <urn:knhk:gateway:governance/cpu_budget_ms> knhk:value 1e6 .)";

static std::string quoted(const std::string &text) {
    std::string out;
    for (char c : text) {
        if (c == '\n') out += "\\n";
        else if (c == '"') out += "\\\"";
        else out += c;
    }
    return '"' + out + '"';
}

int main() {
    auto signer = knhk::signer::generate();
    auto keep = knhk::observed::settings();
    knhk::options options;
    options.signer = signer.raw(), options.observations = &keep, options.manual_time_ns = 1800000000000000000u;
    knhk::engine eng(":memory:", options);
    OK(knhk_sector_create(eng.raw(), "gateway", KNHK_GOVERNED, &err));
    knhk::governance governed(eng);
    auto first = governed.propose(R"({"changes": [{"sector": "gateway", "content": {"document": {"format": "turtle", "text": )" + quoted(ONTOLOGY) + "}}}]}");
    CHECK(has(first, R"("state":"enacted")"));

    knhk::loop loop(eng);
    std::atomic<unsigned> throws{0}, made{0};
    loop.add_detector("jump", [&](std::string_view sector, std::string_view watch) -> knhk::loop::detector {
        CHECK(sector == "gateway" && watch == "Jump");
        made++;
        return [](const knhk_sample_t &sample) -> std::optional<knhk_score_t> {
            if (!(sample.value >= 0)) return std::nullopt;
            return knhk_score_t{sample.value, sample.value > 5000 ? 0.9999 : 0, 5000};
        };
    });
    loop.add_proposer("throws", [&](std::string_view) -> std::optional<std::string> {
        throws++;
        throw std::runtime_error("the upstream is unknown");
    });
    loop.add_proposer("nothing", [](std::string_view) { return std::optional<std::string>(); });
    loop.add_proposer("forty", [](std::string_view question) -> std::optional<std::string> {
        CHECK(has(std::string(question), R"("watch":"Jump")"));
        return R"({"changes": [{"path": "concurrency", "value": 40}], "why": "forty: it is known to hold", "confidence": 0.9})";
    });
    bool refused = false;
    try {
        loop.add_proposer("rule", [](std::string_view) { return std::optional<std::string>(); });
    } catch (const knhk::error &why) {
        refused = why.status() == KNHK_INVALID_ARGUMENT;
    }
    CHECK(refused);
    std::promise<std::string> closed;
    loop.after(KNHK_PHASE_LEARN, [&](std::string_view info) { closed.set_value(std::string(info)); });
    auto hook = loop.before(KNHK_PHASE_MONITOR, [](std::string_view) { throw 1; });

    loop.start(R"({"every_ms": 0, "proposers": ["throws", "nothing", "forty"]})");
    loop.step();
    auto key = eng.key<std::int64_t>("gateway", "concurrency");
    knhk::reader rd(eng);
    std::uint64_t now = options.manual_time_ns;
    for (std::int64_t value : {800, 800, 9000}) {
        CHECK(rd.view().observe_at(now, key, value, KNHK_SUCCESS));
        OK(knhk_time_advance(eng.raw(), 1000000000u, &now, &err));
    }
    loop.step();
    loop.step();
    auto told = closed.get_future().get();
    CHECK(has(told, R"("outcome":"kept")") && has(told, R"("proposer":"forty")"));
    CHECK(throws == 1 && made == 1 && rd.view().get(key, 0) == 40);
    CHECK(has(loop.cycles(), R"("id":"l-1")") && has(loop.cycle(R"({"id": "l-1"})"), R"("state":"closed")"));
    CHECK(has(loop.patterns(), R"("detector":"callback:jump")") || has(loop.patterns(), R"("watch":"Jump")"));
    CHECK(has(loop.knowledge(), "forty"));
    loop.remove_hook(hook);
    loop.remove_proposer("throws");
    loop.remove_detector("jump");
    refused = false;
    try {
        loop.remove_detector("jump");
    } catch (const knhk::error &why) {
        refused = why.status() == KNHK_NOT_FOUND;
    }
    CHECK(refused && has(loop.stop(), R"("running":false)"));
    return 0;
}
