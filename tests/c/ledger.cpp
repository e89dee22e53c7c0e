// The ledger and the history for C++: owners, exceptions, and what callbacks throw.
#include "check.h"

#include <cstdlib>
#include <filesystem>
#include <knhk.hpp>
#include <stdexcept>

namespace fs = std::filesystem;

static void fails(knhk_status_t status, const char *says, const std::function<void()> &call) {
    try {
        call();
    } catch (const knhk::error &failed) {
        CHECK(failed.status() == status);
        CHECK(std::string(failed.what()).find(says) != std::string::npos);
        return;
    }
    CHECK(!"nothing was thrown");
}

static void delegated() {
    auto held = knhk::signer::generate();
    bool locked = false;
    auto elsewhere = knhk::signer::delegated(held.public_key(), [&](knhk::bytes message) {
        if (locked) throw std::runtime_error("the HSM is locked");
        return held.sign(message);
    });
    knhk::options options;
    options.signer = elsewhere.raw();
    knhk::engine eng(":memory:", options);
    eng.create_sector("orders");
    eng.promote_json("orders", R"({"max_qty": 1})");
    locked = true;
    fails(KNHK_SIGNING, "the HSM is locked", [&] { eng.promote_json("orders", R"({"max_qty": 2})"); });
    locked = false;
    eng.promote_json("orders", R"({"max_qty": 3})");
    CHECK(knhk::ledger(eng).verify().versions == 2 && eng.history("orders").size() == 2);
}

int main() {
    char base[] = "/tmp/knhk-ledger-XXXXXX";
    CHECK(mkdtemp(base) != nullptr);
    const std::string folder = std::string(base) + "/limits", copy = std::string(base) + "/a.backup";
    knhk::engine eng(folder);
    eng.create_sector("orders");
    eng.promote_json("orders", R"({"max_qty": 10})", {"ops-1", "first limits"});
    eng.promote_json("orders", R"({"max_qty": 20})", {"ops-2", "desk asked"});
    knhk::ledger ledger(eng);
    auto receipts = ledger.receipts();
    CHECK(receipts.size() == 4 && receipts[3].kind == "snapshot promoted" && receipts[0].sector.empty());
    CHECK(ledger.receipt(receipts[3].id).statement == receipts[3].statement && ledger.receipt("3").leaf == receipts[3].leaf);
    knhk::receipt_query query;
    query.kind = "snapshot promoted", query.newest_first = true, query.limit = 1;
    CHECK(ledger.receipts(query).at(0).number == 3);
    CHECK(ledger.prove_receipt("3").size() > 64 && ledger.prove_consistency(2).size() > 64);
    std::string note = ledger.checkpoint(), root = ledger.trust_root();

    int told = 0;
    CHECK(ledger.verify({note, {}}, [&](const knhk_progress_t &) { return ++told > 0; }).receipts == 4 && told > 0);
    fails(KNHK_TIMEOUT, "stopped", [&] { ledger.verify({}, [](const knhk_progress_t &) { return false; }); });
    bool thrown = false;
    try {
        ledger.verify({}, [](const knhk_progress_t &) -> bool { throw std::runtime_error("of the program's own"); });
    } catch (const std::runtime_error &) {
        thrown = true;
    }
    CHECK(thrown && ledger.verify(std::nothrow).has_value());

    knhk::history orders(eng, "orders");
    CHECK(orders.tag("stable", "~1", "risk-1") == 1 && orders.resolve("stable") == 1 && orders.tags().at(0).by == "risk-1");
    auto log = orders.log();
    CHECK(log.size() == 2 && log[0].parents == std::vector<std::uint64_t>{1} && log[1].tags.at(0) == "stable" && log[0].retained);
    auto max_qty = eng.key<std::int64_t>("orders", "max_qty");
    {
        auto then = orders.as_of("stable");
        auto now = ledger.as_of(UINT64_MAX);
        CHECK(then.view().get(max_qty, 0) == 10 && now.view().get(max_qty, 0) == 20);
    }
    orders.untag("stable");
    fails(KNHK_NOT_FOUND, "tag", [&] { orders.resolve("stable"); });
    fails(KNHK_INVALID_ARGUMENT, "write a number, current", [&] { orders.resolve("two words"); });

    ledger.backup(copy);
    CHECK(!ledger.backup(std::nothrow, copy));
    CHECK(knhk::restore(copy, std::string(base) + "/restored", {note, root}).versions == 2);
    fails(KNHK_ALREADY_EXISTS, "", [&] { knhk::restore(copy, std::string(base) + "/restored"); });

    CHECK(ledger.rotate_key().kind == "key rotated");
    auto own = knhk::signer::generate();
    ledger.rotate_key(own);
    auto keys = ledger.signing_keys();
    CHECK(keys.size() == 3 && keys[2].current && keys[2].key == own.public_key() && ledger.prune() == 0);
    eng.close();
    fails(KNHK_KEY_FILE, "signing.key", [&] { knhk::engine again(folder); });
    knhk::options options;
    options.signer = own.raw();
    knhk::engine again(folder, options);
    CHECK(knhk::ledger(again).verify().keys == 3);
    again.close();
    delegated();
    fs::remove_all(base);
}
