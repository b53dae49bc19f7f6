// Every call to the disk fails in turn, once or for good. Whatever the log answered must be the
// truth: success is readable, now and after a restart; a refusal is not; outcome_unknown may be
// either.
#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/segment_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Fault = MemoryFileSystem::Fault;

struct Ledger {
    std::set<std::string> acked;
    std::set<std::string> refused;
    std::set<std::string> unknown;
    std::set<Errc> codes;
};

void configure_faults(LogTestBed& bed) {
    bed.options.segment_bytes = 24 * 1024;
    bed.options.tail_bytes = 2 * 1024;
    bed.options.reserve_bytes = 16 * 1024;
}

void publish(LogTestBed& bed, Ledger& ledger, int steps, const std::string& prefix) {
    for (int step = 0; step < steps; ++step) {
        std::string data = prefix + std::to_string(step) + std::string(1200, 'x');
        auto answer = bed.append({{.data = data, .id = prefix + std::to_string(step)}});
        if (answer) {
            ledger.acked.insert(data);
        } else {
            ledger.codes.insert(answer.error().code);
            bool unknown = answer.error().code == Errc::outcome_unknown;
            (unknown ? ledger.unknown : ledger.refused).insert(data);
        }
        if (step % 5 == 4) {
            bed.idle();
        }
    }
}

std::string check(LogTestBed& bed, const Ledger& ledger) {
    auto entries = bed.read_all();
    if (!entries) {
        return "cannot read: " + entries.error().detail;
    }
    std::set<std::string> found;
    for (const LogEntry& entry : *entries) {
        if (!std::holds_alternative<StoredEvent>(entry)) {
            return text_of(entry);
        }
        std::string text = text_of(entry);
        if (!found.insert(text).second) {
            return "twice: " + text.substr(0, 20);
        }
        if (ledger.refused.contains(text)) {
            return "refused, but stored: " + text.substr(0, 20);
        }
        if (!ledger.acked.contains(text) && !ledger.unknown.contains(text)) {
            return "invented: " + text.substr(0, 20);
        }
    }
    for (const std::string& text : ledger.acked) {
        if (!found.contains(text)) {
            return "lost: " + text.substr(0, 20);
        }
    }
    return {};
}

constexpr int kFaultSteps = 26;

std::uint64_t calls_without_faults() {
    LogTestBed bed;
    configure_faults(bed);
    EXPECT_TRUE(bed.open());
    Ledger ledger;
    publish(bed, ledger, kFaultSteps, "a");
    EXPECT_EQ(ledger.acked.size(), static_cast<std::size_t>(kFaultSteps));
    return bed.files.changes();
}

std::string survive_fault(MemoryFileSystem::FaultPlan plan, Ledger& ledger) {
    LogTestBed bed;
    configure_faults(bed);
    bed.files.plan(plan);
    if (bed.open()) {
        publish(bed, ledger, kFaultSteps, "a");
        if (auto wrong = check(bed, ledger); !wrong.empty()) {
            return "running: " + wrong;
        }
    }
    bed.files.clear_faults();
    bed.crash(plan.call);
    if (auto opened = bed.open(); !opened) {
        return "refused: " + opened.error().detail;
    }
    if (auto wrong = check(bed, ledger); !wrong.empty()) {
        return "restarted: " + wrong;
    }
    Ledger second = ledger;
    publish(bed, second, 5, "b");
    if (second.acked.size() != ledger.acked.size() + 5) {
        return "a healthy disk does not take events";
    }
    return check(bed, second);
}

// Fails every call in turn; what the log answered.
std::set<Errc> fail_every_call(Fault fault) {
    std::uint64_t calls = calls_without_faults();
    std::set<Errc> codes;
    std::size_t acked = 0;
    for (std::uint64_t call = 1; call <= calls; ++call) {
        for (bool sticky : {false, true}) {
            Ledger ledger;
            auto wrong = survive_fault({.call = call, .fault = fault, .sticky = sticky}, ledger);
            EXPECT_EQ(wrong, "") << "call " << call << (sticky ? ", sticky" : ", once");
            if (!wrong.empty()) {
                return codes;
            }
            codes.insert(ledger.codes.begin(), ledger.codes.end());
            acked += ledger.acked.size();
        }
    }
    EXPECT_GT(acked, calls);
    return codes;
}

TEST(LogFaults, AnswersStayTrueWhateverCallFails) {
    auto codes = fail_every_call(Fault::io_error);
    EXPECT_TRUE(codes.contains(Errc::outcome_unknown));
    EXPECT_TRUE(codes.contains(Errc::read_only));
}

