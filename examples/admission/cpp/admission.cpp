// Admission, in C++: see ../README.md for what it shows. One thread serves one connection.
#include <knhk.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "limits.hpp"
#include "net.hpp"
#include "report.hpp"

namespace admission {

using std::chrono::steady_clock;

inline constexpr std::size_t connections = 4, batch = 64, ring = 1 << 14;

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

class program {
  public:
    program(double seconds, bool json) : seconds_(seconds), json_(json), engine_(":memory:") {
        engine_.create_sector("orders");
        engine_.subscribe([this](const knhk_change_t &change) { heard(change); });
        take(plan_[0]);
        open_ = engine_.key<bool>("orders", "open");
        max_qty_ = engine_.key<std::int64_t>("orders", "max_qty");
        price_ = engine_.key<std::int64_t>("orders", "price");
        tenants_ = engine_.key<knhk::map>("orders", "tenants");
        tradable_ = engine_.key<knhk::class_type>("orders", "$classes/tradable");
        for (std::size_t n = 0; n < venues.size(); ++n)
            venues_[n] = engine_.key<knhk::class_type>("orders", "$classes/" + std::string(venues[n]));
    }

    // Runs everything; whether it is consistent.
    bool run() {
        std::uint16_t port = 0;
        socket_handle listener = socket_handle::listen(port);
        begun_ = steady_clock::now();
        auto auditor = std::async(std::launch::async, [this] { audit(); });
        auto operating = std::async(std::launch::async, [this] { operate(); });
        std::vector<std::future<tally>> clients, workers;
        for (std::size_t n = 0; n < connections; ++n)
            clients.push_back(std::async(std::launch::async, [this, port, n] { return send_orders(port, n); }));
        for (std::size_t n = 0; n < connections; ++n)
            workers.push_back(std::async(std::launch::async, [this, at = listener.accept()]() mutable { return serve(std::move(at)); }));
        summary told;
        for (auto &client : clients)
            told.sent += client.get();
        for (auto &worker : workers)
            told.served += worker.get();
        told.seconds = elapsed();
        operating.get();
        stop();
        auditor.get();

        std::unique_lock lock(eras_lock_);
        more_.wait_for(lock, std::chrono::seconds(5), [this] { return announced_ == eras_.size(); });
        auto stats = engine_.stats();
        told.eras = eras_;
        told.refusals = refusals_;
        told.unexpected = unexpected_;
        told.announced = announced_;
        told.drained = drained_;
        told.contradicted = contradicted_;
        told.dropped = stats.dropped;
        told.decision_ns = decision_ns_;
        told.connections = connections;
        return told.print(json_);
    }

  private:
    // The decision: what a program does with KNHK on its hot path.
    verdict decide(knhk::snapshot view, const order &asked) const {
        if (!view.get(open_, false))
            return closed;
        if (asked.venue >= venues.size() || !view.is_a(venues_[asked.venue], tradable_))
            return venue;
        if (asked.qty > view.get(max_qty_, 0))
            return quantity;
        if (asked.qty > view.get(view.lookup<std::int64_t>(tenants_, asked.tenant), INT64_MAX))
            return tenant;
        return view.guard(price_, asked.price) ? accepted : price;
    }

    std::uint64_t admit(knhk::reader &reader, const order &asked, tally &counts, verdict &said) {
        std::uint64_t acknowledged = acknowledged_.load(std::memory_order_acquire);
        auto view = reader.view();
        said = decide(view, asked);
        view.observe_at(now_ns(), max_qty_, asked.qty, said == accepted ? KNHK_SUCCESS : KNHK_REJECTED, 0, asked.detail(said));
        counts.stale += view.epoch() < acknowledged;
        ++counts.orders;
        ++counts.said[said];
        return view.epoch();
    }

