// What governance answers, as types, for C++17. Included by knhk_governance.hpp.
//
//     knhk::proposal asked = governed.propose(request);
//     for (auto &report : asked.reports)
//         for (auto &stage : report.stages)
//             for (auto &finding : stage.findings) log(stage.stage, stage.verdict, finding.item, finding.what, finding.fix);
//
// Each type has what is asked for most; the rest of an answer is read by name, as docs/governing.md has it:
// asked["closed"]["by"].as<std::string>(). No JSON library is needed: the C interface reads.
// Before the guard: knhk.hpp ends with headers that need what is below, and has them here by then.
#include "knhk.hpp"

#ifndef KNHK_ANSWERS_HPP
#define KNHK_ANSWERS_HPP

namespace knhk {

namespace detail {

template <class T> struct vector_of : std::false_type {};
template <class T> struct vector_of<std::vector<T>> : std::true_type { using element = T; };
template <class T> struct optional_of : std::false_type {};
template <class T> struct optional_of<std::optional<T>> : std::true_type { using element = T; };

} // namespace detail

// A place in an answer, from the whole inwards. It keeps the answer alive; copies are cheap. Any thread.
class answer {
public:
    // Takes over a buffer of the C interface that holds JSON.
    explicit answer(knhk_buffer_t *owned) : of_(owned, knhk_buffer_free) {}
    // JSON that came otherwise: what a function is asked, a watched stage's report.
    static answer parse(std::string_view json) {
        return made([&](auto **to, auto err) { return knhk_json_parse(json.data(), json.size(), to, err); });
    }

    answer operator[](std::string_view member) const {
        std::string place = place_ + "/";
        for (char c : member) c == '~' ? place += "~0" : c == '/' ? place += "~1" : place += c;
        return answer(of_, std::move(place));
    }
    answer operator[](std::size_t element) const { return answer(of_, place_ + "/" + std::to_string(element)); }

    // Whether something stands there that is not null.
    explicit operator bool() const {
        auto is = read<std::uint32_t>(knhk_json_kind);
        return is != KNHK_JSON_ABSENT && is != KNHK_JSON_NULL;
    }
    // Elements of a list, members of an object.
    std::size_t size() const { return read<std::size_t>(knhk_json_count); }
    // What stands there as bool, std::int64_t, std::uint64_t, double, std::string or a type of this header; as a std::vector of such, and as
    // a std::optional, which is empty where nothing or null stands. Throws knhk::error where something else does.
    template <class T> T as() const {
        if constexpr (detail::optional_of<T>::value) {
            return *this ? T(as<typename detail::optional_of<T>::element>()) : T();
        } else if constexpr (detail::vector_of<T>::value) {
            T all;
            for (std::size_t n = 0, size = this->size(); n < size; n++) all.push_back((*this)[n].as<typename detail::vector_of<T>::element>());
            return all;
        } else if constexpr (std::is_same_v<T, bool>) {
            return read<bool>(knhk_json_bool);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
            return read<std::int64_t>(knhk_json_i64);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
            return read<std::uint64_t>(knhk_json_u64);
        } else if constexpr (std::is_same_v<T, double>) {
            return read<double>(knhk_json_f64);
        } else if constexpr (std::is_same_v<T, std::string>) {
            const char *at = nullptr;
            std::size_t len = 0;
            detail::called([&](auto err) { return knhk_json_text(of_.get(), place_.c_str(), &at, &len, err); }).value();
            return {at, len};
        } else {
            return T(*this);
        }
    }
    // A member's value: (*this)[member].as<T>().
    template <class T> T get(std::string_view member) const { return (*this)[member].as<T>(); }

    // What stands there as text.
    std::string json() const {
        if (place_.empty()) return {knhk_buffer_data(of_.get()), knhk_buffer_len(of_.get())};
        return made([&](auto **to, auto err) { return knhk_json_part(of_.get(), place_.c_str(), to, err); }).json();
    }
    operator std::string() const { return json(); }

private:
    answer(std::shared_ptr<knhk_buffer_t> of, std::string place) : of_(std::move(of)), place_(std::move(place)) {}
    template <class Call> static answer made(Call call) {
        knhk_buffer_t *to = nullptr;
        detail::called([&](auto err) { return call(&to, err); }).value();
        return answer(to);
    }
    template <class T, class Reads> T read(Reads reads) const {
        T value{};
        detail::called([&](auto err) { return reads(of_.get(), place_.c_str(), &value, err); }).value();
        return value;
    }

