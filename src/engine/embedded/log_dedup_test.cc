// The dedup window as publishers see it.
#include "engine/embedded/log_test_bed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;

class LogDedupTest : public testing::Test {
 protected:
    void SetUp() override { open(); }
    void open() {
        auto opened = bed_.open();
        ASSERT_TRUE(opened) << opened.error().detail;
        bed_.settle();
    }
    std::vector<std::string> all() { return texts_of(bed_.read_all().value()); }
    // Commits run on the log thread, so one can be held in flight.
    void go_slow() {
        bed_.files.on_sync([this] { bed_.clock.advance(std::chrono::milliseconds(20)); });
        ASSERT_TRUE(bed_.append({{.data = "slow"}}));
        ASSERT_TRUE(bed_.log->status().on_log_thread);
    }
    LogTestBed bed_;
};

TEST_F(LogDedupTest, SameIdIsStoredOnce) {
    auto first = bed_.append({{.data = "a", .id = "1"}}).value();
    auto second = bed_.append({{.data = "a", .id = "1", .time = "2026-01-01T00:00:00Z"}}).value();
    EXPECT_TRUE(second[0].duplicate);
    EXPECT_EQ(second[0].offset, first[0].offset);
    EXPECT_EQ(second[0].uuid(), first[0].uuid());
    EXPECT_EQ(bed_.log->next_offset(), Offset{1});
    EXPECT_EQ(bed_.log->status().duplicates, 1U);
    // Another source or tenant is another event.
    EXPECT_FALSE(bed_.append({{.data = "a", .id = "1", .source = "/other"}}).value()[0].duplicate);
    EXPECT_FALSE(bed_.append({{.data = "a", .id = "1", .tenant = "other"}}).value()[0].duplicate);
}

TEST_F(LogDedupTest, SameIdWithOtherContentIsAConflictAndNothingIsStored) {
    ASSERT_TRUE(bed_.append({{.data = "a", .id = "1"}}));
    auto conflict =
        bed_.append({{.data = "new", .id = "2"}, {.data = "b", .id = "1"}, {.data = "c"}});
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().code, Errc::id_conflict);
    EXPECT_EQ(conflict.error().index, 1U);
    EXPECT_THAT(all(), ElementsAre("a"));
    auto retry = bed_.append({{.data = "other", .id = "2"}});
    ASSERT_TRUE(retry) << "the refused request left no id behind";
    EXPECT_EQ(retry->at(0).offset, Offset{1});
}

TEST_F(LogDedupTest, DuplicatesWithinOneRequest) {
    auto stored =
        bed_.append({{.data = "a", .id = "1"}, {.data = "b"}, {.data = "a", .id = "1"}}).value();
    EXPECT_EQ(stored[2].offset, Offset{0});
    EXPECT_TRUE(stored[2].duplicate);
    EXPECT_THAT(all(), ElementsAre("a", "b"));
    auto conflict = bed_.append({{.data = "x", .id = "2"}, {.data = "y", .id = "2"}});
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().index, 1U);
}

TEST_F(LogDedupTest, DuplicateOfAnEventInFlightWaitsForIt) {
    go_slow();
    auto first = bed_.start_append({{.data = "a", .id = "1"}});
    bed_.log->end_turn();  // in flight
    auto second = bed_.start_append({{.data = "a", .id = "1"}});
    bed_.log->end_turn();
    EXPECT_FALSE(second->done) << "nobody is told that it is stored before it is";
    bed_.settle();
    ASSERT_TRUE(second->done && second->result);
    EXPECT_TRUE(second->result->at(0).duplicate);
    EXPECT_EQ(second->result->at(0).offset, first->result->at(0).offset);
}

TEST_F(LogDedupTest, DuplicateOfAnEventThatFailsFailsToo) {
    go_slow();
    auto first = bed_.start_append({{.data = "a", .id = "1"}});
    bed_.log->end_turn();
    auto second = bed_.start_append({{.data = "a", .id = "1"}});
    bed_.files.plan({.call = bed_.files.changes() + 1, .fault = MemoryFileSystem::Fault::io_error});
    bed_.settle();
    EXPECT_EQ(first->result.error().code, Errc::outcome_unknown);
    EXPECT_EQ(second->result.error().code, Errc::outcome_unknown);
}

TEST_F(LogDedupTest, DuplicateOfAGatheredEventWaitsForIt) {
    auto first = bed_.start_append({{.data = "a", .id = "1"}});
    auto second = bed_.start_append({{.data = "a", .id = "1"}});
    EXPECT_FALSE(second->done);
    bed_.settle();
    EXPECT_EQ(second->result->at(0).offset, first->result->at(0).offset);
}

TEST_F(LogDedupTest, DedupSurvivesARestartAndEndsWithItsWindow) {
    for (int i = 0; i < 30; ++i) {  // over several segments
        ASSERT_TRUE(bed_.append({{.data = std::string(20'000, 'x'), .id = std::to_string(i)}}));
        bed_.clock.advance(std::chrono::seconds(1));
    }
    ASSERT_GE(bed_.log->segments().size(), 3U);
    bed_.kill();
    open();
    for (int i = 0; i < 30; ++i) {
        auto again = bed_.append({{.data = std::string(20'000, 'x'), .id = std::to_string(i)}});
        ASSERT_TRUE(again);
        ASSERT_TRUE(again->at(0).duplicate) << i;
        ASSERT_EQ(again->at(0).offset, Offset{static_cast<std::uint64_t>(i)});
    }
    bed_.clock.advance(std::chrono::minutes(10));
    bed_.settle();
    auto later = bed_.append({{.data = "new", .id = "0"}});
    ASSERT_TRUE(later);
    EXPECT_FALSE(later->at(0).duplicate);
}

TEST_F(LogDedupTest, LostDedupKeyIsMadeAnewAndTheWindowIsRebuilt) {
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(20'000, 'x'), .id = std::to_string(i)}}));
    }
    bed_.kill();
    bed_.files.flip("data/log/dedup.key", 12, 0x40);
    open();
    EXPECT_TRUE(bed_.append({{.data = std::string(20'000, 'x'), .id = "0"}})->at(0).duplicate);
    EXPECT_TRUE(bed_.append({{.data = std::string(20'000, 'x'), .id = "29"}})->at(0).duplicate);
}

TEST_F(LogDedupTest, WallClockSetBackDoesNotEndTheDedupWindow) {
    ASSERT_TRUE(bed_.append({{.data = "a", .id = "1"}}));
    bed_.clock.jump_wall(-std::chrono::hours(24));
    bed_.kill();
    open();
    EXPECT_TRUE(bed_.append({{.data = "a", .id = "1"}})->at(0).duplicate);
}

}  // namespace
}  // namespace belfry