    tally serve(socket_handle peer) {
        tally counts;
        knhk::reader_options options;
        options.ring_records = ring;
        knhk::reader reader(engine_, options);
        std::string answers;
        for (std::string_view line; peer.line(line);) {
            auto begun = steady_clock::now();
            order asked{};
            asked.id = 0;
            std::string_view rest = line;
            bool whole = number(word(rest), asked.id);
            asked.tenant = word(rest);
            asked.venue = index_of(venues, word(rest));
            whole = whole && number(word(rest), asked.qty) && number(rest, asked.price) && asked.qty >= 0 && asked.price >= 0;
            if (!whole)
                break;
            verdict said;
            std::uint64_t generation = admit(reader, asked, counts, said);
            counts.longest = std::max(counts.longest, steady_clock::now() - begun);
            answers += std::to_string(asked.id) + ' ' + std::string(verdicts[said]) + ' ' + std::to_string(generation) + '\n';
            if (!peer.pending()) { // whole batches go out at once
                if (!peer.send(answers))
                    break;
                answers.clear();
            }
        }
        return counts;
    }

    // Keeps a connection busy with batches of orders, and checks every answer.
    tally send_orders(std::uint16_t port, std::uint64_t seed) {
        tally counts;
        socket_handle server = socket_handle::connect(port);
        std::uint64_t random = 0x9e3779b97f4a7c15u * (seed + 1), newest = 0;
        while (elapsed() < seconds_) {
            std::string text;
            for (std::uint64_t id = counts.orders; id < counts.orders + batch; ++id) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                text += std::to_string(id) + ' ' + std::string(tenants[random % tenants.size()]) + ' ' +
                        std::string(venues[(random >> 8) % venues.size()]) + ' ' + std::to_string(1 + (random >> 16) % 1100) + ' ' +
                        std::to_string(9400 + (random >> 32) % 1200) + '\n';
            }
            counts.orders += batch;
            bool whole = server.send(text);
            for (std::string_view line; whole && counts.answered < counts.orders;) {
                std::uint64_t id = 0, generation = 0;
                whole = server.line(line) && number(word(line), id) && id == counts.answered;
                std::size_t said = index_of(verdicts, word(line));
                whole = whole && said < verdicts.size() && number(line, generation);
                if (!whole)
                    break;
                ++counts.answered;
                ++counts.said[said];
                counts.backwards += generation < newest;
                newest = generation;
            }
            if (!whole) {
                counts.lost = counts.orders - counts.answered;
                break;
            }
        }
        return counts;
    }

    void take(const step &step) {
        std::unique_lock lock(eras_lock_); // whoever meets an unknown generation waits for its entry
        era made{step.to, 0, 0, step.back_to, step.by, step.why, {}, now_ns(), 0};
        try {
            knhk_promotion_t done;
            if (step.back_to) {
                done = engine_.rollback("orders", step.back_to, {step.by, step.why});
                for (const era &old : eras_)
                    if (old.version == step.back_to)
                        made.to = old.to;
            } else {
                done = engine_.promote_json("orders", step.to.json(), {step.by, step.why});
            }
            made.returned_ns = now_ns();
            made.generation = done.epoch;
            made.version = done.version;
            eras_.push_back(made);
            unexpected_ += step.breaks_range;
            // From here on, every decision that begins must be on these limits or newer ones.
            acknowledged_.store(done.epoch, std::memory_order_release);
        } catch (const knhk::error &refusal) {
            refusals_.push_back(refusal.what());
            unexpected_ += !step.breaks_range;
            event(std::string("✗ refused: ") + refusal.what());
        }
    }

