// KNHK for C++17: who signs, what proves, and the history of sectors. Included by knhk.hpp.
//
//     knhk::options options;
//     auto signer = knhk::signer::load("signing.pem"); // or the key that the folder keeps, without one
//     options.signer = signer.raw();
//     knhk::engine eng("./limits", options);
//     for (auto &receipt : knhk::ledger(eng).receipts()) log(receipt.kind);
//     knhk::history(eng, "orders").tag("stable");
#ifndef KNHK_LEDGER_HPP
#define KNHK_LEDGER_HPP

#include <array>

#include "knhk.hpp"

namespace knhk {

// A key that signs receipts, here or elsewhere (Ed25519). An engine that was opened with it may outlive it.
class signer {
public:
    using public_key_type = std::array<std::uint8_t, 32>;
    using signature_type = std::array<std::uint8_t, 64>;
    // Signs a message, or throws; what a std::exception says is in the error of the call that wanted to record.
    using function = std::function<signature_type(knhk::bytes message)>;

    static signer generate() {
        return made([](auto **at, auto err) { return knhk_signer_generate(at, err); });
    }
    // PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits, in a file that nobody but its owner may touch.
    static signer load(const std::string &path) {
        return made([&](auto **at, auto err) { return knhk_signer_load(path.c_str(), at, err); });
    }
    static signer from_seed(const std::array<std::uint8_t, 32> &seed) {
        return made([&](auto **at, auto err) { return knhk_signer_from_seed(seed.data(), at, err); });
    }
    // A key that is held elsewhere: `sign` is called on whichever thread records something, one call at a time, and must not call the engine.
    static signer delegated(const public_key_type &public_key, function sign) {
        auto callback = detail::sized<knhk_sign_callback_t>();
        callback.ctx = new function(std::move(sign));
        callback.sign = [](void *ctx, const std::uint8_t *message, std::size_t len, std::uint8_t *signature, char *why,
                           std::size_t why_size) noexcept -> std::int32_t {
            try {
                signature_type made = (*static_cast<function *>(ctx))(knhk::bytes(message, len));
                std::memcpy(signature, made.data(), made.size());
                return 0;
            } catch (const std::exception &failed) {
                std::strncpy(why, failed.what(), why_size);
            } catch (...) {
            }
            return 1;
        };
        callback.destroy = [](void *ctx) noexcept { delete static_cast<function *>(ctx); };
        return made([&](auto **at, auto err) { return knhk_signer_delegated(public_key.data(), &callback, at, err); });
    }

