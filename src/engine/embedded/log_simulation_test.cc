// Random work in random order: requests, turns, the other threads' tasks one at a time, time, slow
// disks, reads in between, kills and power cuts. What was acknowledged is there; what a reader saw
// once never vanishes. BELFRY_SIMULATION_SEEDS=N runs N seeds.
#include "engine/embedded/log_test_bed.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace belfry {
namespace {

class Simulation {
 public:
    explicit Simulation(std::uint64_t seed) : random_(seed) {
        constexpr std::array<std::uint64_t, 4> kSegments{32 << 10, 256 << 10, 2 << 20, 9 << 20};
        bed_.options.segment_bytes = kSegments[random_() % kSegments.size()];
        bed_.options.tail_bytes = random_() % 3 == 0 ? 1 : 256 << 10;
        bed_.options.reserve_bytes = random_() % 2 == 0 ? 0 : 100 << 10;
        largest_ = std::min<std::uint64_t>(bed_.options.segment_bytes / 4, 300 << 10);
        bed_.files.on_sync([this] { bed_.clock.advance(sync_takes_); });
    }

    void run(int rounds, int steps) {
        for (int round = 0; round < rounds; ++round) {
            auto opened = bed_.open();
            ASSERT_TRUE(opened) << opened.error().detail;
            bed_.log->on_durable([this](Offset first, Offset next) { see(first, next); });
            ASSERT_NO_FATAL_FAILURE(check());
            for (int i = 0; i < steps; ++i) {
                step();
            }
            ASSERT_EQ(failures_, 0);
            switch (random_() % 3) {
                case 0:
                    ASSERT_TRUE(bed_.stop());
                    bed_.kill();
                    break;
                case 1:
                    bed_.kill();
                    break;
                default:
                    bed_.crash(random_());
            }
        }
        ASSERT_TRUE(bed_.open());
        ASSERT_NO_FATAL_FAILURE(check());
        ASSERT_GT(acked_.size(), 50U);
    }

 private:
    void step() {
        switch (random_() % 12) {
            case 0:
            case 1:
            case 2:
            case 3:
                publish();
                break;
            case 4:
            case 5:
                bed_.log->end_turn();
                break;
            case 6:
            case 7:
                bed_.loop.run_one();
                break;
            case 8:
            case 9:
                bed_.log_thread.run_one();
                break;
            case 10:
                bed_.read_thread.run_one();
                read_something();
                break;
            default:
                bed_.clock.advance(std::chrono::microseconds(random_() % 30'000));
                sync_takes_ = std::chrono::microseconds(random_() % 4 == 0 ? 5'000 : 100);
        }
    }

    void publish() {
        std::vector<EventText> texts(1 + random_() % 3);
        for (EventText& text : texts) {
            text.data = std::to_string(sent_.size()) + ":" + std::string(random_() % largest_, 'x');
            text.type = "type-" + std::to_string(random_() % 4);
            if (random_() % 2 == 0) {
                text.id = "id-" + std::to_string(sent_.size());
            }
            sent_.insert(text.data);
        }
        if (random_() % 8 == 0 && !texts[0].id.empty()) {
            texts.push_back(texts[0]);  // the same again
        }
        std::vector<Event> events;
        for (const EventText& text : texts) {
            events.push_back(text.event());
        }
        bed_.log->append(events, [this, texts](Result<std::span<const Appended>> result) {
            for (std::size_t i = 0; result && i < texts.size(); ++i) {
                auto [known, fresh] = acked_.emplace((*result)[i].offset, texts[i].data);
                failures_ += known->second == texts[i].data ? 0 : 1;
            }
        });
    }

    void see(Offset first, Offset next) {
        auto tail = bed_.log->read_tail(first, {.events = 10'000, .bytes = 1 << 30});
        failures_ += tail && tail->next == next ? 0 : 1;
        seen_next_ = next;
    }

    void read_something() {
        Offset next = bed_.log->next_offset();
        if (next.value == 0) {
            return;
        }
        Offset from{random_() % next.value};
        bed_.log->read(from, {}, [this, from](Result<ReadResult> result) {
            failures_ += result && result->next > from ? 0 : 1;
            for (const LogEntry& entry : result ? result->entries : std::vector<LogEntry>()) {
                failures_ += right(entry) ? 0 : 1;
            }
        });
    }

    bool right(const LogEntry& entry) {
        const auto* stored = std::get_if<StoredEvent>(&entry);
        if (stored == nullptr) {
            return false;
        }
        auto acked = acked_.find(stored->offset);
        std::string text(stored->event.data.value_or(""));
        // Just before its receipt goes out an event can be read already.
        return acked == acked_.end() ? sent_.contains(text) : acked->second == text;
    }

    void check() {
        auto entries = bed_.read_all();
        ASSERT_TRUE(entries) << entries.error().detail;
        ASSERT_GE(bed_.log->next_offset(), seen_next_) << "what readers saw is gone";
        Offset expected = bed_.log->first_offset();
        for (const LogEntry& entry : *entries) {
            ASSERT_TRUE(right(entry)) << text_of(entry).substr(0, 40) << " at " << expected.value;
            ASSERT_EQ(std::get<StoredEvent>(entry).offset, expected);
            expected = expected.next();
        }
        ASSERT_TRUE(acked_.empty() || acked_.rbegin()->first < expected)
            << "acknowledged, but lost";
        for (const LogEntry& entry : *entries) {  // what a restart found stays
            const auto& stored = std::get<StoredEvent>(entry);
            acked_.emplace(stored.offset, std::string(*stored.event.data));
        }
        seen_next_ = expected;
        ListQuery query{.type = TypePattern{"type-", true}, .limit = 1'000};
        std::size_t listed = 0;
        for (bool more = true; more; more = query.after.has_value()) {
            auto page = bed_.list(query);
            ASSERT_TRUE(page);
            listed += page->events.size();
            query.after = page->next;
        }
        ASSERT_EQ(listed, entries->size());
    }

    std::mt19937_64 random_;
    LogTestBed bed_;
    std::uint64_t largest_ = 0;
    Duration sync_takes_ = std::chrono::microseconds(100);
    std::set<std::string> sent_;
    std::map<Offset, std::string> acked_;
    Offset seen_next_;
    int failures_ = 0;
};

TEST(LogSimulation, RandomWorkKeepsEveryPromise) {
    const char* seeds = std::getenv("BELFRY_SIMULATION_SEEDS");
    const std::uint64_t last = seeds == nullptr ? 8 : std::strtoull(seeds, nullptr, 10);
    for (std::uint64_t seed = 1; seed <= last; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(Simulation(seed).run(4, 120));
    }
}

}  // namespace
}  // namespace belfry
