// KNHK for C++17: the C interface with owners, typed keys, and exceptions or results by choice.
//
//     knhk::engine eng(":memory:"); // or a folder
//     eng.create_sector("orders");
//     eng.promote_json("orders", R"({"max_qty": {"$value": 1000, "$max": 5000}})");
//
//     auto max_qty = eng.key<std::int64_t>("orders", "max_qty"); // once: a misspelt name fails here
//     knhk::reader reader(eng); // once per thread
//     for (std::int64_t qty = 999; qty <= 1001; qty++) {
//         auto view = reader.view(); // ends with the block
//         bool ok = qty <= view.get(max_qty, 0);
//         view.observe(max_qty, qty, ok ? KNHK_SUCCESS : KNHK_REJECTED);
//     }
//
// Calls that can fail throw knhk::error. With std::nothrow as their first argument they return a knhk::result instead. What knhk.h says
// about threads, lifetimes and meaning holds here as well.
#ifndef KNHK_HPP
#define KNHK_HPP

#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "knhk.h"

namespace knhk {

// ---- Errors and results ----

// One result of a validation; path and value are empty where there is none.
struct validation_result {
    std::uint32_t severity; // KNHK_SEVERITY_INFO, KNHK_SEVERITY_WARNING or KNHK_SEVERITY_VIOLATION
    std::string focus, path, value, component, shape, message;
};

// What a validation found.
class report {
public:
    // Copies a report of the C interface; an empty one conforms.
    explicit report(const knhk_report_t *from)
        : conforms_(!from || knhk_report_conforms(from)), text_(knhk_report_text(from)) {
        auto text = [](const char *at) { return std::string(at ? at : ""); };
        for (std::size_t n = 0; const knhk_result_t *at = knhk_report_at(from, n); n++)
            results_.push_back({at->severity, text(at->focus), text(at->path), text(at->value), text(at->component), text(at->shape),
                                text(at->message)});
    }
    bool conforms() const noexcept { return conforms_; }
    const std::vector<validation_result> &results() const noexcept { return results_; }
    // For people, a line for each result.
    const std::string &text() const noexcept { return text_; }

private:
    bool conforms_;
    std::vector<validation_result> results_;
    std::string text_;
};

// Why a call failed: a sentence to show, the status, the stage it happened in and the item it is about.
class error : public std::exception {
public:
    // Takes over an error of the C interface; none is what a status alone says.
    error(knhk_status_t status, knhk_error_t *from)
        : parts_(std::make_shared<const parts>(parts{status, from ? knhk_error_message(from) : knhk_status_string(status),
                                                     knhk_error_stage(from), knhk_error_item(from),
                                                     knhk::report(knhk_error_report(from))})) {
        knhk_error_free(from);
    }
    const char *what() const noexcept override { return parts_->message.c_str(); }
    knhk_status_t status() const noexcept { return parts_->status; }
    const std::string &stage() const noexcept { return parts_->stage; }
    const std::string &item() const noexcept { return parts_->item; }
    // What KNHK_NONCONFORMING is about; empty for other errors.
    const knhk::report &report() const noexcept { return parts_->report; }

private:
    struct parts {
        knhk_status_t status;
        std::string message, stage, item;
        knhk::report report;
    };
    std::shared_ptr<const parts> parts_; // copying an exception must not throw
};

// A value, or why there is none.
template <class T> class [[nodiscard]] result {
public:
    result(T value) : of_(std::in_place_index<0>, std::move(value)) {}
    result(knhk::error failed) : of_(std::in_place_index<1>, std::move(failed)) {}
    bool has_value() const noexcept { return of_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    // Throws the error if there is no value.
    T &value() & { return check(), *std::get_if<0>(&of_); }
    T &&value() && { return check(), std::move(*std::get_if<0>(&of_)); }
    T &operator*() & noexcept { return *std::get_if<0>(&of_); }
    T *operator->() noexcept { return std::get_if<0>(&of_); }
    const knhk::error &error() const noexcept { return *std::get_if<1>(&of_); }

private:
    void check() const {
        if (!has_value()) throw error();
    }
    std::variant<T, knhk::error> of_;
};

template <> class [[nodiscard]] result<void> {
public:
    result() = default;
    result(knhk::error failed) : failed_(std::move(failed)) {}
    bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (failed_) throw *failed_;
    }
    const knhk::error &error() const noexcept { return *failed_; }

private:
    std::optional<knhk::error> failed_;
};

namespace detail {

// Calls `call(&err)`, and makes a result of its status and of what `then` returns.
template <class Call, class Then> auto called(Call call, Then then) -> result<decltype(then())> {
    knhk_error_t *err = nullptr;
    if (knhk_status_t status = call(&err); status != KNHK_OK) return error(status, err);
    if constexpr (std::is_void_v<decltype(then())>) {
        then();
        return {};
    } else {
        return then();
    }
}
template <class Call> result<void> called(Call call) {
    return called(std::move(call), [] {});
}

// A struct whose size is set and whose other fields are zero.
template <class T> T sized() noexcept {
    T made;
    std::memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    return made;
}

template <auto Free> struct freed {
    template <class T> void operator()(T *handle) const noexcept { Free(handle); }
};
template <class T, auto Free> using handle = std::unique_ptr<T, freed<Free>>;

inline std::string text(const char *from) { return from ? from : ""; }

} // namespace detail

// ---- Typed values ----

// Values that follow each other in the snapshot, valid while the view is open.
template <class T> class list {
public:
    list() = default;
    list(const T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    const T *begin() const noexcept { return data_; }
    const T *end() const noexcept { return data_ + size_; }
    const T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const T &operator[](std::size_t n) const noexcept { return data_[n]; }

private:
    const T *data_ = nullptr;
    std::size_t size_ = 0;
};

using bytes = list<std::uint8_t>;

// Strings of the snapshot, valid while the view is open.
class string_list {
public:
    string_list() = default;
    explicit string_list(knhk_list_spans_t of) noexcept : of_(of) {}
    std::size_t size() const noexcept { return of_.len; }
    bool empty() const noexcept { return of_.len == 0; }
    std::string_view operator[](std::size_t n) const noexcept {
        knhk_str_t at = knhk_list_str_at(of_, n);
        return at.data ? std::string_view(at.data, at.len) : std::string_view();
    }
    class iterator {
    public:
        iterator(const string_list *of, std::size_t n) noexcept : of_(of), n_(n) {}
        std::string_view operator*() const noexcept { return (*of_)[n_]; }
        iterator &operator++() noexcept { return ++n_, *this; }
        bool operator!=(const iterator &other) const noexcept { return n_ != other.n_; }

    private:
        const string_list *of_;
        std::size_t n_;
    };
    iterator begin() const noexcept { return {this, 0}; }
    iterator end() const noexcept { return {this, size()}; }

private:
    knhk_list_spans_t of_{};
};

struct map {};       // an object, for lookups by a name known at run time
struct class_type {}; // a class, for is_a

// A value and why it is, or is not, the one under the key.
template <class T> struct reading {
    T value;
    knhk_reason_t reason;
    explicit operator bool() const noexcept { return reason == KNHK_READ_PRESENT; }
};

// How a type is read; types without one cannot be keys.
template <class T> struct typed;

template <> struct typed<std::int64_t> {
    static constexpr knhk_type_t type = KNHK_I64;
    static std::int64_t get(knhk_view_t v, knhk_key_t k, std::int64_t otherwise) noexcept { return knhk_get_i64(v, k, otherwise); }
    static reading<std::int64_t> try_get(knhk_view_t v, knhk_key_t k, std::int64_t otherwise) noexcept {
        knhk_try_i64_t read = knhk_try_get_i64(v, k, otherwise);
        return {read.value, read.reason};
    }
    static bool guard(knhk_view_t v, knhk_key_t k, std::int64_t value) noexcept { return knhk_guard_i64(v, k, value); }
    static std::uint64_t bits(std::int64_t value) noexcept { return static_cast<std::uint64_t>(value); }
};

template <> struct typed<double> {
    static constexpr knhk_type_t type = KNHK_F64;
    static double get(knhk_view_t v, knhk_key_t k, double otherwise) noexcept { return knhk_get_f64(v, k, otherwise); }
    static reading<double> try_get(knhk_view_t v, knhk_key_t k, double otherwise) noexcept {
        knhk_try_f64_t read = knhk_try_get_f64(v, k, otherwise);
        return {read.value, read.reason};
    }
    static bool guard(knhk_view_t v, knhk_key_t k, double value) noexcept { return knhk_guard_f64(v, k, value); }
    static std::uint64_t bits(double value) noexcept {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
    }
};

template <> struct typed<bool> {
    static constexpr knhk_type_t type = KNHK_BOOL;
    static bool get(knhk_view_t v, knhk_key_t k, bool otherwise) noexcept { return knhk_get_bool(v, k, otherwise); }
    static reading<bool> try_get(knhk_view_t v, knhk_key_t k, bool otherwise) noexcept {
        knhk_try_bool_t read = knhk_try_get_bool(v, k, otherwise);
        return {read.value, read.reason};
    }
    static std::uint64_t bits(bool value) noexcept { return value; }
};

template <> struct typed<std::string_view> {
    static constexpr knhk_type_t type = KNHK_STR;
    static std::string_view get(knhk_view_t v, knhk_key_t k, std::string_view otherwise) noexcept {
        knhk_str_t read = knhk_get_str(v, k);
        return read.data ? std::string_view(read.data, read.len) : otherwise;
    }
    static reading<std::string_view> try_get(knhk_view_t v, knhk_key_t k, std::string_view otherwise) noexcept {
        knhk_try_str_t read = knhk_try_get_str(v, k);
        return {read.value.data ? std::string_view(read.value.data, read.value.len) : otherwise, read.reason};
    }
};

template <> struct typed<bytes> {
    static constexpr knhk_type_t type = KNHK_BYTES;
    static bytes get(knhk_view_t v, knhk_key_t k, bytes otherwise) noexcept {
        knhk_bytes_t read = knhk_get_bytes(v, k);
        return read.data ? bytes(read.data, read.len) : otherwise;
    }
    static reading<bytes> try_get(knhk_view_t v, knhk_key_t k, bytes otherwise) noexcept {
        knhk_try_bytes_t read = knhk_try_get_bytes(v, k);
        return {read.value.data ? bytes(read.value.data, read.value.len) : otherwise, read.reason};
    }
};

template <> struct typed<list<std::int64_t>> {
    static constexpr knhk_type_t type = KNHK_LIST_I64;
    static list<std::int64_t> get(knhk_view_t v, knhk_key_t k, list<std::int64_t> otherwise) noexcept {
        knhk_list_i64_t read = knhk_get_list_i64(v, k);
        return read.data ? list<std::int64_t>(read.data, read.len) : otherwise;
    }
};

template <> struct typed<list<double>> {
    static constexpr knhk_type_t type = KNHK_LIST_F64;
    static list<double> get(knhk_view_t v, knhk_key_t k, list<double> otherwise) noexcept {
        knhk_list_f64_t read = knhk_get_list_f64(v, k);
        return read.data ? list<double>(read.data, read.len) : otherwise;
    }
};

template <> struct typed<list<bool>> {
    static constexpr knhk_type_t type = KNHK_LIST_BOOL;
    // A byte of 0 or 1 each.
    static list<std::uint8_t> get(knhk_view_t v, knhk_key_t k, list<std::uint8_t> otherwise) noexcept {
        knhk_list_bool_t read = knhk_get_list_bool(v, k);
        return read.data ? list<std::uint8_t>(read.data, read.len) : otherwise;
    }
};

template <> struct typed<string_list> {
    static constexpr knhk_type_t type = KNHK_LIST_STR;
    static string_list get(knhk_view_t v, knhk_key_t k, string_list otherwise) noexcept {
        knhk_list_spans_t read = knhk_get_list_str(v, k);
        return read.spans ? string_list(read) : otherwise;
    }
};

template <> struct typed<map> {
    static constexpr knhk_type_t type = KNHK_MAP;
};

template <> struct typed<class_type> {
    static constexpr knhk_type_t type = KNHK_CLASS;
};

// An interned name with its type, valid for the engine's life: from engine::key. A default one reads as absent.
template <class T> class key {
public:
    key() = default;
    explicit key(knhk_key_t raw) noexcept : raw_(raw) {}
    knhk_key_t raw() const noexcept { return raw_; }

private:
    knhk_key_t raw_{};
};

// ---- Views ----

// One generation of all sectors, readable while what it came from lasts. Small: pass it by value.
class snapshot {
public:
    explicit snapshot(knhk_view_t raw) noexcept : raw_(raw) {}
    knhk_view_t raw() const noexcept { return raw_; }
    // The generation's number.
    std::uint64_t epoch() const noexcept { return knhk_view_epoch(raw_); }

    // The value under a key, or `otherwise`, which is counted as a cold read.
    template <class T, class Value = T> auto get(key<T> k, Value otherwise = {}) const noexcept {
        return typed<T>::get(raw_, k.raw(), otherwise);
    }
    auto get(key<list<bool>> k, list<std::uint8_t> otherwise = {}) const noexcept {
        return typed<list<bool>>::get(raw_, k.raw(), otherwise);
    }
    // The value with the reason why it is, or is not, there.
    template <class T> reading<T> try_get(key<T> k, T otherwise = {}) const noexcept {
        return typed<T>::try_get(raw_, k.raw(), otherwise);
    }
    // Whether `value` lies in the range that the document gives.
    template <class T> bool guard(key<T> k, T value) const noexcept { return typed<T>::guard(raw_, k.raw(), value); }
    bool is_a(key<class_type> cls, key<class_type> ancestor) const noexcept {
        return knhk_is_a(raw_, cls.raw(), ancestor.raw());
    }
    // The key of a name in a map, or of a path in a sector; one that reads as absent where there is none.
    template <class T> key<T> lookup(key<map> in, std::string_view name) const noexcept {
        return key<T>(knhk_lookup(raw_, in.raw(), name.data(), name.size()));
    }
    template <class T> key<T> find(std::uint32_t sector, std::string_view path) const noexcept {
        return key<T>(knhk_find(raw_, sector, path.data(), path.size()));
    }

private:
    knhk_view_t raw_;
};

class reader;
class engine;

// A counted reference to one generation: what it reads stays until it is destroyed, on any thread.
class hold {
public:
    snapshot view() const noexcept { return snapshot(view_); }
    hold(const hold &other) : hold(copied(other)) {}
    hold(hold &&) noexcept = default;
    hold &operator=(hold other) noexcept { return handle_.swap(other.handle_), view_ = other.view_, *this; }

private:
    friend class view;
    friend class ledger;
    friend class history;
    explicit hold(knhk_hold_t *from) noexcept : handle_(from) { knhk_hold_view(from, &view_, nullptr); }
    static hold copied(const hold &other) {
        knhk_hold_t *copy = nullptr;
        return detail::called([&](auto err) { return knhk_hold_clone(other.handle_.get(), &copy, err); }, [&] { return hold(copy); }).value();
    }
    detail::handle<knhk_hold_t, knhk_hold_release> handle_;
    knhk_view_t view_{};
};

// A view that ends with its scope: on one reader in the reverse order of their beginning, which is why it is neither copied nor moved.
class [[nodiscard]] view : public snapshot {
public:
    ~view() { knhk_read_end(reader_, raw()); }
    view(const view &) = delete;
    view &operator=(const view &) = delete;

    // Appends an observation made in this view; false, and counted, where the ring is full.
    template <class T>
    bool observe(key<T> k, T value, knhk_outcome_t outcome, std::uint64_t subject = 0,
                 std::uint64_t detail = 0) const noexcept {
        return observe_at(knhk_reader_clock(reader_), k, value, outcome, subject, detail);
    }
    // With the caller's time: nanoseconds since the Unix epoch.
    template <class T>
    bool observe_at(std::uint64_t time_ns, key<T> k, T value, knhk_outcome_t outcome, std::uint64_t subject = 0, std::uint64_t detail = 0) const noexcept {
        return knhk_observe(reader_, raw(), k.raw(), typed<T>::type, typed<T>::bits(value), outcome, subject, detail, time_ns);
    }
    // Keeps what this view sees beyond its end.
    result<knhk::hold> hold(std::nothrow_t) const {
        knhk_hold_t *made = nullptr;
        return detail::called([&](auto err) { return knhk_snapshot_hold(reader_, raw(), &made, err); }, [&] { return knhk::hold(made); });
    }
    knhk::hold hold() const { return hold(std::nothrow).value(); }

private:
    friend class reader;
    view(knhk_reader_t *reader, knhk_view_t raw) noexcept : snapshot(raw), reader_(reader) {}
    knhk_reader_t *reader_;
};

// The quiescent mode of a reader while it lives: views store nothing, and `announce` says that none from before is in use.
class quiescent {
public:
    ~quiescent() { knhk_reader_offline(reader_); }
    quiescent(const quiescent &) = delete;
    quiescent &operator=(const quiescent &) = delete;
    snapshot view() const noexcept { return snapshot(knhk_read_quiescent(reader_)); }
    snapshot view_for(std::uint64_t subject_hash) const noexcept { return snapshot(knhk_read_quiescent_for(reader_, subject_hash)); }
    void announce() noexcept { knhk_reader_quiescent(reader_); }

private:
    friend class reader;
    explicit quiescent(knhk_reader_t *reader) noexcept : reader_(reader) { knhk_reader_online(reader); }
    knhk_reader_t *reader_;
};

// ---- Settings ----

struct options : knhk_options_t {
    options() noexcept : knhk_options_t(detail::sized<knhk_options_t>()) {}
};
struct reader_options : knhk_reader_options_t {
    reader_options() noexcept : knhk_reader_options_t(detail::sized<knhk_reader_options_t>()) {}
};
// Who asks for a change, and why; whether it is a major version.
struct origin {
    std::string by = {}, why = {};
    bool major = false;
};

// ---- What an engine tells ----

struct sector_info {
    std::string name;
    std::uint32_t number;
    bool ready;
    std::uint64_t version, epoch, keys;
};
struct key_info {
    std::string name;
    knhk_type_t type;
    std::string type_name, unit, doc, display;
};
struct difference {
    std::string path, before, after; // empty where there was or is nothing
};
struct version_info {
    std::uint64_t version, rollback_of, epoch, time_ns;
    std::string by, why;
    std::vector<difference> differences;
    knhk_phases_t phases;
    std::uint64_t parent;
    std::string receipt; // its id; empty where there is none
};

// A change by statement: both texts in `format`, a KNHK_FORMAT_ constant.
struct delta {
    std::string removed, added;
    std::uint32_t format = KNHK_FORMAT_TURTLE;

    knhk_delta_t raw() const noexcept {
        auto of = detail::sized<knhk_delta_t>();
        of.format = format;
        of.removed = removed.data();
        of.removed_len = removed.size();
        of.added = added.data();
        of.added_len = added.size();
        return of;
    }
};
// An identifier that two sectors define differently.
struct conflict {
    std::string identifier, first, second, message;
};

// Whether `proof`, of engine::prove, shows that the version with this content address (32 bytes) says `statement`.
inline result<void> verify_proof(const std::uint8_t (&snapshot_id)[32], std::string_view proof, const std::string &statement) {
    return detail::called([&](auto err) {
        auto *at = reinterpret_cast<const std::uint8_t *>(proof.data());
        return knhk_proof_verify(snapshot_id, at, proof.size(), statement.c_str(), err);
    });
}

// ---- The engine ----

// An engine, closed when this is destroyed. Readers, views and holds may be destroyed before or after.
class engine {
public:
    explicit engine(const std::string &location, const options &with = {}) : engine(open(std::nothrow, location, with).value()) {}
    static result<engine> open(std::nothrow_t, const std::string &location, const options &with = {}) {
        knhk_engine_t *made = nullptr;
        return detail::called([&](auto err) { return knhk_engine_open(location.c_str(), &with, &made, err); }, [&] { return engine(made); });
    }
    knhk_engine_t *raw() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }

    result<void> create_sector(std::nothrow_t, const std::string &name) {
        return detail::called([&](auto err) { return knhk_sector_create(raw(), name.c_str(), KNHK_DIRECT, err); });
    }
    void create_sector(const std::string &name) { create_sector(std::nothrow, name).value(); }
    // With the knowledge that KNHK ships: finance, healthcare, logistics, manufacturing.
    result<void> create_shipped_sector(std::nothrow_t, const std::string &name) {
        return detail::called([&](auto err) { return knhk_sector_create_shipped(raw(), name.c_str(), KNHK_DIRECT, err); });
    }
    void create_shipped_sector(const std::string &name) { create_shipped_sector(std::nothrow, name).value(); }

    result<knhk_promotion_t> promote_json(std::nothrow_t, const std::string &sector, std::string_view json, const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) {
            return knhk_promote_json_with(raw(), sector.c_str(), json.data(), json.size(), with, made, err);
        });
    }
    knhk_promotion_t promote_json(const std::string &sector, std::string_view json, const origin &from = {}) {
        return promote_json(std::nothrow, sector, json, from).value();
    }
    // Makes an ontology the whole of a sector's knowledge; `format` is a KNHK_FORMAT_ constant.
    result<knhk_promotion_t> promote_rdf(std::nothrow_t, const std::string &sector, std::string_view text, std::uint32_t format,
                                         const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) {
            return knhk_promote_rdf(raw(), sector.c_str(), text.data(), text.size(), format, with, made, err);
        });
    }
    knhk_promotion_t promote_rdf(const std::string &sector, std::string_view text, std::uint32_t format, const origin &from = {}) {
        return promote_rdf(std::nothrow, sector, text, format, from).value();
    }
    // Takes statements away, and adds others.
    result<knhk_promotion_t> promote_delta(std::nothrow_t, const std::string &sector, const delta &change, const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) {
            auto of = change.raw();
            return knhk_promote_delta(raw(), sector.c_str(), &of, with, made, err);
        });
    }
    knhk_promotion_t promote_delta(const std::string &sector, const delta &change, const origin &from = {}) {
        return promote_delta(std::nothrow, sector, change, from).value();
    }
    result<knhk_promotion_t> promote_image(std::nothrow_t, const std::string &sector, bytes image, const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) {
            return knhk_promote_image(raw(), sector.c_str(), image.data(), image.size(), with, made, err);
        });
    }
    knhk_promotion_t promote_image(const std::string &sector, bytes image, const origin &from = {}) {
        return promote_image(std::nothrow, sector, image, from).value();
    }
    result<knhk_promotion_t> rollback(std::nothrow_t, const std::string &sector, std::uint64_t version, const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) { return knhk_rollback(raw(), sector.c_str(), version, with, made, err); });
    }
    knhk_promotion_t rollback(const std::string &sector, std::uint64_t version, const origin &from = {}) {
        return rollback(std::nothrow, sector, version, from).value();
    }
    result<knhk_promotion_t> emergency_rollback(std::nothrow_t, const std::string &sector, std::uint64_t version, const origin &from = {}) {
        return promoted(from, [&](auto *with, auto *made, auto err) { return knhk_emergency_rollback(raw(), sector.c_str(), version, with, made, err); });
    }
    knhk_promotion_t emergency_rollback(const std::string &sector, std::uint64_t version, const origin &from = {}) {
        return emergency_rollback(std::nothrow, sector, version, from).value();
    }
    result<void> declare_json(std::nothrow_t, const std::string &sector, const std::string &json) {
        return detail::called([&](auto err) { return knhk_declare_json(raw(), sector.c_str(), json.c_str(), err); });
    }
    void declare_json(const std::string &sector, const std::string &json) { declare_json(std::nothrow, sector, json).value(); }

    // Interns a name with its type: once, since a misspelt one fails here.
    template <class T> result<knhk::key<T>> key(std::nothrow_t, const std::string &sector, const std::string &name) {
        knhk_key_t made{};
        return detail::called([&](auto err) { return knhk_key(raw(), sector.c_str(), name.c_str(), typed<T>::type, &made, err); },
                              [&] { return knhk::key<T>(made); });
    }
    template <class T> knhk::key<T> key(const std::string &sector, const std::string &name) {
        return key<T>(std::nothrow, sector, name).value();
    }
    std::uint32_t sector_number(const std::string &sector) const {
        std::uint32_t number = 0;
        return detail::called([&](auto err) { return knhk_sector_number(raw(), sector.c_str(), &number, err); }, [&] { return number; }).value();
    }
    result<void> wait_ready(std::nothrow_t, const std::string &sector, std::uint64_t timeout_ns = UINT64_MAX) {
        return detail::called([&](auto err) { return knhk_sector_wait_ready(raw(), sector.c_str(), timeout_ns, err); });
    }
    void wait_ready(const std::string &sector, std::uint64_t timeout_ns = UINT64_MAX) { wait_ready(std::nothrow, sector, timeout_ns).value(); }

    // A version's document; the current one's with 0.
    std::string export_json(const std::string &sector, std::uint64_t version = 0) const {
        return taken([&](auto **made, auto err) { return knhk_sector_export_json(raw(), sector.c_str(), version, made, err); });
    }
    // A version in a format; the current one's with 0.
    std::string export_rdf(const std::string &sector, std::uint32_t format, std::uint64_t version = 0) const {
        return taken([&](auto **made, auto err) { return knhk_sector_export(raw(), sector.c_str(), version, format, made, err); });
    }
    // What leads from one version to another: lines of N-Triples, each after "- " or "+ ".
    std::string diff(const std::string &sector, std::uint64_t from, std::uint64_t to) const {
        return taken([&](auto **made, auto err) { return knhk_sector_diff(raw(), sector.c_str(), from, to, made, err); });
    }
    // Validation, of what is current and of what might be; nothing changes.
    knhk::report validate(const std::string &sector) const {
        return reported([&](auto **made, auto err) { return knhk_validate(raw(), sector.c_str(), made, err); });
    }
    knhk::report validate_rdf(const std::string &sector, std::string_view text, std::uint32_t format) const {
        return reported([&](auto **made, auto err) {
            return knhk_validate_rdf(raw(), sector.c_str(), text.data(), text.size(), format, made, err);
        });
    }
    knhk::report validate_delta(const std::string &sector, const delta &change) const {
        auto of = change.raw();
        return reported([&](auto **made, auto err) { return knhk_validate_delta(raw(), sector.c_str(), &of, made, err); });
    }
    // The proof that the current version says a statement of N-Triples; see verify_proof.
    std::string prove(const std::string &sector, const std::string &statement) const {
        return taken([&](auto **made, auto err) { return knhk_prove(raw(), sector.c_str(), statement.c_str(), made, err); });
    }
    std::vector<conflict> conflicts() const {
        auto from = listed<knhk_conflict_list_t, knhk_conflicts_free>([&](auto **made, auto err) { return knhk_conflicts(raw(), made, err); });
        std::vector<conflict> all;
        for (std::size_t n = 0; const knhk_conflict_t *at = knhk_conflicts_at(from.get(), n); n++)
            all.push_back({at->identifier, at->first, at->second, at->message});
        return all;
    }
    std::string dump() const {
        return taken([&](auto **made, auto err) { return knhk_dump(raw(), made, err); });
    }
    std::string compile_json(const std::string &json) const {
        return taken([&](auto **made, auto err) { return knhk_compile_json(raw(), json.c_str(), made, err); });
    }

    std::vector<sector_info> sectors() const {
        auto from = listed<knhk_sector_list_t, knhk_sectors_free>([&](auto **made, auto err) { return knhk_sectors(raw(), made, err); });
        std::vector<sector_info> all;
        for (std::size_t n = 0; const knhk_sector_info_t *at = knhk_sectors_at(from.get(), n); n++)
            all.push_back({at->name, at->number, at->ready != 0, at->version, at->epoch, at->keys});
        return all;
    }
    std::vector<key_info> keys(const std::string &sector) const {
        auto from = listed<knhk_key_list_t, knhk_keys_free>([&](auto **made, auto err) { return knhk_keys(raw(), sector.c_str(), made, err); });
        std::vector<key_info> all;
        for (std::size_t n = 0; const knhk_key_info_t *at = knhk_keys_at(from.get(), n); n++)
            all.push_back({at->name, at->value_type, at->type_name, detail::text(at->unit), detail::text(at->doc), at->display});
        return all;
    }
    std::vector<version_info> history(const std::string &sector) const {
        auto from = listed<knhk_version_list_t, knhk_history_free>([&](auto **made, auto err) { return knhk_history(raw(), sector.c_str(), made, err); });
        std::vector<version_info> all;
        for (std::size_t n = 0; const knhk_version_info_t *at = knhk_history_at(from.get(), n); n++) {
            all.push_back({at->version, at->rollback_of, at->epoch, at->time_ns, at->by, at->why, {}, at->phases, at->parent, detail::text(at->receipt)});
            for (std::size_t m = 0; m < at->differences_len; m++) {
                const knhk_difference_t &of = at->differences[m];
                all.back().differences.push_back({of.path, detail::text(of.before), detail::text(of.after)});
            }
        }
        return all;
    }
    knhk_stats_t stats() const {
        auto made = detail::sized<knhk_stats_t>();
        return detail::called([&](auto err) { return knhk_stats(raw(), &made, err); }, [&] { return made; }).value();
    }
    // What an operation of the hot path took, in nanoseconds: while that is too long the warm path waits (knhk_hot_report).
    void report_hot(std::uint64_t took_ns) {
        detail::called([&](auto err) { return knhk_hot_report(raw(), took_ns, err); }).value();
    }
    // The mean of what was told, in nanoseconds.
    std::uint64_t hot_mean() const {
        std::uint64_t mean_ns = 0;
        return detail::called([&](auto err) { return knhk_hot_mean(raw(), &mean_ns, err); }, [&] { return mean_ns; }).value();
    }
    std::vector<knhk_observation_t> drain(std::size_t most) {
        std::vector<knhk_observation_t> all(most);
        std::size_t count = 0;
        detail::called([&](auto err) { return knhk_observations_drain(raw(), all.data(), most, &count, err); }).value();
        all.resize(count);
        return all;
    }

    // Grows with every change.
    std::uint64_t change_version() const noexcept { return knhk_change_version(raw()); }
    int change_fd() {
        int fd = -1;
        return detail::called([&](auto err) { return knhk_change_fd(raw(), &fd, err); }, [&] { return fd; }).value();
    }
    // Calls `changed` on the warm thread for every change, until unsubscribed or closed. What it throws ends nowhere: it is dropped.
    std::uint64_t subscribe(std::function<void(const knhk_change_t &)> changed) {
        auto callback = detail::sized<knhk_change_callback_t>();
        callback.ctx = new std::function<void(const knhk_change_t &)>(std::move(changed));
        callback.changed = [](void *ctx, const knhk_change_t *change) noexcept {
            try {
                (*static_cast<std::function<void(const knhk_change_t &)> *>(ctx))(*change);
            } catch (...) {
            }
        };
        callback.destroy = [](void *ctx) noexcept { delete static_cast<std::function<void(const knhk_change_t &)> *>(ctx); };
        std::uint64_t made = 0;
        return detail::called([&](auto err) { return knhk_subscribe(raw(), &callback, &made, err); }, [&] { return made; }).value();
    }
    void unsubscribe(std::uint64_t subscription) {
        detail::called([&](auto err) { return knhk_unsubscribe(raw(), subscription, err); }).value();
    }