TEST(LogFaults, AnswersStayTrueWhateverCallFailsHalfway) {
    auto codes = fail_every_call(Fault::torn_error);
    EXPECT_TRUE(codes.contains(Errc::outcome_unknown));
}

TEST(LogFaults, AnswersStayTrueWhereverSpaceEnds) {
    EXPECT_TRUE(fail_every_call(Fault::no_space).contains(Errc::disk_full));
}

TEST(LogFaults, ShortWritesAndSignalsDoNotShow) {
    EXPECT_TRUE(fail_every_call(Fault::short_write).empty());
    EXPECT_TRUE(fail_every_call(Fault::interrupted).empty());
}

// Trims twice while the disk fails as planned, restarts after a kill (no seed) or a power cut, and
// looks for a hole. `plan.call` counts from the first trim on.
std::string survive_trims(MemoryFileSystem::FaultPlan plan, std::optional<std::uint64_t> seed) {
    LogTestBed bed;
    configure_faults(bed);
    Ledger ledger;
    if (!bed.open()) {
        return "cannot open";
    }
    publish(bed, ledger, 3 * kFaultSteps, "a");
    const std::vector<SegmentInfo> segments = bed.log->segments();
    if (segments.size() < 6) {
        return "too few segments";
    }
    const Offset next = bed.log->next_offset();
    plan.call += bed.files.changes();
    bed.files.plan(plan);
    (void)bed.trim(segments[2].first);
    const bool trimmed = bed.trim(segments[4].first).has_value();
    bed.files.clear_faults();
    seed ? bed.crash(*seed) : bed.kill();
    if (auto opened = bed.open(); !opened) {
        return "refused: " + opened.error().detail;
    }
    if (bed.log->first_offset() > segments[4].first || bed.log->next_offset() != next) {
        return "lost more than was trimmed";
    }
    if (trimmed && bed.log->first_offset() != segments[4].first) {
        return "a trim that succeeded left something";
    }
    auto entries = bed.read_all();
    if (!entries || entries->size() != next - bed.log->first_offset()) {
        return "not every event can be read";
    }
    // A healthy disk lets go of the rest.
    if (!bed.trim(segments[4].first) || bed.log->first_offset() != segments[4].first) {
        return "cannot trim after the restart";
    }
    const auto names = bed.files_in_log();
    const auto left = std::ranges::count_if(names, [&](const std::string& name) {
        auto base = parse_segment_file_name(name, kSegmentSuffix);
        auto summary = parse_segment_file_name(name, kSummarySuffix);
        return base.or_else([&] { return summary; }).value_or(next) < segments[4].first;
    });
    return left == 0 ? "" : "files of trimmed segments are left";
}

TEST(LogFaults, TrimLeavesNoHoleWhateverCallFails) {
    constexpr std::uint64_t kCallsOfTrims = 4 * 3;  // two removals and a sync for each segment
    for (std::uint64_t call = 1; call <= kCallsOfTrims; ++call) {
        for (bool sticky : {false, true}) {
            SCOPED_TRACE(std::to_string(call) + (sticky ? ", sticky" : ", once"));
            ASSERT_EQ(survive_trims({.call = call, .sticky = sticky}, std::nullopt), "");
            for (std::uint64_t seed = 0; seed < 4; ++seed) {
                ASSERT_EQ(survive_trims({.call = call, .sticky = sticky}, seed), "") << seed;
            }
        }
    }
}

TEST(LogFaults, FailedSyncIsUnknownThenReadOnlyUntilRestart) {
    LogTestBed bed;
    ASSERT_TRUE(bed.open());
    bed.settle();
    ASSERT_TRUE(bed.append({{.data = "durable"}}));
    bed.files.plan({.call = bed.files.changes() + 1, .fault = Fault::torn_error});
    auto first = bed.start_append({{.data = "unknown", .id = "u"}});
    bed.settle();
    ASSERT_TRUE(first->done);
    EXPECT_EQ(first->result.error().code, Errc::outcome_unknown);
    // Once is for good: the disk works again, the log does not trust it.
    auto second = bed.append({{.data = "later"}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::read_only);
    EXPECT_TRUE(bed.log->status().read_only);
    EXPECT_THAT(bed.log->status().reason, HasSubstr("Input/output error"));
    EXPECT_EQ(bed.log->next_offset(), Offset{1}) << "nobody sees what may vanish";
    EXPECT_THAT(texts_of(bed.read_all().value()), ElementsAre("durable"));

    bed.kill();  // the page cache has the batch: it is proven now, and synced
    ASSERT_TRUE(bed.open());
    EXPECT_THAT(texts_of(bed.read_all().value()), ElementsAre("durable", "unknown"));
    auto again = bed.append({{.data = "unknown", .id = "u"}});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->at(0).duplicate) << "sent again with the same id, it is stored once";
}

