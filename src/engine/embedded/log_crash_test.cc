// The process dies, or the power is cut, at every call that changes the disk. The oracle lives
// outside: what was acknowledged must be there, unchanged, and nothing may be there that nobody
// sent.
#include "engine/embedded/log_test_bed.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace belfry {
namespace {

class Oracle {
 public:
    void attempt(const EventText& text) { attempted_.insert(text.data); }
    void acknowledge(Offset offset, const std::string& data) { acked_[offset] = data; }
    [[nodiscard]] std::size_t acked() const { return acked_.size(); }

    // What is wrong with the log; empty if nothing.
    std::string check(LogTestBed& bed, Offset trimmed = {}) {
        auto entries = bed.read_all();
        if (!entries) {
            return "cannot read: " + entries.error().detail;
        }
        Offset expected = bed.log->first_offset();
        std::map<Offset, std::string> found;
        for (const LogEntry& entry : *entries) {
            const auto* stored = std::get_if<StoredEvent>(&entry);
            if (stored == nullptr) {
                return text_of(entry);
            }
            if (stored->offset != expected) {
                return "hole at " + std::to_string(expected.value);
            }
            expected = expected.next();
            std::string data(stored->event.data.value_or(""));
            if (!attempted_.contains(data)) {
                return "invented: " + data.substr(0, 40);
            }
            found[stored->offset] = data;
        }
        for (const auto& [offset, data] : acked_) {
            auto at = found.find(offset);
            if (at == found.end() && offset < trimmed) {
                continue;
            }
            if (at == found.end()) {
                return "lost: offset " + std::to_string(offset.value);
            }
            if (at->second != data) {
                return "altered: offset " + std::to_string(offset.value);
            }
        }
        return {};
    }

 private:
    std::set<std::string> attempted_;
    std::map<Offset, std::string> acked_;
};

// Requests of many shapes over several segments, watermarks between them. Ends early once the disk
// is dead.
class Scenario {
 public:
    Scenario(LogTestBed& bed, Oracle& oracle, int trim_at = -1)
        : bed_(bed), oracle_(oracle), trim_at_(trim_at) {}
    // Events below may be gone.
    [[nodiscard]] Offset trimmed() const { return trimmed_; }

    void run(int steps) {
        for (int step = 0; step < steps && !bed_.files.dead(); ++step) {
            std::vector<std::shared_ptr<LogTestBed::Answer>> answers;
            std::vector<std::vector<EventText>> requests;
            for (int i = 0; i < 1 + step % 3; ++i) {  // requests of one turn share a batch
                requests.push_back(request(step));
                for (const EventText& text : requests.back()) {
                    oracle_.attempt(text);
                }
                answers.push_back(bed_.start_append(requests.back()));
            }
            bed_.settle();
            for (std::size_t i = 0; i < answers.size(); ++i) {
                if (answers[i]->done && answers[i]->result) {
                    for (std::size_t k = 0; k < requests[i].size(); ++k) {
                        oracle_.acknowledge(answers[i]->result->at(k).offset, requests[i][k].data);
                    }
                }
            }
            if (step % 4 == 3) {
                bed_.idle();
            }
            if (step == trim_at_) {
                trimmed_ = bed_.log->segments().back().first;
                (void)bed_.trim(trimmed_);
            }
        }
    }

 private:
    std::vector<EventText> request(int step) {
        std::vector<EventText> texts;
        for (int i = 0; i < 1 + step % 2; ++i) {
            std::string data = "event " + std::to_string(made_++) + " ";
            data.append(static_cast<std::size_t>(37 * step % 1500), 'x');
            EventText text{.data = std::move(data)};
            if (step % 2 == 0) {
                text.id = "id-" + std::to_string(made_);
            }
            texts.push_back(std::move(text));
        }
        return texts;
    }

