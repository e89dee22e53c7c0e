// Governance through the C++ classes.
#include "check.h"

#include <knhk.hpp>

static bool has(const std::string &text, const char *what) { return text.find(what) != std::string::npos; }

int main() {
    auto signer = knhk::signer::generate();
    knhk::options options;
    options.signer = signer.raw();
    knhk::engine eng(":memory:", options);
    OK(knhk_sector_create(eng.raw(), "orders", KNHK_GOVERNED, &err));
    knhk::governance governed(eng);
    auto propose = [&](const char *content, const char *more = "") {
        return governed.propose(std::string(R"({"changes": [{"sector": "orders", "content": )") + content + R"(}], "by": "bob")" + more + "}");
    };
    CHECK(has(propose(R"({"document": {"text": "{\"max_qty\": {\"$value\": 1000, \"$max\": 5000}}"}})"), R"("state":"enacted")"));
    auto refused = propose(R"({"values": [["max_qty", "9000"]]})");
    CHECK(has(refused, R"("state":"refused")") && has(refused, "max_qty"));
    CHECK(has(propose(R"({"values": [["max_qty", "1400"]]})"), R"("state":"enacted")"));
    governed.add_rule(R"({"toml": "[[rule]]\nid = \"four-eyes\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n[rule.approval_chain]\nsteps = [{ quorum = 1 }]\n"})");
    CHECK(has(governed.rules(), "four-eyes"));
    CHECK(has(propose(R"({"values": [["max_qty", "1500"]]})"), R"("state":"waiting")"));
    CHECK(has(governed.proposals(R"({"open": true})"), R"("state":"waiting")"));
    bool thrown = false;
    try {
        governed.enact(R"({"id": "p-4"})");
    } catch (const knhk::not_admitted &why) {
        thrown = why.status() == KNHK_WAITING && has(why.reports(), "four-eyes");
    }
    CHECK(thrown);
    thrown = false;
    try {
        governed.govern("frobnicate");
    } catch (const knhk::error &why) {
        thrown = why.status() == KNHK_INVALID_ARGUMENT;
    }
    CHECK(thrown && has(knhk::governance::approver_key(), "public"));
    return 0;
}