TEST(LogFaults, WhatARestartServesIsOnDiskBeforeItIsServed) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        LogTestBed bed;
        ASSERT_TRUE(bed.open());
        bed.settle();
        bed.files.plan({.call = bed.files.changes() + 1, .fault = Fault::torn_error});
        ASSERT_FALSE(bed.append({{.data = std::string(3'000, 'x')}}));
        bed.kill();  // written, never synced
        ASSERT_TRUE(bed.open());
        ASSERT_EQ(bed.log->next_offset(), Offset{1});
        bed.crash(seed);
        ASSERT_TRUE(bed.open());
        ASSERT_EQ(bed.log->next_offset(), Offset{1}) << "seed " << seed;
    }
}

TEST(LogFaults, EventsGatheredBehindAFailedCommitAreReadOnlyNotUnknown) {
    LogTestBed bed;
    bed.options.slow_commit = std::chrono::microseconds(0);
    ASSERT_TRUE(bed.open());
    bed.settle();
    bed.files.on_sync([&] { bed.clock.advance(std::chrono::milliseconds(10)); });
    ASSERT_TRUE(bed.append({{.data = "slow"}}));
    ASSERT_TRUE(bed.log->status().on_log_thread);
    auto first = bed.start_append({{.data = "first"}});
    bed.log->end_turn();  // on its way
    auto second = bed.start_append({{.data = "second"}});
    bed.files.plan({.call = bed.files.changes() + 1, .fault = Fault::io_error});
    bed.settle();
    EXPECT_EQ(first->result.error().code, Errc::outcome_unknown);
    EXPECT_EQ(second->result.error().code, Errc::read_only);
}

void open_with_reserve(LogTestBed& bed) {
    bed.options.reserve_bytes = 64 * 1024;
    ASSERT_TRUE(bed.open());
    bed.settle();
    ASSERT_TRUE(bed.files.exists("data/log/reserve"));
}

// Every byte of the disk is taken from now on.
void fill_up(LogTestBed& bed) {
    const FileSystem::Space space = bed.files.space("data/log").value();
    bed.files.set_capacity(space.total_bytes - space.free_bytes);
}

TEST(LogFaults, AFullDiskThatOthersMetLetsGoOfTheReserveForThem) {
    LogTestBed bed;
    open_with_reserve(bed);
    fill_up(bed);
    bed.log->disk_is_full("state.db");
    bed.settle();
    EXPECT_FALSE(bed.files.exists("data/log/reserve"));
    EXPECT_EQ(bed.files.space("data/log").value().free_bytes, 64U * 1024);
    EXPECT_TRUE(bed.log->status().disk_full);
    EXPECT_EQ(bed.log->status().reason, "the disk is full: state.db");
    // What was let go is no room for events, however often the others ask.
    bed.clock.advance(std::chrono::seconds(5));
    bed.log->disk_is_full("state.db");
    bed.settle();
    EXPECT_EQ(bed.append({{.data = "refused"}}).error().code, Errc::disk_full);
    bed.files.set_capacity(1 << 30);
    bed.clock.advance(std::chrono::milliseconds(1'100));
    bed.settle();
    EXPECT_FALSE(bed.log->status().disk_full);
    EXPECT_TRUE(bed.append({{.data = "taken"}}));
    EXPECT_TRUE(bed.files.exists("data/log/reserve"));
    bed.kill();
}

TEST(LogFaults, AFullDiskOfOthersIsNoneHereWhileThereIsRoom) {
    LogTestBed bed;
    open_with_reserve(bed);
    bed.log->disk_is_full("state.db lies on another disk");
    bed.settle();
    EXPECT_TRUE(bed.files.exists("data/log/reserve"));
    EXPECT_FALSE(bed.log->status().disk_full);
    EXPECT_TRUE(bed.append({{.data = "taken"}}));
    bed.kill();
}

TEST(LogFaults, AReadOnlyLogLetsGoOfTheReserveAndStaysReadOnly) {
    LogTestBed bed;
    open_with_reserve(bed);
    bed.files.plan({.call = bed.files.changes() + 1, .fault = Fault::io_error});
    EXPECT_FALSE(bed.append({{.data = "unknown"}}));
    ASSERT_TRUE(bed.log->status().read_only);
    const std::string reason = bed.log->status().reason;
    fill_up(bed);
    bed.log->disk_is_full("state.db");
    bed.settle();
    EXPECT_FALSE(bed.files.exists("data/log/reserve"));
    EXPECT_TRUE(bed.log->status().read_only);
    EXPECT_FALSE(bed.log->status().disk_full);
    EXPECT_EQ(bed.log->status().reason, reason);
    bed.kill();
}

TEST(LogFaults, FullDiskRefusesKeepsReadingAndResumesByItself) {
    LogTestBed bed;
    bed.options.segment_bytes = 64 * 1024;
    bed.files.set_capacity(400 * 1024);
    open_with_reserve(bed);
    std::vector<std::string> stored;
    Errc refusal = Errc::internal;
    for (int i = 0; i < 100; ++i) {
        std::string data = std::to_string(i) + std::string(6'000, 'x');
        auto answer = bed.append({{.data = data}});
        if (!answer) {
            refusal = answer.error().code;
            break;
        }
        stored.push_back(data);
    }
    EXPECT_EQ(refusal, Errc::disk_full);
    EXPECT_TRUE(bed.log->status().disk_full);
    EXPECT_FALSE(bed.files.exists("data/log/reserve")) << "the reserve gives its room to others";
    EXPECT_EQ(texts_of(bed.read_all().value()), stored);
    // Its own room does not count as room.
    bed.clock.advance(std::chrono::seconds(5));
    bed.settle();
    EXPECT_TRUE(bed.log->status().disk_full);
    ASSERT_EQ(bed.append({{.data = "refused"}}).error().code, Errc::disk_full);

    ASSERT_TRUE(bed.trim(bed.log->segments().at(3).first));
    bed.clock.advance(std::chrono::milliseconds(1'100));
    bed.settle();
    EXPECT_FALSE(bed.log->status().disk_full);
    auto again = bed.append({{.data = "again"}});
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->at(0).offset, Offset{stored.size()});
    EXPECT_TRUE(bed.files.exists("data/log/reserve")) << "and takes it back";
    bed.kill();
    ASSERT_TRUE(bed.open());
    EXPECT_EQ(texts_of(bed.read_all().value()).back(), "again");
}

// A new segment could neither be made nor removed; what is left of it must not stand in the way.
TEST(LogFaults, HalfMadeSegmentIsWrittenOver) {
    LogTestBed bed;
    bed.options.segment_bytes = 32 * 1024;
    ASSERT_TRUE(bed.open());
    bed.settle();
    ASSERT_TRUE(bed.append({{.data = std::string(15'000, 'a')}}));
    // The directory cannot be synced, and the file not removed.
    bed.files.plan({.call = bed.files.changes() + 7, .fault = Fault::no_space, .sticky = true});
    auto refused = bed.append({{.data = std::string(15'000, 'b')}});
    ASSERT_EQ(refused.error().code, Errc::disk_full);
    ASSERT_TRUE(bed.files.exists("data/log/00000000000000000001.segment"));
    bed.files.clear_faults();
    bed.clock.advance(std::chrono::seconds(2));
    bed.settle();
    ASSERT_TRUE(bed.append({{.data = "small enough for the old segment"}}));
    ASSERT_TRUE(bed.append({{.data = "after"}}));
    for (int restart = 0; restart < 2; ++restart) {
        auto entries = bed.read_all();
        ASSERT_TRUE(entries);
        ASSERT_EQ(entries->size(), 3U);
        EXPECT_EQ(text_of(entries->back()), "after");
        EXPECT_EQ(bed.log->next_offset(), Offset{3});
        bed.kill();
        ASSERT_TRUE(bed.open());
    }
}

TEST(LogFaults, IdsOfRefusedEventsMayBeUsedAgain) {
    LogTestBed bed;
    bed.options.segment_bytes = 32 * 1024;
    ASSERT_TRUE(bed.open());
    bed.settle();
    bed.files.set_capacity(0);
    ASSERT_TRUE(bed.append({{.data = std::string(15'000, 'a'), .id = "first"}}));
    auto refused = bed.append({{.data = std::string(15'000, 'b'), .id = "second"}});
    ASSERT_FALSE(refused);
    ASSERT_EQ(refused.error().code, Errc::disk_full);
    bed.files.set_capacity(100 << 20);
    bed.clock.advance(std::chrono::seconds(2));
    bed.settle();
    auto stored = bed.append({{.data = "other content", .id = "second"}});
    ASSERT_TRUE(stored) << stored.error().detail;
    EXPECT_FALSE(stored->at(0).duplicate);
    EXPECT_EQ(stored->at(0).offset, Offset{1});
}

}  // namespace
}  // namespace belfry