    public_key_type public_key() const {
        public_key_type key{};
        return detail::called([&](auto err) { return knhk_signer_public_key(raw(), key.data(), err); }, [&] { return key; }).value();
    }
    // For a program that holds a key on behalf of an engine elsewhere.
    signature_type sign(knhk::bytes message) const {
        signature_type made{};
        return detail::called([&](auto err) { return knhk_signer_sign(raw(), message.data(), message.size(), made.data(), err); },
                              [&] { return made; })
            .value();
    }
    // To a new file that only its owner may read.
    void save(const std::string &path) const {
        detail::called([&](auto err) { return knhk_signer_save(raw(), path.c_str(), err); }).value();
    }
    knhk_signer_t *raw() const noexcept { return handle_.get(); }

private:
    explicit signer(knhk_signer_t *from) noexcept : handle_(from) {}
    template <class Make> static signer made(Make make) {
        knhk_signer_t *at = nullptr;
        return detail::called([&](auto err) { return make(&at, err); }, [&] { return signer(at); }).value();
    }
    detail::handle<knhk_signer_t, knhk_signer_free> handle_;
};

// A signed statement of one operation, at its place in the log.
struct receipt {
    std::uint64_t number, time_ns;
    std::string id, sector, kind, outcome, evidence; // evidence: a JSON object; sector: "" for the engine
    std::vector<std::string> links;
    std::string statement; // COSE_Sign1
    std::array<std::uint8_t, 32> leaf;
};

// Which receipts; the empty query is the first 1,000.
struct receipt_query {
    std::string sector = {}, kind = {};
    std::uint64_t from = 0, to = 0, limit = 0; // to and limit: 0 for none
    bool newest_first = false;
};

// A key that signs, or signed.
struct signing_key {
    std::uint64_t number, from_receipt, time_ns;
    signer::public_key_type key;
    bool current;
};

// Hears how far something long is; false stops it.
using progress = std::function<bool(const knhk_progress_t &now)>;

// What to hold against a log.
struct trust {
    std::string checkpoint = {}; // a note of ledger::checkpoint that the program held
    std::string root = {};       // ledger::trust_root; restore alone looks at it
};

namespace detail {

inline const char *given(const std::string &text) noexcept { return text.empty() ? nullptr : text.c_str(); }

template <class List, auto Free, class Call> handle<List, Free> listed(Call call) {
    List *made = nullptr;
    called([&](auto err) { return call(&made, err); }).value();
    return handle<List, Free>(made);
}

// Calls with a C callback for `tell`. What it throws stops the call, and is thrown again.
template <class Call> result<void> telling(const progress &tell, Call call) {
    struct state {
        const progress &tell;
        std::exception_ptr thrown;
    } at{tell, nullptr};
    auto callback = sized<knhk_progress_callback_t>();
    callback.ctx = &at;
    callback.progress = [](void *ctx, const knhk_progress_t *now) noexcept -> std::int32_t {
        auto &of = *static_cast<state *>(ctx);
        try {
            return of.tell(*now) ? 0 : 1;
        } catch (...) {
            of.thrown = std::current_exception();
            return 1;
        }
    };
    auto done = called([&](auto err) { return call(tell ? &callback : nullptr, err); });
    if (at.thrown) std::rethrow_exception(at.thrown);
    return done;
}

} // namespace detail

// What proves an engine's history. It refers to the engine, which must stay.
class ledger {
public:
    explicit ledger(engine &of) noexcept : of_(of.raw()) {}

    std::vector<knhk::receipt> receipts(const receipt_query &query = {}) const {
        auto with = detail::sized<knhk_receipt_query_t>();
        with.flags = query.newest_first ? KNHK_NEWEST_FIRST : 0;
        with.from = query.from, with.to = query.to, with.limit = query.limit;
        with.sector = detail::given(query.sector), with.kind = detail::given(query.kind);
        return listed([&](auto **made, auto err) { return knhk_receipts(of_, &with, made, err); });
    }
    // By its id, or its place in the log.
    knhk::receipt receipt(const std::string &id_or_number) const {
        return listed([&](auto **made, auto err) { return knhk_receipt(of_, id_or_number.c_str(), made, err); }).front();
    }
    // COSE receipts (RFC 9942): that a receipt is in the log, and that the log grew from an earlier size.
    std::string prove_receipt(const std::string &id_or_number) const {
        return taken([&](auto **made, auto err) { return knhk_prove_receipt(of_, id_or_number.c_str(), made, err); });
    }
    std::string prove_consistency(std::uint64_t earlier) const {
        return taken([&](auto **made, auto err) { return knhk_prove_consistency(of_, earlier, made, err); });
    }
    // The log's state, signed (C2SP tlog-checkpoint), to be held elsewhere.
    std::string checkpoint() const {
        return taken([&](auto **made, auto err) { return knhk_checkpoint(of_, made, err); });
    }
    std::string trust_root() const {
        return taken([&](auto **made, auto err) { return knhk_trust_root(of_, made, err); });
    }

    // Verifies everything up to now.
    result<knhk_verified_t> verify(std::nothrow_t, const trust &against = {}, const progress &tell = {}) const {
        auto with = detail::sized<knhk_verify_options_t>();
        with.checkpoint = detail::given(against.checkpoint);
        auto verified = detail::sized<knhk_verified_t>();
        auto done = detail::telling(tell, [&](auto *callback, auto err) { return knhk_verify(of_, &with, callback, &verified, err); });
        if (!done) return done.error();
        return verified;
    }
    knhk_verified_t verify(const trust &against = {}, const progress &tell = {}) const { return verify(std::nothrow, against, tell).value(); }

