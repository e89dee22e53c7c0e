// The summary, for people or as JSON.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "limits.hpp"

namespace admission {

// What one thread counts.
struct tally {
    std::uint64_t orders = 0, answered = 0;
    std::array<std::uint64_t, admission::verdicts.size()> said{};
    std::uint64_t stale = 0;      // decisions on limits older than the last acknowledged change
    std::uint64_t backwards = 0;  // answers from an older generation than the answer before them
    std::uint64_t lost = 0;       // orders without their answer
    std::chrono::steady_clock::duration longest{};

    tally &operator+=(const tally &other) {
        orders += other.orders;
        answered += other.answered;
        for (std::size_t v = 0; v < verdicts.size(); ++v)
            said[v] += other.said[v];
        stale += other.stale;
        backwards += other.backwards;
        lost += other.lost;
        longest = std::max(longest, other.longest);
        return *this;
    }
};

inline std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, ",");
    return digits;
}

inline std::string quoted(const std::string &text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
}

struct summary {
    tally sent, served;
    std::vector<era> eras;
    std::vector<std::string> refusals;
    std::uint64_t unexpected = 0, announced = 0, drained = 0, contradicted = 0, dropped = 0;
    std::size_t connections = 0;
    double seconds = 0, decision_ns = 0;

    std::uint64_t violations() const {
        bool whole = sent.orders == served.orders && sent.answered == served.orders && sent.said == served.said &&
                     drained + dropped == served.orders && announced == eras.size() && refusals.size() == 1;
        return served.stale + sent.backwards + sent.lost + contradicted + unexpected + !whole;
    }

    // Whether everything is consistent.
    bool print(bool json) const {
        json ? print_json() : print_text();
        return violations() == 0 && served.orders > 0;
    }

    double longest_us() const { return std::chrono::duration<double, std::micro>(served.longest).count(); }

    void print_text() const {
        auto n = [](std::uint64_t number) { return grouped(number); };
        std::printf("\n  decisions   %12s   %s a second\n\n", n(served.orders).c_str(),
                    n(static_cast<std::uint64_t>(static_cast<double>(served.orders) / seconds)).c_str());
        for (std::size_t v = 0; v < verdicts.size(); ++v) {
            double share = static_cast<double>(served.said[v]) / static_cast<double>(served.orders ? served.orders : 1);
            std::string bar;
            for (int i = 0; i < static_cast<int>(share * 40); ++i)
                bar += "█";
            std::printf("    %-10s%12s   %5.1f %%  %s\n", verdicts[v].data(), n(served.said[v]).c_str(), share * 100, bar.c_str());
        }
        std::printf("\n  limits        version   promoted in   next decision      decisions\n");
        for (const era &e : eras) {
            std::uint64_t after = e.first_ns > e.returned_ns ? e.first_ns - e.returned_ns : 0;
            std::printf("    %s %-11s%4s %10s µs %8s µs after %13s   %s\n", e.back_to ? "↶" : "●", e.by.c_str(), n(e.version).c_str(),
                        n((e.returned_ns - e.called_ns) / 1000).c_str(), n(after / 1000).c_str(), n(e.decisions).c_str(),
                        e.change.c_str());
        }
        for (const std::string &refusal : refusals)
            std::printf("    ✗ refused: %s\n", refusal.c_str());
        std::printf("\n  a decision      %.1f ns: one view, up to six typed reads\n", decision_ns);
        std::printf("  longest pause   %.0f µs in one decision, the scheduler's share included\n", longest_us());
        std::printf("  observations    %s accepted, %s dropped\n\n  checked\n", n(drained).c_str(), n(dropped).c_str());
        std::printf("    %s of %s decisions were made on limits older than the last acknowledged change\n",
                    n(served.stale + sent.backwards).c_str(), n(served.orders).c_str());
        std::printf("    %s of %s audited verdicts contradict their generation's limits\n", n(contradicted).c_str(), n(drained).c_str());
        std::printf("    %s orders sent, %s answered, %s decided\n\n", n(sent.orders).c_str(), n(sent.answered).c_str(),
                    n(served.orders).c_str());
    }

    void print_json() const {
        std::string text = "{\"language\": \"cpp\", \"seconds\": " + std::to_string(seconds);
        auto add = [&text](const char *name, std::uint64_t value) { text += std::string(", \"") + name + "\": " + std::to_string(value); };
        add("workers", connections);
        add("connections", connections);
        add("sent", sent.orders);
        add("answered", sent.answered);
        add("decided", served.orders);
        text += ", \"verdicts\": {";
        for (std::size_t v = 0; v < verdicts.size(); ++v)
            text += (v ? ", " : "") + quoted(std::string(verdicts[v])) + ": " + std::to_string(served.said[v]);
        text += "}, \"versions\": [";
        for (const era &e : eras) {
            text += (&e == &eras[0] ? "{" : ", {") + quoted("by") + ": " + quoted(e.by) + ", \"why\": " + quoted(e.why) +
                    ", \"change\": " + quoted(e.change);
            add("version", e.version);
            add("generation", e.generation);
            add("rollback_of", e.back_to);
            add("decisions", e.decisions);
            text += ", \"promote_us\": " + std::to_string(static_cast<double>(e.returned_ns - e.called_ns) / 1e3) + "}";
        }
        text += "], \"refusal\": " + quoted(refusals.empty() ? "" : refusals[0]);
        add("refused", refusals.size());
        add("announced", announced);
        text += ", \"decision_ns\": " + std::to_string(decision_ns) + ", \"longest_us\": " + std::to_string(longest_us());
        text += ", \"observations\": {\"accepted\": " + std::to_string(drained);
        add("dropped", dropped);
        add("drained", drained);
        text += "}, \"violations\": {\"stale\": " + std::to_string(served.stale);
        add("contradicted", contradicted);
        add("backwards", sent.backwards);
        add("lost", sent.lost);
        add("unexpected", unexpected);
        add("total", violations());
        std::printf("%s}}\n", text.c_str());
    }
};

}  // namespace admission
