// Orders, the limits they are admitted on, and the operator's plan.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace admission {

enum verdict : std::uint8_t { accepted, closed, venue, quantity, tenant, price };
inline constexpr std::array<std::string_view, 6> verdicts{"accepted", "closed", "venue", "quantity", "tenant", "price"};
inline constexpr std::array<std::string_view, 4> venues{"XPAR", "XLON", "XETR", "XOFF"};       // the last one trades in the dark
inline constexpr std::array<std::string_view, 4> tenants{"acme", "birch", "cobalt", "delta"};  // the last one has no limit of its own

template <class List>
std::size_t index_of(const List &list, std::string_view name) {
    std::size_t at = 0;
    while (at < list.size() && list[at] != name)
        ++at;
    return at;
}

struct order {
    std::uint64_t id;
    std::string_view tenant;
    std::size_t venue;  // an index of venues, or beyond
    std::int64_t qty, price;

    // What the auditor needs to decide again, beside the quantity, which is the observation's value.
    std::uint64_t detail(verdict said) const {
        return static_cast<std::uint64_t>(price) << 24 | index_of(tenants, tenant) << 16 | venue << 8 | said;
    }
};

// What a document says, as the auditor knows it.
struct limits {
    bool open = true;
    std::int64_t max_qty = 1000;
    std::array<std::int64_t, 3> tenant{600, 400, 800};
    bool dark_tradable = true;
    std::int64_t low = 9500, high = 10500;

    std::string json() const {
        auto n = [](std::int64_t value) { return std::to_string(value); };
        return std::string(R"({
  "open": {"$value": )") + (open ? "true" : "false") + R"(, "$doc": "no order is admitted while this is off"},
  "max_qty": {"$value": )" + n(max_qty) + R"(, "$min": 1, "$max": 5000, "$unit": "lots"},
  "price": {"$value": 10000, "$min": )" + n(low) + R"(, "$max": )" + n(high) +
               R"(, "$unit": "ticks", "$doc": "reference price and its collar"},
  "tenants": {"acme": )" + n(tenant[0]) + R"(, "birch": )" + n(tenant[1]) + R"(, "cobalt": )" + n(tenant[2]) + R"(},
  "$classes": {"tradable": [], "lit": ["tradable"], "dark": [)" + (dark_tradable ? R"("tradable")" : "") + R"(],
               "XPAR": ["lit"], "XLON": ["lit"], "XETR": ["lit"], "XOFF": ["dark"]}
}
)";
    }

    verdict decide_again(std::int64_t qty, std::uint64_t detail) const {
        std::size_t at = detail >> 8 & 0xff, who = detail >> 16 & 0xff;
        auto asked = static_cast<std::int64_t>(detail >> 24);
        if (!open)
            return closed;
        if (at >= venues.size() || (at == venues.size() - 1 && !dark_tradable))
            return venue;
        if (qty > max_qty)
            return quantity;
        if (who < tenant.size() && qty > tenant[who])
            return verdict::tenant;
        return asked < low || asked > high ? price : accepted;
    }
};

struct step {
    std::string by, why;
    limits to;
    std::uint64_t back_to = 0;  // a version to go back to, instead of the limits
    bool breaks_range = false;  // this one is refused
};

inline std::vector<step> plan() {
    limits day, calm, credit, lit, narrow, halt, greedy;
    greedy.max_qty = 9000;
    calm.max_qty = 400;
    credit = calm;
    credit.tenant[0] = 150;
    lit = credit;
    lit.dark_tradable = false;
    narrow = lit;
    narrow.low = 9800;
    narrow.high = 10200;
    halt = narrow;
    halt.open = false;
    return {
        {"desk", "limits of the day", day},
        {"risk", "volatility is up", calm},
        {"desk", "a large client asks", greedy, 0, true},
        {"credit", "acme is near its line", credit},
        {"compliance", "XOFF is suspended", lit},
        {"risk", "the market is thin", narrow},
        {"exchange", "trading halt", halt},
        {"desk", "the halt is over", {}, 5},
    };
}

// The time between two of the operator's changes.
struct era {
    limits to;
    std::uint64_t generation, version, back_to;
    std::string by, why, change;
    std::uint64_t called_ns, returned_ns, first_ns = 0, decisions = 0;
};

}  // namespace admission