    std::vector<signing_key> signing_keys() const {
        using keys = knhk_signing_key_list_t;
        auto from = detail::listed<keys, knhk_signing_keys_free>([&](auto **made, auto err) { return knhk_signing_keys(of_, made, err); });
        std::vector<signing_key> all;
        for (std::size_t n = 0; const knhk_signing_key_t *at = knhk_signing_keys_at(from.get(), n); n++) {
            all.push_back({at->number, at->from_receipt, at->time_ns, {}, at->current != 0});
            std::memcpy(all.back().key.data(), at->key, sizeof at->key);
        }
        return all;
    }
    // To a new key in the folder, or to one of the program, which then gives it at each open.
    knhk::receipt rotate_key() {
        return listed([&](auto **made, auto err) { return knhk_rotate_key(of_, nullptr, made, err); }).front();
    }
    knhk::receipt rotate_key(const signer &to) {
        return listed([&](auto **made, auto err) { return knhk_rotate_key(of_, to.raw(), made, err); }).front();
    }

    // Copies the store into a new file while the engine goes on. No key is in it.
    result<void> backup(std::nothrow_t, const std::string &path, const progress &tell = {}) const {
        return detail::telling(tell, [&](auto *callback, auto err) { return knhk_backup(of_, path.c_str(), callback, err); });
    }
    void backup(const std::string &path, const progress &tell = {}) const { backup(std::nothrow, path, tell).value(); }
    // Removes what the options do not keep; how many versions went.
    std::uint64_t prune() {
        std::uint64_t removed = 0;
        return detail::called([&](auto err) { return knhk_prune(of_, &removed, err); }, [&] { return removed; }).value();
    }
    // All sectors as they were at a moment, in nanoseconds since the Unix epoch.
    hold as_of(std::uint64_t time_ns) const {
        knhk_hold_t *made = nullptr;
        return detail::called([&](auto err) { return knhk_as_of_moment(of_, time_ns, &made, err); }, [&] { return hold(made); }).value();
    }

private:
    template <class Call> static std::vector<knhk::receipt> listed(Call call) {
        auto from = detail::listed<knhk_receipt_list_t, knhk_receipts_free>(std::move(call));
        std::vector<knhk::receipt> all;
        for (std::size_t n = 0; const knhk_receipt_t *at = knhk_receipts_at(from.get(), n); n++) {
            all.push_back({at->number, at->time_ns, at->id, detail::text(at->sector), at->kind, at->outcome, at->evidence, {}, {}, {}});
            knhk::receipt &made = all.back();
            made.links.assign(at->links, at->links + at->links_len);
            made.statement.assign(reinterpret_cast<const char *>(at->statement), at->statement_len);
            std::memcpy(made.leaf.data(), at->leaf, sizeof at->leaf);
        }
        return all;
    }
    template <class Call> static std::string taken(Call call) {
        auto from = detail::listed<knhk_buffer_t, knhk_buffer_free>(std::move(call));
        return {knhk_buffer_data(from.get()), knhk_buffer_len(from.get())};
    }
    knhk_engine_t *of_;
};

// Verifies a backup, and makes a folder of it.
inline result<knhk_verified_t> restore(std::nothrow_t, const std::string &path, const std::string &folder, const trust &in = {},
                                       const progress &tell = {}) {
    auto with = detail::sized<knhk_restore_options_t>();
    with.trust_root = detail::given(in.root), with.checkpoint = detail::given(in.checkpoint);
    auto verified = detail::sized<knhk_verified_t>();
    auto done = detail::telling(
        tell, [&](auto *callback, auto err) { return knhk_restore(path.c_str(), folder.c_str(), &with, callback, &verified, err); });
    if (!done) return done.error();
    return verified;
}
inline knhk_verified_t restore(const std::string &path, const std::string &folder, const trust &in = {}, const progress &tell = {}) {
    return restore(std::nothrow, path, folder, in, tell).value();
}

// A version, as the log tells it.
struct log_entry {
    std::uint64_t version, rollback_of, epoch, time_ns;
    std::string by, why, receipt;
    std::vector<std::uint64_t> parents;
    std::vector<std::string> tags;
    bool retained, major;
    std::array<std::uint8_t, 32> snapshot_id;
};

// A name for a version.
struct tag {
    std::string name;
    std::uint64_t version, time_ns;
    std::string by;
};

// The history of a sector. It refers to the engine, which must stay. A reference is as in knhk.h: "12", "current", "~3", a tag, "@2h" …
class history {
public:
    history(engine &of, std::string sector) : of_(of.raw()), sector_(std::move(sector)) {}

