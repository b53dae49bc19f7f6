// A whole hub over the real log in one thread, on a disk, a clock and listeners that the seed owns:
// it publishes, subscribes from anywhere in the log, answers, fails, fails always of some events,
// fills the disk, drops segments, pauses, kills the process and cuts the power, and compares what
// is left with what was promised. BELFRY_SIMULATION_SEEDS=N runs N seeds,
// BELFRY_SIMULATION_SEED=S just that one.
#include "base/logging.h"
#include "base/manual_clock.h"
#include "base/memory_file_system.h"
#include "base/seeded_rng.h"
#include "catalog/catalog.h"
#include "engine/embedded/embedded_log.h"
#include "engine/memory_kv.h"
#include "engine/memory_state.h"
#include "hub/hub.h"
#include "hub/recording_sink.h"
#include "hub/simulation_oracle.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class Simulation {
 public:
    explicit Simulation(std::uint64_t seed) : random_(seed), rng_(seed + 1), seed_(seed) {
        options_.directory = "/data";
        options_.segment_bytes = kSegmentBytesMin;
        options_.reserve_bytes = 64 * 1024;
        record_.clock = &clock_;
        start();
    }

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            step();
        }
        settle_everything();
        check();
    }

 private:
    std::uint64_t pick(std::uint64_t n) { return random_() % n; }
    bool chance(double probability) {
        return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
    }

    void start() {
        StateSnapshot snapshot = state_.load().value();
        options_.min_next_offset = snapshot.next_offset;
        Result<std::unique_ptr<EmbeddedLog>> log = EmbeddedLog::open(
            options_,
            EmbeddedLogPorts{
                .files = files_,
                .clock = clock_,
                .rng = rng_,
                .loop = loop_,
                .log_thread = log_thread_,
                .read_thread = read_thread_,
            }
        );
        if (!log) {
            FAIL() << "the log does not open: " << log.error().detail;
        }
        log_ = std::move(*log);
        catalog_ = std::make_unique<Catalog>(kv_, limits_);
        hub_ = std::make_unique<Hub>(
            HubPorts{
                .clock = clock_,
                .rng = rng_,
                .log = *log_,
                .state = state_,
                .catalog = *catalog_,
                .make_sink = [this](const Subscription& subscription
                             ) -> Result<std::unique_ptr<Sink>> {
                    const auto& webhook = std::get<WebhookSink>(subscription.sink);
                    return std::make_unique<CheckingSink>(*this, subscription, webhook.url);
                },
            },
            // Longer than the steps of the schedule, or shorter: then events probe early.
            HubOptions{
                .retention = retention(),
                .circuit = {.probe_interval = seed_ / 2 % 2 == 0 ? 20s : 1s}
            },
            limits_
        );
        bool ready = false;
        hub_->start([&](const Result<void>& started) { ready = started.has_value(); });
        for (int i = 0; i < 1000 && !ready; ++i) {
            run_tasks();
        }
        ASSERT_TRUE(ready);
    }

    // Every third seed has a short log.
    [[nodiscard]] bool is_short() const { return seed_ % 3 == 0; }
    [[nodiscard]] RetentionOptions retention() const {
        return is_short() ? RetentionOptions{.bytes = 2UL << 20, .hard_bytes = 4UL << 20}
                          : RetentionOptions{};
    }
    // Retention may have given up on what is below.
    [[nodiscard]] std::uint64_t retention_reaches() const {
        std::uint64_t bytes = log_->status().bytes;
        Offset reached = log_->first_offset();
        for (const SegmentInfo& segment : log_->segments()) {
            if (!is_short() || !segment.sealed || bytes <= retention().bytes) {
                break;
            }
            reached = segment.next;
            bytes -= segment.bytes;
        }
        return reached.value;
    }

    // Everything in memory is gone.
    void fall() {
        ++life_;
        hub_.reset();
        catalog_.reset();
        log_.reset();
        clock_.clear();
        loop_.clear();
        log_thread_.clear();
        read_thread_.clear();
        record_.waiting.clear();
        under_way_.clear();
        oracle_.forget_unanswered();
        state_.crash();
        kv_.crash();
        files_.clear_faults();
        files_.set_capacity(1ULL << 30U);
    }
    void crash(bool power_cut) {
        if (power_cut) {
            files_.crash(random_());
        } else {
            files_.kill();
        }
        fall();
        start();
    }

    void run_tasks() {
        loop_.run_all();
        log_->end_turn();
        log_thread_.run_all();
        read_thread_.run_all();
        loop_.run_all();
    }

    void step() {
        const std::uint64_t what = pick(20);
        if (what < 6) {
            publish();
        } else if (what < 10) {
            answer();
        } else if (what < 12) {
            loop_.run_one();
        } else if (what < 13) {
            log_->end_turn();
        } else if (what < 14) {
            log_thread_.run_one();
        } else if (what < 15) {
            read_thread_.run_one();
        } else if (what < 17) {
            clock_.advance(std::chrono::milliseconds(pick(chance(0.1) ? 30'000 : 100)));
        } else if (what < 18) {
            run_tasks();
        } else if (what < 19) {
            subscriptions();
        } else {
            trouble();
        }
    }

    void publish() {
        std::size_t count = chance(0.2) ? 1 + pick(20) : 1;
        std::vector<std::string> data;
        std::vector<std::string> keys;
        std::vector<std::string> types;
        for (std::size_t i = 0; i < count; ++i) {
            data.push_back(fmt::format("{}-{}", seed_, ++published_));
            if (chance(0.05)) {
                data.back() += std::string(pick(200'000), 'x');
            }
            keys.push_back(fmt::format("k{}", pick(4)));
            types.push_back(fmt::format("t{}", pick(3)));
        }
        std::vector<Event> events(count);
        for (std::size_t i = 0; i < count; ++i) {
            events[i].source = "/simulation";
            events[i].type = types[i];
            events[i].subject = keys[i];
            events[i].data = data[i];
            oracle_.attempted[data[i]] = {
                .type = types[i], .key = keys[i], .data = data[i], .at = clock_.wall()
            };
        }
        hub_->publish(publisher_, events, [this, data, life = life_](auto appended) {
            ASSERT_EQ(life, life_) << "an answer from before the crash";
            if (!appended) {
                Errc code = appended.error().code;
                EXPECT_TRUE(
                    code == Errc::disk_full || code == Errc::outcome_unknown ||
                    code == Errc::read_only || code == Errc::overloaded
                ) << appended.error().detail;
                return;
            }
            ASSERT_EQ(appended->size(), data.size());
            for (std::size_t i = 0; i < data.size(); ++i) {
                auto [at, fresh] = oracle_.acked.emplace((*appended)[i].offset.value, data[i]);
                EXPECT_TRUE(fresh) << "offset " << at->first << " was given twice";
            }
        });
    }

    void answer() {
        if (record_.waiting.empty()) {
            return;
        }
        std::size_t index = pick(record_.waiting.size());
        SinkRecord::Waiting waiting = std::move(record_.waiting[index]);
        record_.waiting.erase(record_.waiting.begin() + static_cast<std::ptrdiff_t>(index));
        const bool fails =
            oracle_.fails_always({waiting.seen.subscription, waiting.seen.offset.value});
        end_attempt(std::move(waiting), fails ? kDown : outcome());
    }
    static inline const Outcome kDown{
        .kind = Outcome::Kind::failed, .status = 500, .error = "down"
    };
    Outcome outcome() {
        if (healthy_ || chance(0.7)) {
            return Outcome{.kind = Outcome::Kind::settled, .status = 200};
        }
        if (chance(0.1)) {
            return Outcome{.kind = Outcome::Kind::rejected, .status = 400, .error = "no"};
        }
        if (chance(0.1)) {
            return Outcome{
                .kind = Outcome::Kind::wait, .status = 429, .error = "later", .retry_after = 3s
            };
        }
        Outcome outcome = kDown;
        outcome.kind = chance(0.2) ? Outcome::Kind::unclear : Outcome::Kind::failed;
        return outcome;
    }
    void end_attempt(SinkRecord::Waiting waiting, Outcome outcome) {
        std::pair event{waiting.seen.subscription, waiting.seen.offset.value};
        --under_way_[waiting.seen.subscription];
        switch (outcome.kind) {
            case Outcome::Kind::settled:
                oracle_.settled.insert(event);
                break;
            case Outcome::Kind::rejected:
                oracle_.rejected.insert(event);
                break;
            case Outcome::Kind::failed:
            case Outcome::Kind::unclear:
                ++oracle_.failures[event];
                break;
            case Outcome::Kind::wait:
            case Outcome::Kind::gone:
                break;
        }
        waiting.done(std::move(outcome));
    }

    // Checks what a listener may rely on at the moment an attempt begins.
    void begins(const Subscription& subscription, const Attempt& attempt) {
        const std::string key = subscription.key();
        std::uint64_t offset = attempt.event.offset.value;
        oracle_.keys[offset] = attempt.event.event.subject;
        const Oracle::Interest& interest = oracle_.interests.at(key);
        EXPECT_GE(offset, interest.from) << key << ": from before its start";
        EXPECT_FALSE(Oracle::is_too_old(interest, offset, attempt.event.recorded, life_))
            << key << ": event " << offset << " is older than its start";
        std::uint32_t under_way = ++under_way_[key];
        bool all = subscription.delivery.order == DeliveryPolicy::Order::all;
        if (!all && offset % kPoisonous == 0) {
            oracle_.poison.emplace(key, offset);
        }
        EXPECT_LE(under_way, all ? 1 : subscription.delivery.max_in_flight) << key;
        if (subscription.delivery.order == DeliveryPolicy::Order::none || !attempt.replay.empty()) {
            return;
        }
        oracle_.begins_in_order(key, offset, all, retention_reaches());
    }

    class CheckingSink final : public Sink {
     public:
        CheckingSink(
            Simulation& simulation, const Subscription& subscription, const std::string& url
        )
            : simulation_(simulation),
              subscription_(subscription),
              recording_(simulation.record_, subscription.key(), url) {}
        void attempt(Attempt attempt, AttemptDone done) override {
            simulation_.begins(subscription_, attempt);
            recording_.attempt(std::move(attempt), std::move(done));
        }
        [[nodiscard]] const std::string& endpoint() const override { return recording_.endpoint(); }

     private:
        Simulation& simulation_;
        Subscription subscription_;
        RecordingSink recording_;
    };

    void subscriptions() {
        if (created_ < 5 && chance(0.3)) {
            create();
        } else if (created_ > 0 && chance(0.1)) {
            std::string key = fmt::format("default/s{}", pick(created_));
            auto state = chance(0.5) ? SubscriptionState::paused : SubscriptionState::active;
            hub_->set_subscription_state(key, state, [](auto) {});
        } else if (chance(0.05)) {
            hub_->replay_dead_letters(publisher_, {}, [](auto) {});
        }
    }
    void create() {
        std::string name = fmt::format("s{}", created_);
        Subscription subscription{
            .name = name,
            .sink = WebhookSink{.url = fmt::format("http://127.0.0.1:1/{}", pick(3))},
            .start = start_of(oracle_.interests["default/" + name]),
            .delivery =
                {.order = static_cast<DeliveryPolicy::Order>(pick(3)),
                 .key = "subject",
                 .max_in_flight = static_cast<std::uint32_t>(1 + pick(8)),
                 .retry = std::vector<std::chrono::milliseconds>(Oracle::kRetries, 2s),
                 .max_unsettled = static_cast<std::uint32_t>(1 + pick(50))},
        };
        if (chance(0.5)) {
            subscription.filter.types.push_back(TypePattern{.text = fmt::format("t{}", pick(3))});
        }
        Oracle::Interest& interest = oracle_.interests["default/" + name];
        interest.filter = subscription.filter;
        hub_->create_subscription(subscription, [this, &interest](Result<Subscription> result) {
            if (!result) {
                return;
            }
            interest.answered = true;
            if (std::holds_alternative<StartNew>(result->start)) {
                interest.owed_from = log_->next_offset().value;
            }
        });
        run_tasks();
        run_tasks();
        ++created_;
    }

    // What it means is noted in `interest`.
    Start start_of(Oracle::Interest& interest) {
        const std::uint64_t first = log_->first_offset().value;
        const std::uint64_t next = log_->next_offset().value;
        interest.from = first;
        interest.owed_from = first;
        interest.life = life_;
        interest.end = next;
        switch (pick(5)) {
            case 0:
                interest.from = next;
                interest.owed_from = next;
                return StartNew{};
            case 1: {
                const std::uint64_t offset = pick(next + 3);
                interest.from = std::clamp(offset, first, next);
                interest.owed_from = interest.from;
                return Offset{offset};
            }
            case 2: {
                const auto lived = (clock_.wall() - began_).count();
                interest.since =
                    began_ + std::chrono::microseconds(pick(static_cast<std::uint64_t>(lived) + 1));
                return *interest.since;
            }
            default:
                return StartEarliest{};
        }
    }

    void trouble() {
        if (chance(0.15)) {
            crash(chance(0.5));
        } else if (chance(0.05)) {
            files_.set_capacity(chance(0.5) ? 1 : 1ULL << 30U);
        } else if (chance(0.02)) {
            files_.plan(
                {.call = files_.changes() + 1 + pick(20), .fault = MemoryFileSystem::Fault::io_error
                }
            );
        } else if (chance(0.02)) {
            state_.device().fail_writes(
                Error{.code = Errc::disk_full, .detail = "full"}, 1 + pick(3)
            );
        } else if (chance(0.1)) {
            files_.set_cached(chance(0.5));
        }
    }

    // Everybody is well again; what is owed is delivered.
    void settle_everything() {
        healthy_ = true;
        crash(chance(0.5));
        for (std::uint64_t i = 0; i < created_; ++i) {
            hub_->set_subscription_state(
                fmt::format("default/s{}", i), SubscriptionState::active, [](auto) {}
            );
        }
        for (int i = 0; i < 3'000; ++i) {
            for (int j = 0; j < 5; ++j) {
                run_tasks();
                while (!record_.waiting.empty()) {
                    answer();
                }
            }
            if (i > 5 && nothing_is_owed()) {
                return;
            }
            if (i == 1'000) {
                check_that_poison_holds_nobody_back();
                oracle_.poison_works = false;  // perhaps nothing is left to be tried in its place
            }
            clock_.advance(2s);
        }
    }
    // With an order, later events of its key may fill what a subscription may have unsettled.
    void check_that_poison_holds_nobody_back() {
        for (std::uint64_t i = 0; i < created_; ++i) {
            const std::string key = fmt::format("default/s{}", i);
            const Subscription* subscription = catalog_->find(key);
            if (subscription == nullptr ||
                subscription->delivery.order != DeliveryPolicy::Order::none) {
                continue;
            }
            const SubscriptionStatus status = hub_->subscription_status(key).value();
            EXPECT_TRUE(
                status.pending == 0 || status.retrying >= subscription->delivery.max_unsettled
            ) << key
              << ": " << describe(status);
        }
    }
    bool nothing_is_owed() {
        for (std::uint64_t i = 0; i < created_; ++i) {
            auto status = hub_->subscription_status(fmt::format("default/s{}", i));
            if (status && (status->pending > 0 || status->retrying > 0 || status->in_flight > 0)) {
                return false;
            }
        }
        return true;
    }

    void check() {
        std::map<std::uint64_t, StoredEvent> stored;
        Offset at = log_->first_offset();
        EXPECT_TRUE(is_short() || at == Offset{0});
        while (at < log_->next_offset()) {
            bool done = false;
            log_->read(at, ReadLimit{}, [&](Result<ReadResult> result) {
                done = true;
                ASSERT_TRUE(result.has_value()) << result.error().detail;
                for (LogEntry& entry : result->entries) {
                    auto* event = std::get_if<StoredEvent>(&entry);
                    ASSERT_NE(event, nullptr) << "a gap, though nothing was damaged";
                    ASSERT_EQ(event->offset, at) << "a hole";
                    at = at.next();
                    stored.emplace(event->offset.value, *event);
                }
            });
            run_tasks();
            ASSERT_TRUE(done);
        }
        oracle_.check_log(stored, log_->first_offset());
        check_deliveries(stored);
    }

    void check_deliveries(const std::map<std::uint64_t, StoredEvent>& stored) {
        const SimulatedDeadLetters dead =
            list_dead_letters(*hub_, publisher_, [this] { run_tasks(); });
        for (const auto& [event, expired] : dead.copies) {
            EXPECT_TRUE(expired ? is_short() : oracle_.is_done(event.first, event.second))
                << event.first << ": " << event.second << " was given up without reason";
        }
        EXPECT_TRUE(dead.ranges.empty() || is_short());
        auto check_one = [&](std::uint64_t offset, std::string_view type, WallTime recorded) {
            for (const auto& [key, interest] : oracle_.interests) {
                EXPECT_TRUE(
                    !Oracle::owes(interest, offset, type, recorded) ||
                    oracle_.settled.contains({key, offset}) || dead.has(key, offset)
                ) << key
                  << ": event " << offset << " is neither delivered nor a dead letter; "
                  << describe(hub_->subscription_status(key).value());
            }
        };
        for (const auto& [offset, event] : stored) {
            check_one(offset, event.event.type, event.recorded);
        }
        // What retention dropped.
        for (const auto& [offset, data] : oracle_.acked) {
            if (!stored.contains(offset)) {
                const Oracle::Published& published = oracle_.attempted.at(data);
                check_one(offset, published.type, published.at);
            }
        }
    }

    // Every so many events one fails of all subscriptions that can go on without it.
    static constexpr std::uint64_t kPoisonous = 29;

    std::mt19937_64 random_;
    SeededRng rng_;
    const std::uint64_t seed_;
    // The world.
    MemoryFileSystem files_{1ULL << 30U};
    ManualClock clock_;
    ManualExecutor loop_;
    ManualExecutor log_thread_;
    ManualExecutor read_thread_;
    MemoryState state_{loop_};
    MemoryKv kv_{loop_};
    SinkRecord record_;
    const Caller publisher_{.token_id = {}, .grant = std::make_shared<AllowAll>()};
    Limits limits_;
    EmbeddedLogOptions options_;
    Oracle oracle_;
    std::map<std::string, std::uint32_t> under_way_;
    const WallTime began_ = clock_.wall();
    std::uint64_t published_ = 0;
    std::uint64_t created_ = 0;
    std::uint64_t life_ = 0;
    bool healthy_ = false;
    // The hub.
    std::unique_ptr<EmbeddedLog> log_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<Hub> hub_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Seeds `first`, `first` + 2 … or the one that the environment names.
void run_every_second_seed(std::uint64_t first) {
    bool log = std::getenv("BELFRY_SIMULATION_LOG") != nullptr;
    set_up_logging(log ? LogLevel::info : LogLevel::off, LogFormat::text);
    std::uint64_t only = number_from_environment("BELFRY_SIMULATION_SEED", 0);
    std::uint64_t last = number_from_environment("BELFRY_SIMULATION_SEEDS", 10);
    for (std::uint64_t seed = first; seed <= std::max(last, only); seed += 2) {
        if (only != 0 && seed != only) {
            continue;
        }
        SCOPED_TRACE(fmt::format(
            "replay: BELFRY_SIMULATION_SEED={} hub_test --gtest_filter=Simulation.*", seed
        ));
        Simulation simulation(seed);
        simulation.run(3'000);
        if (testing::Test::HasFailure()) {
            return;
        }
    }
    set_up_logging(LogLevel::info, LogFormat::text);
}

// Two tests, so that two processors share the seeds.
TEST(Simulation, KeepsEveryPromiseUnderOddSeeds) {
    run_every_second_seed(1);
}

TEST(Simulation, KeepsEveryPromiseUnderEvenSeeds) {
    run_every_second_seed(2);
}

}  // namespace
}  // namespace belfry