private:
    explicit engine(knhk_engine_t *made) noexcept : handle_(made) {}
    template <class Call> static result<knhk_promotion_t> promoted(const origin &from, Call call) {
        auto with = detail::sized<knhk_promote_options_t>();
        with.by = from.by.c_str();
        with.why = from.why.c_str();
        with.flags = from.major ? KNHK_MAJOR : 0;
        auto made = detail::sized<knhk_promotion_t>();
        return detail::called([&](auto err) { return call(&with, &made, err); }, [&] { return made; });
    }
    template <class List, auto Free, class Call> static detail::handle<List, Free> listed(Call call) {
        List *made = nullptr;
        detail::called([&](auto err) { return call(&made, err); }).value();
        return detail::handle<List, Free>(made);
    }
    template <class Call> static knhk::report reported(Call call) {
        auto from = listed<knhk_report_t, knhk_report_free>(std::move(call));
        return knhk::report(from.get());
    }
    template <class Call> static std::string taken(Call call) {
        auto from = listed<knhk_buffer_t, knhk_buffer_free>(std::move(call));
        return {knhk_buffer_data(from.get()), knhk_buffer_len(from.get())};
    }
    detail::handle<knhk_engine_t, knhk_engine_close> handle_;
};

// A thread's way to read, given back when this is destroyed, on the thread that made it.
class reader {
public:
    explicit reader(engine &of, const reader_options &with = {}) : reader(make(std::nothrow, of, with).value()) {}
    static result<reader> make(std::nothrow_t, engine &of, const reader_options &with = {}) {
        knhk_reader_t *made = nullptr;
        return detail::called([&](auto err) { return knhk_reader_register_with(of.raw(), &with, &made, err); }, [&] { return reader(made); });
    }
    knhk_reader_t *raw() const noexcept { return handle_.get(); }
    std::uint64_t id() const noexcept { return knhk_reader_id(raw()); }

    // Begins a view of the current generation.
    knhk::view view() noexcept { return {raw(), knhk_read_begin(raw())}; }
    // Begins one of what a canary, if one runs, chooses for this subject.
    knhk::view view_for(std::uint64_t subject_hash) noexcept { return {raw(), knhk_read_begin_for(raw(), subject_hash)}; }
    // Enters the quiescent mode; no view is open.
    [[nodiscard]] knhk::quiescent quiescent() noexcept { return knhk::quiescent(raw()); }

private:
    static void unregister(knhk_reader_t *reader) noexcept { knhk_reader_unregister(reader, nullptr); }
    explicit reader(knhk_reader_t *made) noexcept : handle_(made) {}
    detail::handle<knhk_reader_t, unregister> handle_;
};

} // namespace knhk

#include "knhk_ledger.hpp"
#include "knhk_resilience.hpp"

#endif // KNHK_HPP