    // Newest first, also what is no longer kept; 0 for all versions, and for 100 of them.
    std::vector<log_entry> log(std::uint64_t before = 0, std::uint64_t limit = 0) const {
        using list = knhk_version_log_list_t;
        auto from = detail::listed<list, knhk_version_log_free>(
            [&](auto **made, auto err) { return knhk_version_log(of_, sector_.c_str(), before, limit, made, err); });
        std::vector<log_entry> all;
        for (std::size_t n = 0; const knhk_log_entry_t *at = knhk_version_log_at(from.get(), n); n++) {
            all.push_back({at->version, at->rollback_of, at->epoch, at->time_ns, at->by, at->why, detail::text(at->receipt), {}, {},
                           at->retained != 0, at->major != 0, {}});
            log_entry &made = all.back();
            made.parents.assign(at->parents, at->parents + at->parents_len);
            made.tags.assign(at->tags, at->tags + at->tags_len);
            std::memcpy(made.snapshot_id.data(), at->snapshot_id, sizeof at->snapshot_id);
        }
        return all;
    }
    std::uint64_t resolve(const std::string &reference) const {
        std::uint64_t version = 0;
        auto call = [&](auto err) { return knhk_resolve(of_, sector_.c_str(), reference.c_str(), &version, err); };
        return detail::called(call, [&] { return version; }).value();
    }
    std::uint64_t tag(const std::string &name, const std::string &reference = "current", const std::string &by = {}) {
        std::uint64_t version = 0;
        auto call = [&](auto err) { return knhk_tag(of_, sector_.c_str(), name.c_str(), reference.c_str(), by.c_str(), &version, err); };
        return detail::called(call, [&] { return version; }).value();
    }
    void untag(const std::string &name, const std::string &by = {}) {
        detail::called([&](auto err) { return knhk_untag(of_, sector_.c_str(), name.c_str(), by.c_str(), err); }).value();
    }
    std::vector<knhk::tag> tags() const {
        auto from = detail::listed<knhk_tag_list_t, knhk_tags_free>(
            [&](auto **made, auto err) { return knhk_tags(of_, sector_.c_str(), made, err); });
        std::vector<knhk::tag> all;
        for (std::size_t n = 0; const knhk_tag_t *at = knhk_tags_at(from.get(), n); n++)
            all.push_back({at->name, at->version, at->time_ns, at->by});
        return all;
    }
    // All sectors as they were when a version became current, or at a moment.
    hold as_of(const std::string &reference) const {
        knhk_hold_t *made = nullptr;
        auto call = [&](auto err) { return knhk_as_of(of_, sector_.c_str(), reference.c_str(), &made, err); };
        return detail::called(call, [&] { return hold(made); }).value();
    }

private:
    knhk_engine_t *of_;
    std::string sector_;
};

} // namespace knhk

#include "knhk_governance.hpp"
#include "knhk_observed.hpp"

#endif // KNHK_LEDGER_HPP
