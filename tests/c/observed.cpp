// Observations and checkpoints through the C++ classes.
#include "check.h"

#include <filesystem>
#include <knhk.hpp>
#include <unistd.h>

static const char ontology[] =
    "@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    ":max_qty k:value 1000 ; k:unit \"lots\" .\n:reject_share k:value 5 ; k:unit \"%\" .\n"
    ":OrderChecked a k:ObservationKind ; k:concerns :max_qty ; k:valueType \"i64\" ; k:unit \"lots\" ; k:min 1 ;\n"
    "    rdfs:comment \"Recorded for each order that was checked, with its quantity.\"@en .\n"
    ":Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate \"failure_share\" ; k:atMost :reject_share ;\n"
    "    k:window 60 ; k:onMissingData \"hold\" ; rdfs:comment \"Few orders are refused.\"@en .\n";

static void observations() {
    auto keep = knhk::observed::settings();
    auto signer = knhk::signer::generate();
    knhk::options options;
    options.observations = &keep;
    options.signer = signer.raw();
    knhk::engine eng(":memory:", options);
    OK(knhk_sector_create(eng.raw(), "orders", KNHK_DIRECT, &err));
    OK(knhk_promote_rdf(eng.raw(), "orders", ontology, strlen(ontology), KNHK_FORMAT_TURTLE, nullptr, nullptr, &err));
    knhk_key_t max_qty;
    knhk_reader_t *rd;
    OK(knhk_key(eng.raw(), "orders", "max_qty", KNHK_I64, &max_qty, &err));
    OK(knhk_reader_register(eng.raw(), &rd, &err));
    for (int64_t qty : {100, 700, 1100, 300}) {
        knhk_view_t v = knhk_read_begin(rd);
        CHECK(knhk_observe_i64(rd, v, max_qty, qty, qty <= 1000 ? KNHK_SUCCESS : KNHK_REJECTED));
        knhk_read_end(rd, v);
    }
    knhk::observed seen(eng);
    seen.flush();
    auto series = seen.aggregates("orders");
    CHECK(series.size() == 1 && series[0].key == "max_qty" && series[0].kind == "OrderChecked" && series[0].unit == "lots");
    CHECK(series[0].total.count == 4 && series[0].window.failure_share == 25);
    auto objectives = seen.objectives("orders");
    CHECK(objectives.size() == 1 && objectives[0].state == KNHK_BROKEN && objectives[0].name == "Rejects" && objectives[0].limit == 5);
    auto segments = seen.segments("orders");
    CHECK(segments.size() == 1 && segments[0].count == 4 && segments[0].receipt.has_value() && seen.segments("", 1).empty());
    auto proof = seen.prove(segments[0].number, 2);
    CHECK(proof.record.size() == 64);
    seen.verify(proof);
    proof.record[8] ^= 1;
    auto forged = seen.verify(std::nothrow, proof);
    CHECK(!forged && forged.error().status() == KNHK_UNPROVEN);
    CHECK(seen.stats().persisted == 4 && seen.stats().lost == 0);
    bool thrown = false;
    try {
        seen.prove(7, 0);
    } catch (const knhk::error &failed) {
        thrown = failed.status() == KNHK_NOT_FOUND;
    }
    CHECK(thrown);
    OK(knhk_reader_unregister(rd, &err));
}

static void checkpoints() {
    char path[] = "/tmp/knhk-checkpoints-XXXXXX";
    CHECK(mkdtemp(path) != nullptr);
    knhk::checkpoint_settings with;
    with.keys.push_back({1, 2, 3});
    std::string book = "seven orders";
    bool held = false;
    auto component = [&] {
        knhk::component_state made;
        made.save = [&](knhk::state_writer &to) {
            CHECK(held);
            if (book.empty()) throw std::runtime_error("nothing to save");
            to.write(book);
        };
        made.load = [&](std::string_view from) { book.assign(from); };
        made.freeze = [&] { held = true; };
        made.thaw = [&] { held = false; };
        return made;
    };
    {
        knhk::checkpoints kept(path, "orders", with);
        CHECK(kept.empty());
        kept.add("book", component());
        CHECK(kept.take().full && !held);
        book.clear();
        auto refused = kept.take(std::nothrow);
        CHECK(!refused && std::string(refused.error().what()).find("nothing to save") != std::string::npos);
        CHECK(kept.restore().number == 1 && book == "seven orders");
        auto all = kept.kept();
        CHECK(all.size() == 1 && all[0].encrypted && all[0].full && all[0].damage.empty());
        kept.start(std::chrono::milliseconds(1), 1);
        while (kept.kept().size() < 3) {
        }
        kept.stop();
        kept.remove("book");
    }
    knhk::scope scope;
    knhk::checkpoints again(scope, path, "orders", with);
    book = "none";
    again.add("book", component());
    again.restore();
    CHECK(book == "seven orders");
    std::filesystem::remove_all(path);
}

int main() {
    observations();
    checkpoints();
    return 0;
}
