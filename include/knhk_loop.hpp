// The closed loop for C++17: the engine proposes changes of the program's limits from what the program observes. Included by knhk_governance.hpp.
//
//     knhk::loop loop(eng);
//     loop.add_proposer("halve", [](std::string_view question) -> std::optional<std::string> {
//         return R"({"changes": [{"path": "concurrency", "value": 32}], "why": "half of it", "confidence": 0.9})";
//     });
//     loop.start(R"({"sectors": ["gateway"], "proposers": ["rule", "halve"]})");
//     std::string cycles = loop.cycles();
//
// Requests and answers are the JSON of docs/loop.md. What a proposer or a detector throws is why it could not; the cycle says it.
#ifndef KNHK_LOOP_HPP
#define KNHK_LOOP_HPP

#include <stdexcept>

#include "knhk_governance.hpp"

namespace knhk {

// The closed loop of an engine. It refers to the engine, which must stay. Any thread.
class loop {
public:
    // Answers a question with a plan, or with none.
    using proposer = std::function<std::optional<std::string>(std::string_view question)>;
    // Judges one sample after another; none while there were too few to judge by.
    using detector = std::function<std::optional<knhk_score_t>(const knhk_sample_t &sample)>;
    // Makes a detector for a sector's watch.
    using detector_maker = std::function<detector(std::string_view sector, std::string_view watch)>;
    // Hears of a phase. What it throws is lost.
    using hook = std::function<void(std::string_view info)>;

    explicit loop(engine &of) noexcept : of_(of.raw()) {}

    std::string start(const std::string &settings = "{}") { return asked(knhk_loop_start, settings); }
    std::string stop() { return asked(knhk_loop_stop, "{}"); }
    // Takes one turn now.
    std::string step() { return asked(knhk_loop_step, "{}"); }
    std::string status() const { return asked(knhk_loop_status, "{}"); }
    std::string patterns(const std::string &request = "{}") const { return asked(knhk_patterns, request); }
    std::string cycles(const std::string &request = "{}") const { return asked(knhk_cycles, request); }
    std::string cycle(const std::string &request) const { return asked(knhk_cycle, request); }
    std::string replay(const std::string &request) const { return asked(knhk_replay, request); }
    std::string knowledge(const std::string &request = "{}") const { return asked(knhk_knowledge, request); }
    std::string export_knowledge() const { return asked(knhk_export_knowledge, "{}"); }
    std::string import_knowledge(const std::string &request) { return asked(knhk_import_knowledge, request); }

    void add_proposer(const std::string &name, proposer answers) {
        auto table = detail::sized<knhk_proposer_t>();
        table.ctx = new proposer(std::move(answers));
        table.propose = [](void *ctx, const char *question, std::size_t len, knhk_answer_t *answer, char *why, std::size_t why_size) noexcept -> std::int32_t {
            return told(why, why_size, [&] {
                auto plan = (*static_cast<proposer *>(ctx))({question, len});
                if (plan && knhk_answer_write(answer, plan->data(), plan->size()) != 0) throw std::length_error("the plan is too long");
            });
        };
        table.destroy = [](void *ctx) noexcept { delete static_cast<proposer *>(ctx); };
        detail::called([&](auto err) { return knhk_proposer_add(of_, name.c_str(), &table, err); }).value();
    }
    void remove_proposer(const std::string &name) {
        detail::called([&](auto err) { return knhk_proposer_remove(of_, name.c_str(), err); }).value();
    }

    void add_detector(const std::string &name, detector_maker makes) {
        auto table = detail::sized<knhk_detector_t>();
        table.ctx = new detector_maker(std::move(makes));
        table.begin = [](void *ctx, const char *sector, const char *watch) noexcept -> void * {
            auto made = std::unique_ptr<at_work>(new (std::nothrow) at_work);
            if (made) {
                char why[sizeof made->why] = "";
                told(why, sizeof why - 1, [&] { made->judges = (*static_cast<detector_maker *>(ctx))(sector, watch); });
                std::memcpy(made->why, why, sizeof why);
            }
            return made.release();
        };
        table.observe = [](void *, void *state, const knhk_sample_t *sample, knhk_score_t *score, char *why, std::size_t why_size) noexcept -> std::int32_t {
            auto *at = static_cast<at_work *>(state);
            return told(why, why_size, [&] {
                if (!at) throw std::bad_alloc();
                if (!at->judges) throw std::runtime_error(at->why[0] ? at->why : "no detector was made");
                if (auto says = at->judges(*sample)) *score = *says;
            });
        };
        table.end = [](void *, void *state) noexcept { delete static_cast<at_work *>(state); };
        table.destroy = [](void *ctx) noexcept { delete static_cast<detector_maker *>(ctx); };
        detail::called([&](auto err) { return knhk_detector_add(of_, name.c_str(), &table, err); }).value();
    }
    void remove_detector(const std::string &name) {
        detail::called([&](auto err) { return knhk_detector_remove(of_, name.c_str(), err); }).value();
    }

    // Hears before a phase; `phase` is a KNHK_PHASE_ constant. Returns what remove_hook takes.
    std::uint64_t before(std::uint32_t phase, hook hears) { return add_hook(phase, 0, std::move(hears)); }
    std::uint64_t after(std::uint32_t phase, hook hears) { return add_hook(phase, 1, std::move(hears)); }
    void remove_hook(std::uint64_t id) {
        detail::called([&](auto err) { return knhk_hook_remove(of_, id, err); }).value();
    }

private:
    // A detector, or why there is none.
    struct at_work {
        detector judges;
        char why[256] = "";
    };

    template <class Verb> std::string asked(Verb verb, const std::string &request) const {
        return detail::answered([&](auto **answer, auto err) { return verb(of_, request.c_str(), answer, err); });
    }
    std::uint64_t add_hook(std::uint32_t phase, std::uint32_t after, hook hears) {
        auto table = detail::sized<knhk_hook_t>();
        table.phase = phase, table.after = after;
        table.ctx = new hook(std::move(hears));
        table.run = [](void *ctx, const char *info, std::size_t len) noexcept {
            char why[1];
            told(why, 0, [&] { (*static_cast<hook *>(ctx))({info, len}); });
        };
        table.destroy = [](void *ctx) noexcept { delete static_cast<hook *>(ctx); };
        std::uint64_t id = 0;
        return detail::called([&](auto err) { return knhk_hook_add(of_, &table, &id, err); }, [&] { return id; }).value();
    }
    template <class Call> static std::int32_t told(char *why, std::size_t why_size, Call call) noexcept {
        try {
            call();
            return 0;
        } catch (const std::exception &failed) {
            if (why_size) std::strncpy(why, failed.what(), why_size);
        } catch (...) {
        }
        return 1;
    }
    knhk_engine_t *of_;
};

} // namespace knhk

#endif // KNHK_LOOP_HPP