    // Works through the plan while orders are decided.
    void operate() {
        knhk::reader reader(engine_);
        for (std::size_t n = 1; n <= plan_.size(); ++n) {
            std::this_thread::sleep_until(begun_ + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(
                                                       seconds_ * static_cast<double>(n) / static_cast<double>(plan_.size() + 1))));
            measure(reader);
            if (n < plan_.size())
                take(plan_[n]);
        }
    }

    void measure(knhk::reader &reader) {
        constexpr int rounds = 20000;
        order asked{0, "acme", 0, 1, 10000};
        verdict volatile said = closed;
        auto begun = steady_clock::now();
        for (int n = 0; n < rounds; ++n)
            said = decide(reader.view(), asked);
        double ns = std::chrono::duration<double, std::nano>(steady_clock::now() - begun).count() / rounds;
        if (said == accepted) // only a decision that goes all the way says what they cost
            decision_ns_ = std::min(decision_ns_, ns);
    }

    // Called on the engine's warm thread.
    void heard(const knhk_change_t &change) {
        std::string differences;
        auto text = [](const char *value) { return std::string(value ? value : "nothing"); };
        for (std::size_t n = 0; n < change.differences_len; ++n) {
            const knhk_difference_t &one = change.differences[n];
            differences += (n ? ", " : "") + text(one.path) + " " + text(one.before) + " → " + text(one.after);
        }
        {
            std::lock_guard lock(eras_lock_);
            for (era &known : eras_)
                if (known.version == change.version)
                    known.change = change.version == 1 ? "the first limits" : differences;
            ++announced_;
        }
        more_.notify_all();
        if (change.version > 1)
            event("● " + std::string(change.summary));
    }

    // Takes the observations out of the rings and decides every order again, from the limits that were in force.
    void audit() {
        for (bool stopped = false; !stopped;) {
            {
                std::unique_lock lock(stop_lock_);
                // Appending rings no bell, by design: a monitor looks now and then, as often as its rings are long.
                stopped = stop_.wait_for(lock, std::chrono::milliseconds(2), [this] { return stopped_; });
            }
            for (auto seen = engine_.drain(4096); !seen.empty(); seen = engine_.drain(4096)) {
                std::lock_guard lock(eras_lock_);
                drained_ += seen.size();
                for (const auto &one : seen)
                    contradicted_ += !confirm(one);
            }
        }
    }

    bool confirm(const knhk_observation_t &seen) {
        for (auto known = eras_.rbegin(); known != eras_.rend(); ++known)
            if (known->generation <= seen.epoch) {
                if (!known->first_ns)
                    known->first_ns = seen.time_ns;
                ++known->decisions;
                return known->to.decide_again(seen.value.as_i64, seen.detail) == (seen.detail & 0xff);
            }
        return false;
    }

    void stop() {
        std::lock_guard lock(stop_lock_);
        stopped_ = true;
        stop_.notify_all();
    }

    double elapsed() const { return std::chrono::duration<double>(steady_clock::now() - begun_).count(); }

    void event(const std::string &text) const {
        if (!json_ && begun_ != steady_clock::time_point{}) {
            std::printf("  %4.1f s  %s\n", elapsed(), text.c_str());
            std::fflush(stdout);
        }
    }

    const double seconds_;
    const bool json_;
    const std::vector<step> plan_ = plan();
    steady_clock::time_point begun_{};
    std::atomic<std::uint64_t> acknowledged_{0}; // the newest generation whose promotion has returned

    std::mutex eras_lock_, stop_lock_;
    std::condition_variable more_, stop_;
    std::vector<era> eras_;
    std::vector<std::string> refusals_;
    std::uint64_t unexpected_ = 0, announced_ = 0, drained_ = 0, contradicted_ = 0;
    double decision_ns_ = 1e9;
    bool stopped_ = false;

    knhk::engine engine_;
    knhk::key<bool> open_;
    knhk::key<std::int64_t> max_qty_, price_;
    knhk::key<knhk::map> tenants_;
    knhk::key<knhk::class_type> tradable_;
    std::array<knhk::key<knhk::class_type>, venues.size()> venues_;
};

}  // namespace admission

int main(int argc, char **argv) {
    double seconds = 8;
    bool json = false;
    for (int n = 1; n < argc; ++n) {
        if (!std::strcmp(argv[n], "--json"))
            json = true;
        else if (!std::strcmp(argv[n], "--seconds") && n + 1 < argc)
            seconds = std::strtod(argv[++n], nullptr);
        else
            seconds = -1;
    }
    if (!(seconds >= 0.1 && seconds <= 3600)) {
        std::fprintf(stderr, "usage: %s [--seconds 0.1 … 3600] [--json]\n", argv[0]);
        return 2;
    }
    alarm(static_cast<unsigned>(seconds) + 30);  // whatever happens, this ends
    try {
        return admission::program(seconds, json).run() ? 0 : 1;
    } catch (const std::exception &wrong) {
        std::fprintf(stderr, "admission: %s\n", wrong.what());
        return 1;
    }
}
