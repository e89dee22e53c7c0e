// The component graph for C++17: parts of a program that start after what they need, and stop before it. Included by knhk_warm.hpp.
//
//     knhk::graph parts;
//     parts.add("store", {[&] { store.open(); }, {}, [&] { store.close(); }});
//     parts.add("engine", {[&] { engine.start(); }}, {"store"});
//     parts.start(std::chrono::seconds(10));
//     std::puts(parts.shutdown().text.c_str()); // who did not stop is named
#ifndef KNHK_GRAPH_HPP
#define KNHK_GRAPH_HPP

#include "knhk_warm.hpp"

namespace knhk {

// A component: what it throws is why it failed. What is left out has nothing to do.
struct component {
    std::function<void()> start = {}, drain = {}, stop = {};
    std::function<double()> health = {}; // from 0 to 1; one that throws has none
};

// How a component fared: see knhk_fared_t.
struct fared {
    std::string name;
    std::uint32_t outcome; // a KNHK_COMPONENT_ constant
    std::string why;
    std::chrono::nanoseconds took;
};

// How a start or a shutdown went.
struct graph_report {
    std::vector<fared> all; // in the order in which they were added
    std::string text;       // for people
    bool all_well() const noexcept { return std::all_of(all.begin(), all.end(), [](auto &each) { return each.outcome == KNHK_COMPONENT_DONE; }); }
    // Who did not return.
    std::vector<std::string> stuck() const {
        std::vector<std::string> names;
        for (const fared &each : all)
            if (each.outcome == KNHK_COMPONENT_STUCK) names.push_back(each.name);
        return names;
    }
};

// A component's health: see knhk_component_health_t.
struct component_health {
    std::string name;
    double own, effective;
    std::vector<std::string> because_of;
};

// Components that start after what they need, and stop before it. Any thread. What runs at its end is not stopped.
class graph {
public:
    graph() : handle_(made(nullptr)) {}
    explicit graph(const scope &clock) : handle_(made(clock.raw())) {}
    void add(const std::string &name, component of, const std::vector<std::string> &needs = {}) {
        std::vector<const char *> names;
        for (const std::string &need : needs) names.push_back(need.c_str());
        auto callback = detail::sized<knhk_graph_callback_t>();
        if (of.start) callback.start = [](void *ctx, char *why, std::size_t size) noexcept { return told(why, size, at(ctx).start); };
        if (of.drain) callback.drain = [](void *ctx, char *why, std::size_t size) noexcept { return told(why, size, at(ctx).drain); };
        if (of.stop) callback.stop = [](void *ctx, char *why, std::size_t size) noexcept { return told(why, size, at(ctx).stop); };
        if (of.health)
            callback.health = [](void *ctx) noexcept {
                try {
                    return at(ctx).health();
                } catch (...) {
                    return 0.0;
                }
            };
        callback.destroy = [](void *ctx) noexcept { delete &at(ctx); };
        callback.ctx = new component(std::move(of));
        detail::called([&](auto err) { return knhk_graph_add(raw(), name.c_str(), names.data(), names.size(), &callback, err); }).value();
    }
    // Throws where the dependencies would be a cycle, whose path is named.
    void depend(const std::string &name, const std::string &on) {
        detail::called([&](auto err) { return knhk_graph_depend(raw(), name.c_str(), on.c_str(), err); }).value();
    }
    // Starts what does not run, in order. Throws where one could not, and then all that were started are stopped again.
    graph_report start(std::chrono::nanoseconds patience = std::chrono::seconds(10)) {
        knhk_graph_report_t *to = nullptr;
        auto done = detail::called([&](auto err) { return knhk_graph_start(raw(), detail::patience(patience), &to, err); });
        graph_report how = taken(to);
        done.value();
        return how;
    }
    // Drains, then stops what runs, in order; ends when both times are over, and tells who did not.
    graph_report shutdown(std::chrono::nanoseconds drain = std::chrono::seconds(10), std::chrono::nanoseconds stop = std::chrono::seconds(5)) {
        knhk_graph_report_t *to = nullptr;
        auto done = detail::called([&](auto err) {
            return knhk_graph_shutdown(raw(), std::max<std::uint64_t>(detail::patience(drain), 1), std::max<std::uint64_t>(detail::patience(stop), 1), &to, err);
        });
        if (!to) done.value();
        return taken(to);
    }
    std::vector<component_health> health() const {
        knhk_component_health_list_t *to = nullptr;
        detail::called([&](auto err) { return knhk_graph_health(raw(), &to, err); }).value();
        detail::handle<knhk_component_health_list_t, knhk_component_health_list_free> from(to);
        std::vector<component_health> all;
        for (std::size_t n = 0; const knhk_component_health_t *each = knhk_component_health_list_at(to, n); n++)
            all.push_back({each->name, each->own, each->effective, {each->because_of, each->because_of + each->because_of_len}});
        return all;
    }
    knhk_graph_t *raw() const noexcept { return handle_.get(); }

private:
    static component &at(void *ctx) noexcept { return *static_cast<component *>(ctx); }
    static std::int32_t told(char *why, std::size_t size, const std::function<void()> &call) noexcept {
        try {
            call();
            return 0;
        } catch (const std::exception &failed) {
            std::strncpy(why, failed.what(), size);
        } catch (...) {
        }
        return 1;
    }
    static graph_report taken(knhk_graph_report_t *made) {
        detail::handle<knhk_graph_report_t, knhk_graph_report_free> from(made);
        graph_report how{{}, knhk_graph_report_text(made)};
        for (std::size_t n = 0; const knhk_fared_t *each = knhk_graph_report_at(made, n); n++)
            how.all.push_back({each->name, each->outcome, each->why, std::chrono::nanoseconds(each->took_ns)});
        return how;
    }
    static knhk_graph_t *made(const knhk_scope_t *clock) {
        knhk_graph_t *to = nullptr;
        return detail::called([&](auto err) { return knhk_graph_new(clock, &to, err); }, [&] { return to; }).value();
    }
    detail::handle<knhk_graph_t, knhk_graph_free> handle_;
};

} // namespace knhk

#endif // KNHK_GRAPH_HPP
