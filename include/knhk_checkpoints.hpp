// Checkpoints for C++17: the states of a program's components, kept so that it can go on from them. Included by knhk_resilience.hpp.
//
//     knhk::checkpoints kept(eng, "orders"); // in the engine's store; or knhk::checkpoints("./state", "orders")
//     kept.add("book", {[&](knhk::state_writer &to) { to.write(book.data(), book.size()); },
//                       [&](std::string_view from) { book.assign(from); }});
//     if (!kept.empty()) kept.restore();
//     kept.start(std::chrono::seconds(1)); // in the background; or kept.take()
#ifndef KNHK_CHECKPOINTS_HPP
#define KNHK_CHECKPOINTS_HPP

#include <array>
#include <chrono>
#include <stdexcept>

#include "knhk_resilience.hpp"

namespace knhk {

// Where a component writes its state, while it is being saved.
class state_writer {
public:
    explicit state_writer(knhk_state_writer_t *to) noexcept : to_(to) {}
    void write(const void *data, std::size_t size) {
        if (knhk_state_write(to_, data, size) != 0) throw std::length_error("the state has no room left");
    }
    void write(std::string_view text) { write(text.data(), text.size()); }

private:
    knhk_state_writer_t *to_;
};

// A component: what it throws is why it could not be saved or loaded. `freeze` and `thaw` may be left out.
struct component_state {
    std::function<void(state_writer &to)> save;
    std::function<void(std::string_view from)> load;
    std::function<void()> freeze = {}, thaw = {};
};

// A checkpoint that is kept.
struct kept_checkpoint {
    std::uint64_t number, bytes, time_ns;
    bool full, encrypted;
    std::string damage; // "" where there is none
};

// How they are taken and kept; zeros are the defaults of knhk_checkpoint_settings_t.
struct checkpoint_settings {
    std::uint32_t chain = 0, chains = 0;
    std::int32_t level = 0;
    std::uint64_t limit = 0;
    std::vector<std::array<std::uint8_t, 32>> keys = {}; // the first one encrypts, each decrypts
};

// Checkpoints under a name. Any thread; one at a time takes or restores.
class checkpoints {
public:
    using settings = checkpoint_settings;

    // In an engine's store, beside the receipts that they leave. The engine is closed after it was last used.
    checkpoints(engine &in, const std::string &name, const settings &with = {})
        : handle_(made(with, [&](auto *set, auto **to, auto err) { return knhk_checkpoints_open(in.raw(), name.c_str(), set, to, err); })) {}
    // In a folder of their own.
    checkpoints(const std::string &folder, const std::string &name, const settings &with = {})
        : handle_(made(with, [&](auto *set, auto **to, auto err) {
              return knhk_checkpoints_open_folder(nullptr, folder.c_str(), name.c_str(), set, to, err);
          })) {}
    checkpoints(const scope &tells, const std::string &folder, const std::string &name, const settings &with = {})
        : handle_(made(with, [&](auto *set, auto **to, auto err) {
              return knhk_checkpoints_open_folder(tells.raw(), folder.c_str(), name.c_str(), set, to, err);
          })) {}

    void add(const std::string &name, component_state component) {
        auto callback = detail::sized<knhk_component_callback_t>();
        if (component.freeze) callback.freeze = [](void *ctx) noexcept { of(ctx).freeze(); };
        if (component.thaw) callback.thaw = [](void *ctx) noexcept { of(ctx).thaw(); };
        callback.save = [](void *ctx, knhk_state_writer_t *to, char *why, std::size_t why_size) noexcept -> std::int32_t {
            state_writer writer(to);
            return told(why, why_size, [&] { of(ctx).save(writer); });
        };
        callback.load = [](void *ctx, const std::uint8_t *state, std::size_t len, char *why, std::size_t why_size) noexcept -> std::int32_t {
            return told(why, why_size, [&] { of(ctx).load({reinterpret_cast<const char *>(state), len}); });
        };
        callback.destroy = [](void *ctx) noexcept { delete static_cast<component_state *>(ctx); };
        callback.ctx = new component_state(std::move(component));
        detail::called([&](auto err) { return knhk_checkpoints_add(raw(), name.c_str(), &callback, err); }).value();
    }
    void remove(const std::string &name) {
        detail::called([&](auto err) { return knhk_checkpoints_remove(raw(), name.c_str(), err); }).value();
    }

    result<knhk_checkpoint_taken_t> take(std::nothrow_t, bool full = false) {
        auto taken = detail::sized<knhk_checkpoint_taken_t>();
        return detail::called([&](auto err) { return knhk_checkpoint_take(raw(), full, &taken, err); }, [&] { return taken; });
    }
    knhk_checkpoint_taken_t take(bool full = false) { return take(std::nothrow, full).value(); }
    // The newest that is whole.
    result<knhk_checkpoint_restored_t> restore(std::nothrow_t) {
        auto restored = detail::sized<knhk_checkpoint_restored_t>();
        return detail::called([&](auto err) { return knhk_checkpoint_restore(raw(), &restored, err); }, [&] { return restored; });
    }
    knhk_checkpoint_restored_t restore() { return restore(std::nothrow).value(); }
    // Oldest first; each is read and checked.
    std::vector<kept_checkpoint> kept() const {
        knhk_checkpoint_list_t *made = nullptr;
        detail::called([&](auto err) { return knhk_checkpoints_kept(raw(), &made, err); }).value();
        detail::handle<knhk_checkpoint_list_t, knhk_checkpoint_list_free> from(made);
        std::vector<kept_checkpoint> all;
        for (std::size_t n = 0; const knhk_checkpoint_t *at = knhk_checkpoint_list_at(made, n); n++)
            all.push_back({at->number, at->bytes, at->time_ns, at->full != 0, at->encrypted != 0, detail::text(at->damage)});
        return all;
    }
    bool empty() const { return kept().empty(); }
    // In the background until stop, for at most a share of the time.
    void start(std::chrono::nanoseconds interval, double share = 0.05) {
        auto ns = static_cast<std::uint64_t>(interval.count());
        detail::called([&](auto err) { return knhk_checkpoints_start(raw(), ns, share, err); }).value();
    }
    void stop() {
        detail::called([&](auto err) { return knhk_checkpoints_stop(raw(), err); }).value();
    }
    knhk_checkpoints_t *raw() const noexcept { return handle_.get(); }

private:
    static component_state &of(void *ctx) noexcept { return *static_cast<component_state *>(ctx); }
    template <class Call> static std::int32_t told(char *why, std::size_t why_size, Call call) noexcept {
        try {
            call();
            return 0;
        } catch (const std::exception &failed) {
            std::strncpy(why, failed.what(), why_size);
        } catch (...) {
        }
        return 1;
    }
    template <class Call> static knhk_checkpoints_t *made(const settings &with, Call call) {
        auto set = detail::sized<knhk_checkpoint_settings_t>();
        set.chain = with.chain, set.chains = with.chains, set.level = with.level, set.limit = with.limit;
        set.keys = with.keys.empty() ? nullptr : with.keys.front().data(), set.keys_len = with.keys.size();
        knhk_checkpoints_t *to = nullptr;
        return detail::called([&](auto err) { return call(&set, &to, err); }, [&] { return to; }).value();
    }
    detail::handle<knhk_checkpoints_t, knhk_checkpoints_free> handle_;
};

} // namespace knhk

#endif // KNHK_CHECKPOINTS_HPP