    std::shared_ptr<knhk_buffer_t> of_;
    std::string place_;
};

// ---- What stages say ----

// One thing that a stage found.
struct finding {
    explicit finding(const answer &from)
        : severity(from.get<std::string>("severity")), item(from.get<std::string>("item")), what(from.get<std::string>("what")),
          fix(from.get<std::string>("fix")) {}
    std::string severity; // "info", "warning" or "blocker", which alone refuses
    std::string item;     // such as "rule orders/four-eyes", "guard max-notional", "invariant Q3", "parameter max_qty"
    std::string what;
    std::string fix; // what to do about it; may be empty
};

// What a change still lacks and can get.
struct need {
    explicit need(const answer &from)
        : item(from.get<std::string>("item")), groups(from.get<std::vector<std::string>>("groups")),
          approvals(from.get<std::uint64_t>("approvals")), quorum(from.get<std::uint64_t>("quorum")),
          not_before_ns(from.get<std::optional<std::uint64_t>>("not_before_ns")) {}
    std::string item;
    std::vector<std::string> groups;
    std::uint64_t approvals, quorum;
    std::optional<std::uint64_t> not_before_ns;
};

// What one stage says.
struct stage_report : answer {
    explicit stage_report(const answer &from)
        : answer(from), stage(get<std::string>("stage")), verdict(get<std::string>("verdict")),
          findings(get<std::vector<finding>>("findings")), needs(get<std::vector<need>>("needs")),
          duration_ns(get<std::uint64_t>("duration_ns")) {}
    std::string stage;   // "schema", "invariants", "doctrine", "guards", "performance", "rollback" or "compatibility"
    std::string verdict; // "passed", "waiting", "not_judged" or "refused"
    std::vector<finding> findings;
    std::vector<need> needs;
    std::uint64_t duration_ns;
};

// What the stages say of a change of one sector.
struct sector_report : answer {
    explicit sector_report(const answer &from)
        : answer(from), sector(get<std::string>("sector")), verdict(get<std::string>("verdict")),
          stages(get<std::vector<stage_report>>("stages")), duration_ns(get<std::uint64_t>("duration_ns")) {}
    // The stage of that name; none: there is none.
    const stage_report *stage(std::string_view name) const noexcept {
        for (auto &one : stages)
            if (one.stage == name) return &one;
        return nullptr;
    }
    std::string sector, verdict;
    std::vector<stage_report> stages;
    std::uint64_t duration_ns;
};

// What would become of a change that is not filed.
struct checked : answer {
    explicit checked(const answer &from) : answer(from), reports(get<std::vector<sector_report>>("reports")), text(get<std::string>("text")) {}
    std::vector<sector_report> reports;
    std::string text; // for people
};

// ---- Changes on their way ----

// A version that something led to.
struct made_version {
    explicit made_version(const answer &from)
        : sector(from.get<std::string>("sector")), version(from["version"].get<std::uint64_t>("version")),
          snapshot_id(from["version"].get<std::string>("snapshot_id")), time_ns(from["version"].get<std::uint64_t>("time_ns")),
          receipt(from["version"].get<std::optional<std::string>>("receipt")) {}
    std::string sector;
    std::uint64_t version;
    std::string snapshot_id; // its content address
    std::uint64_t time_ns;
    std::optional<std::string> receipt; // its receipt's id, for ledger::receipt
};

// An approval that counts.
struct approval_given {
    explicit approval_given(const answer &from)
        : by(from.get<std::string>("by")), groups(from.get<std::vector<std::string>>("groups")), time_ns(from.get<std::uint64_t>("time_ns")) {}
    std::string by;
    std::vector<std::string> groups;
    std::uint64_t time_ns;
};

// A change on its way.
struct proposal : answer {
    explicit proposal(const answer &from)
        : answer(from), id(get<std::string>("id")), state(get<std::string>("state")), said(get<std::string>("said")),
          by(get<std::string>("by")), why(get<std::string>("why")), digest(get<std::string>("digest")),
          time_ns(get<std::uint64_t>("time_ns")), at_ns(get<std::optional<std::uint64_t>>("at_ns")),
          reports(get<std::vector<sector_report>>("reports")), approvals(get<std::vector<approval_given>>("approvals")),
          versions(get<std::vector<made_version>>("versions")), receipts(get<std::vector<std::string>>("receipts")) {}
    std::string id;    // such as "p-19"
    std::string state; // "filed", "waiting", "passed", "enacted", "refused" or "withdrawn"
    std::string said;  // that in a sentence, for people
    std::string by, why;
    std::string digest; // what approvals are about
    std::uint64_t time_ns;
    std::optional<std::uint64_t> at_ns;
    std::vector<sector_report> reports; // of the last run, by sector
    std::vector<approval_given> approvals;
    std::vector<made_version> versions; // what it led to
    std::vector<std::string> receipts;  // the ids of those that it left, oldest first
};

// A guard that gives way for a while, or is asked to.
struct relaxation : answer {
    explicit relaxation(const answer &from)
        : answer(from), id(get<std::string>("id")), state(get<std::string>("state")), guard(get<std::string>("guard")),
          until_ns(get<std::uint64_t>("until_ns")), approvals(get<std::vector<approval_given>>("approvals")), lacks(get<need>("need")) {}
    std::string id, state; // "requested", "approved", "in_force", "expired" or "revoked"
    std::string guard;
    std::uint64_t until_ns;
    std::vector<approval_given> approvals;
    need lacks;
};

// A change of the approvers or of the guards, which approvers sign.
struct governance_change : answer {
    explicit governance_change(const answer &from)
        : answer(from), id(get<std::string>("id")), in_force(get<bool>("in_force")), needs(get<std::vector<need>>("needs")) {}
    std::string id;
    bool in_force;
    std::vector<need> needs;
};

// What an approver signs.
struct approval_request : answer {
    explicit approval_request(const answer &from) : answer(from), payload(get<std::string>("payload")), text(get<std::string>("text")) {}
    std::string payload; // base64, for governance::sign_approval
    std::string text;    // what that is, for people
};

// What became of what was approved: one of the three.
struct approved : answer {
    explicit approved(const answer &from)
        : answer(from), of_proposal(get<std::optional<proposal>>("proposal")), of_relaxation(get<std::optional<relaxation>>("relaxation")),
          of_change(get<std::optional<governance_change>>("change")) {}
    std::optional<proposal> of_proposal;
    std::optional<relaxation> of_relaxation;
    std::optional<governance_change> of_change;
};

// ---- How a change becomes current ----

// A change whose time is to come, or has come.
struct schedule : answer {
    explicit schedule(const answer &from)
        : answer(from), id(get<std::string>("id")), state(get<std::string>("state")), proposal(get<std::optional<std::string>>("proposal")),
          said(get<std::string>("said")), next_ns(get<std::uint64_t>("next_ns")), until_ns(get<std::uint64_t>("until_ns")),
          versions(get<std::vector<made_version>>("versions")) {}
    std::string id, state; // "waiting", "done", "failed" or "cancelled"
    std::optional<std::string> proposal;
    std::string said;                // what came of it, in a sentence
    std::uint64_t next_ns, until_ns; // when it fires, and the end of the window that it fires in
    std::vector<made_version> versions;
};

// A service level objective as it stands; `met` is empty without data, which is no pass.
struct objective_standing {
    explicit objective_standing(const answer &from)
        : name(from.get<std::string>("name")), value(from.get<std::optional<double>>("value")), limit(from.get<std::optional<double>>("limit")),
          met(from.get<std::optional<bool>>("met")) {}
    std::string name;
    std::optional<double> value, limit;
    std::optional<bool> met;
};

// What was recorded by those who read one side.
struct canary_arm {
    explicit canary_arm(const answer &from)
        : count(from.get<std::uint64_t>("count")), outcomes(from.get<std::vector<std::uint64_t>>("outcomes")), own(from.get<std::uint64_t>("own")),
          failure_share(from.get<std::optional<double>>("failure_share")), objectives(from.get<std::vector<objective_standing>>("objectives")) {}
    std::uint64_t count;
    std::vector<std::uint64_t> outcomes; // unspecified, success, rejected, failed, timed out
    std::uint64_t own;                   // those with codes of the program's own
    std::optional<double> failure_share; // of those that were no success, in %
    std::vector<objective_standing> objectives;
};

// What was recorded of a sector while a canary ran.
struct canary_arms {
    explicit canary_arms(const answer &from)
        : sector(from.get<std::string>("sector")), current(from["current"]), candidate(from["candidate"]),
          without_subject(from.get<std::uint64_t>("without_subject")) {}
    std::string sector;
    canary_arm current, candidate;
    std::uint64_t without_subject; // which belong to no arm
};

// A share of the subjects that reads what is to come.
struct canary : answer {
    explicit canary(const answer &from)
        : answer(from), id(get<std::string>("id")), state(get<std::string>("state")), proposal(get<std::optional<std::string>>("proposal")),
          share(get<double>("share")), arms(get<std::vector<canary_arms>>("arms")), versions(get<std::vector<made_version>>("versions")) {}
    std::string id, state; // "running", "adopted", "stopped" or "cut_off"
    std::optional<std::string> proposal;
    double share;
    std::vector<canary_arms> arms; // none where the engine does not observe
    std::vector<made_version> versions;
};

// A sector on probation.
struct probationer {
    explicit probationer(const answer &from)
        : sector(from.get<std::string>("sector")), version(from.get<std::uint64_t>("version")), back_to(from.get<std::uint64_t>("back_to")),
          objectives(from.get<std::vector<objective_standing>>("objectives")) {}
    std::string sector;
    std::uint64_t version, back_to; // what is watched, and what a breach goes back to
    std::vector<objective_standing> objectives;
};

// A promotion whose objectives are watched.
struct probation : answer {
    explicit probation(const answer &from)
        : answer(from), id(get<std::string>("id")), state(get<std::string>("state")), said(get<std::string>("said")),
          sectors(get<std::vector<probationer>>("sectors")), since_ns(get<std::uint64_t>("since_ns")), until_ns(get<std::uint64_t>("until_ns")) {}
    std::string id, state; // "watching", "held", "passed", "kept", "rolled_back" or "superseded"
    std::string said;
    std::vector<probationer> sectors;
    std::uint64_t since_ns, until_ns;
};

} // namespace knhk

#endif // KNHK_ANSWERS_HPP
