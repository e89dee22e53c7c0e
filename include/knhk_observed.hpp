// Observations for C++17: what the engine adds up of them, how objectives stand, and what was kept under receipts. Included by knhk_ledger.hpp.
//
//     knhk::options options;
//     auto keep = knhk::observed::settings(); // zeros are the defaults
//     options.observations = &keep;
//     knhk::engine eng("./limits", options);
//     knhk::observed seen(eng);
//     for (auto &objective : seen.objectives("orders"))
//         if (objective.state == KNHK_BROKEN) page(objective.name, objective.value, objective.limit);
#ifndef KNHK_OBSERVED_HPP
#define KNHK_OBSERVED_HPP

#include "knhk_ledger.hpp"

namespace knhk {

// What was added up of one key and kind.
struct series {
    std::string key, kind, unit; // key: "" for what came beyond the limit of series; kind, unit: "" where none is declared
    knhk_figures_t window;       // over the window
    knhk_counts_t total;         // since the engine was opened
};

// How a service level objective stands.
struct objective {
    std::uint32_t state; // KNHK_MET, KNHK_BROKEN, or KNHK_NO_DATA, which is never a pass
    std::string name, kind, aggregate, parameter, bound;
    std::uint32_t window_s;
    double limit, value, burn;
    knhk_figures_t figures;
};

// A batch that became durable under one receipt.
struct segment {
    std::uint64_t number;
    std::string sector;
    std::uint64_t first_ns, last_ns, count;
    std::optional<std::uint64_t> receipt;
    std::array<std::uint8_t, 32> root;
};

// That an observation was ingested: its 64 bytes, and the batch's statement with the path to its root (CBOR).
struct observation_proof {
    std::string record, proof;
};

// What an engine observes. It refers to the engine, which must stay. Any thread.
class observed {
public:
    explicit observed(engine &of) noexcept : of_(of.raw()) {}

    // Options to set by name; zeros are the defaults.
    static knhk_observations_options_t settings() noexcept { return detail::sized<knhk_observations_options_t>(); }

    std::vector<series> aggregates(const std::string &sector) const {
        auto from = detail::listed<knhk_series_list_t, knhk_aggregates_free>(
            [&](auto **made, auto err) { return knhk_aggregates(of_, sector.c_str(), made, err); });
        std::vector<series> all;
        for (std::size_t n = 0; const knhk_series_t *at = knhk_aggregates_at(from.get(), n); n++)
            all.push_back({detail::text(at->key), detail::text(at->kind), detail::text(at->unit), at->window, at->total});
        return all;
    }
    std::vector<objective> objectives(const std::string &sector) const {
        auto from = detail::listed<knhk_objective_list_t, knhk_objectives_free>(
            [&](auto **made, auto err) { return knhk_objectives(of_, sector.c_str(), made, err); });
        std::vector<objective> all;
        for (std::size_t n = 0; const knhk_objective_t *at = knhk_objectives_at(from.get(), n); n++)
            all.push_back({at->state, detail::text(at->name), detail::text(at->kind), detail::text(at->aggregate), detail::text(at->parameter),
                           detail::text(at->bound), at->window_s, at->limit, at->value, at->burn, at->figures});
        return all;
    }
    // Waits until everything appended before is durable under a receipt.
    void flush() {
        detail::called([&](auto err) { return knhk_observations_flush(of_, err); }).value();
    }
    knhk_observe_stats_t stats() const {
        auto stats = detail::sized<knhk_observe_stats_t>();
        return detail::called([&](auto err) { return knhk_observe_stats(of_, &stats, err); }, [&] { return stats; }).value();
    }

    // In order, from a number on; `sector`: "" for all; `limit`: 0 for 1,000.
    std::vector<segment> segments(const std::string &sector = {}, std::uint64_t from = 0, std::uint64_t limit = 0) const {
        auto list = detail::listed<knhk_segment_list_t, knhk_segments_free>(
            [&](auto **made, auto err) { return knhk_segments(of_, detail::given(sector), from, limit, made, err); });
        std::vector<segment> all;
        for (std::size_t n = 0; const knhk_segment_t *at = knhk_segments_at(list.get(), n); n++) {
            all.push_back({at->number, detail::text(at->sector), at->first_ns, at->last_ns, at->count, std::nullopt, {}});
            if (at->receipt != UINT64_MAX) all.back().receipt = at->receipt;
            std::memcpy(all.back().root.data(), at->root, sizeof at->root);
        }
        return all;
    }
    observation_proof prove(std::uint64_t segment, std::uint64_t index) const {
        knhk_buffer_t *record = nullptr, *proof = nullptr;
        detail::called([&](auto err) { return knhk_prove_observation(of_, segment, index, &record, &proof, err); }).value();
        detail::handle<knhk_buffer_t, knhk_buffer_free> one(record), other(proof);
        return {{knhk_buffer_data(record), knhk_buffer_len(record)}, {knhk_buffer_data(proof), knhk_buffer_len(proof)}};
    }
    // Throws, or says in the result, KNHK_UNPROVEN where the proof does not show it.
    result<void> verify(std::nothrow_t, const observation_proof &of) const {
        auto at = [](const std::string &data) { return reinterpret_cast<const std::uint8_t *>(data.data()); };
        return detail::called([&](auto err) {
            return knhk_verify_observation(of_, at(of.record), of.record.size(), at(of.proof), of.proof.size(), err);
        });
    }
    void verify(const observation_proof &of) const { verify(std::nothrow, of).value(); }

private:
    knhk_engine_t *of_;
};

} // namespace knhk

#endif // KNHK_OBSERVED_HPP