    LogTestBed& bed_;
    Oracle& oracle_;
    const int trim_at_;
    Offset trimmed_;
    int made_ = 0;
};

constexpr int kCrashSteps = 36;

void configure_crashes(LogTestBed& bed) {
    bed.options.segment_bytes = 24 * 1024;
    bed.options.tail_bytes = 4 * 1024;
    bed.options.reserve_bytes = 16 * 1024;
}

// Runs until call `die_at`, lets `end` happen to the machine, and looks at what a restart finds.
template <typename End>
std::string survive_end(std::uint64_t die_at, End end, int trim_at = -1) {
    LogTestBed bed;
    configure_crashes(bed);
    Oracle oracle;
    Scenario scenario(bed, oracle, trim_at);
    bed.files.die_after(die_at);
    if (bed.open()) {
        scenario.run(kCrashSteps);
    }
    end(bed);
    if (auto opened = bed.open(); !opened) {
        return "refused: " + opened.error().detail;
    }
    bed.settle();
    if (auto wrong = oracle.check(bed, scenario.trimmed()); !wrong.empty()) {
        return wrong;
    }
    // Life goes on, and what was found stays.
    scenario.run(3);
    bed.kill();
    if (auto opened = bed.open(); !opened) {
        return "refused the second time: " + opened.error().detail;
    }
    return oracle.check(bed, scenario.trimmed());
}

std::uint64_t calls_of_crash_scenario() {
    LogTestBed bed;
    configure_crashes(bed);
    Oracle oracle;
    EXPECT_TRUE(bed.open());
    Scenario(bed, oracle).run(kCrashSteps);
    EXPECT_GE(bed.log->segments().size(), 3U);
    EXPECT_GT(oracle.acked(), 30U);
    return bed.files.changes();
}

TEST(LogCrash, KillAfterEveryCallLosesNothingAcknowledged) {
    std::uint64_t calls = calls_of_crash_scenario();
    ASSERT_GT(calls, 60U);
    for (std::uint64_t call = 0; call <= calls; ++call) {
        auto wrong = survive_end(call, [](LogTestBed& bed) { bed.kill(); });
        ASSERT_EQ(wrong, "") << "killed after call " << call;
    }
}

TEST(LogCrash, PowerCutAtEveryCallLosesNothingAcknowledged) {
    std::uint64_t calls = calls_of_crash_scenario();
    for (std::uint64_t call = 0; call <= calls; ++call) {
        for (std::uint64_t seed = 0; seed < 3; ++seed) {
            auto wrong = survive_end(call, [&](LogTestBed& bed) { bed.crash(call * 31 + seed); });
            ASSERT_EQ(wrong, "") << "power cut after call " << call << ", seed "
                                 << call * 31 + seed;
        }
    }
}

TEST(LogCrash, PowerCutDuringRecoveryLosesNothingAcknowledged) {
    std::uint64_t calls = calls_of_crash_scenario();
    for (std::uint64_t call = 0; call <= calls; call += 3) {
        for (std::uint64_t second = 1; second <= 4; ++second) {
            auto wrong = survive_end(call, [&](LogTestBed& bed) {
                bed.crash(call);
                bed.files.die_after(second);
                (void)bed.open();
                bed.settle();
                bed.crash(call + 1000);
            });
            ASSERT_EQ(wrong, "") << "cut after call " << call << " and again after " << second;
        }
    }
}

TEST(LogCrash, PowerCutDuringTrimLeavesNoHole) {
    std::uint64_t calls = calls_of_crash_scenario();
    for (std::uint64_t call = calls / 2; call <= calls + 10; ++call) {
        for (std::uint64_t seed = 0; seed < 2; ++seed) {
            auto wrong = survive_end(
                call, [&](LogTestBed& bed) { bed.crash(call * 31 + seed); }, kCrashSteps * 2 / 3
            );
            ASSERT_EQ(wrong, "") << "power cut after call " << call << ", seed "
                                 << call * 31 + seed;
        }
    }
}

// The control: with a disk that lies about syncs the same test must fail.
TEST(LogCrash, LyingDiskLosesAcknowledgedEvents) {
    int lost = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        LogTestBed bed;
        configure_crashes(bed);
        Oracle oracle;
        ASSERT_TRUE(bed.open());
        bed.files.set_sync_lies(true);
        Scenario(bed, oracle).run(kCrashSteps);
        ASSERT_GT(oracle.acked(), 30U);
        bed.crash(seed);
        bed.files.set_sync_lies(false);
        bool refused = !bed.open();
        lost += refused || !oracle.check(bed).empty() ? 1 : 0;
    }
    EXPECT_GT(lost, 8);
}

}  // namespace
}  // namespace belfry
