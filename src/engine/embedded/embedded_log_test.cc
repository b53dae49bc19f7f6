#include "engine/embedded/embedded_log.h"

#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/segment_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Call = MemoryFileSystem::Call;

class EmbeddedLogTest : public testing::Test {
 protected:
    void SetUp() override { open(); }
    void open() {
        auto opened = bed_.open();
        ASSERT_TRUE(opened) << opened.error().detail;
        bed_.settle();
    }
    std::vector<std::string> all() {
        auto entries = bed_.read_all();
        EXPECT_TRUE(entries) << entries.error().detail;
        return entries ? texts_of(*entries) : std::vector<std::string>();
    }
    // From now on a sync takes so long.
    void slow_disk(Duration sync) {
        bed_.files.on_sync([this, sync] { bed_.clock.advance(sync); });
    }
    // Commits run on the log thread, so one can be held in flight.
    void go_slow() {
        slow_disk(std::chrono::milliseconds(20));
        ASSERT_TRUE(bed_.append({{.data = "slow"}}));
        ASSERT_TRUE(bed_.log->status().on_log_thread);
    }
    LogTestBed bed_;
};

TEST_F(EmbeddedLogTest, StoresAndReadsBack) {
    auto first = bed_.append({{.data = "a"}, {.data = "b"}});
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_EQ(first->at(0).offset, Offset{0});
    EXPECT_EQ(first->at(1).offset, Offset{1});
    auto second = bed_.append({{.data = "c", .id = "one"}});
    ASSERT_TRUE(second);
    EXPECT_EQ(second->at(0).offset, Offset{2});
    EXPECT_EQ(second->at(0).uuid_low, uuid_low_half("/test", "one"));
    EXPECT_EQ(bed_.log->next_offset(), Offset{3});
    EXPECT_THAT(all(), ElementsAre("a", "b", "c"));
}

TEST_F(EmbeddedLogTest, ReceiptAndStoredEventAgreeOnTheUuid) {
    auto stored = bed_.append({{.data = "a"}, {.data = "b", .id = "x"}}).value();
    auto entries = bed_.read_all().value();
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(std::get<StoredEvent>(entries[i]).uuid(), stored[i].uuid());
    }
    EXPECT_NE(stored[0].uuid_low, 0U);
}

TEST_F(EmbeddedLogTest, KeepsEverythingAcrossStopAndStart) {
    ASSERT_TRUE(bed_.append({{.data = "a"}, {.data = "b"}}));
    ASSERT_TRUE(bed_.append({{.data = "c"}}));
    EXPECT_TRUE(bed_.stop());
    open();
    EXPECT_THAT(all(), ElementsAre("a", "b", "c"));
    auto next = bed_.append({{.data = "d"}});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->at(0).offset, Offset{3});
    EXPECT_THAT(all(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(EmbeddedLogTest, KeepsEverythingAcrossKillAndPowerCut) {
    ASSERT_TRUE(bed_.append({{.data = "a"}}));
    bed_.kill();
    open();
    ASSERT_TRUE(bed_.append({{.data = "b"}}));
    bed_.crash(7);
    open();
    EXPECT_THAT(all(), ElementsAre("a", "b"));
}

TEST_F(EmbeddedLogTest, OneTurnIsOneSynchronousWrite) {
    std::uint64_t before = bed_.files.calls(Call::write_durable);
    std::vector<std::shared_ptr<LogTestBed::Answer>> answers;
    for (int i = 0; i < 50; ++i) {
        answers.push_back(bed_.start_append({{.data = std::to_string(i)}}));
    }
    EXPECT_FALSE(answers.front()->done) << "not before the turn is over";
    bed_.log->end_turn();
    EXPECT_TRUE(answers.back()->done);
    EXPECT_EQ(bed_.files.calls(Call::write_durable), before + 1);
    EXPECT_EQ(bed_.log->status().commits, 1U);
}

TEST_F(EmbeddedLogTest, TurnEndsAtAThousandRecords) {
    std::vector<EventText> texts(999, {.data = "x"});
    auto first = bed_.start_append(texts);
    EXPECT_FALSE(first->done);
    auto second = bed_.start_append({{.data = "y"}});
    EXPECT_TRUE(first->done);
    EXPECT_TRUE(second->done);
}

TEST_F(EmbeddedLogTest, TurnEndsAtAMebibyte) {
    bed_.options.segment_bytes = 16 << 20;
    bed_.kill();
    bed_.files.cut("data/log/00000000000000000000.segment", 0);
    open();
    EXPECT_FALSE(bed_.start_append({{.data = std::string(900'000, 'x')}})->done);
    EXPECT_TRUE(bed_.start_append({{.data = std::string(200'000, 'x')}})->done);
}

TEST_F(EmbeddedLogTest, TurnEndsHalfAMillisecondAfterItsFirstEvent) {
    auto first = bed_.start_append({{.data = "a"}});
    bed_.clock.advance(std::chrono::microseconds(499));
    auto second = bed_.start_append({{.data = "b"}});
    EXPECT_FALSE(second->done);
    bed_.clock.advance(std::chrono::microseconds(1));
    auto third = bed_.start_append({{.data = "c"}});
    EXPECT_TRUE(first->done && second->done && third->done);
}

TEST_F(EmbeddedLogTest, AnswersInOrderThenTellsTheObserver) {
    std::vector<std::string> order;
    bed_.log->on_durable([&](Offset first, Offset next) {
        order.push_back(
            "durable " + std::to_string(first.value) + "-" + std::to_string(next.value)
        );
        auto tail = bed_.log->read_tail(first, {});
        ASSERT_TRUE(tail);
        EXPECT_EQ(tail->entries.size(), 2U);
    });
    EventText text{.data = "x"};
    for (const char* name : {"first", "second"}) {
        std::vector<Event> events{text.event()};
        bed_.log->append(events, [&order, name](const auto&) { order.emplace_back(name); });
    }
    bed_.settle();
    EXPECT_THAT(order, ElementsAre("first", "second", "durable 0-2"));
}

TEST_F(EmbeddedLogTest, AppendingFromAReceiptIsCommittedToo) {
    bool inner = false;
    EventText text{.data = "x"};
    std::vector<Event> events{text.event()};
    bed_.log->append(events, [&](const auto&) {
        bed_.log->append(events, [&](const auto& result) { inner = result.has_value(); });
    });
    bed_.settle();
    EXPECT_TRUE(inner);
    EXPECT_EQ(bed_.log->next_offset(), Offset{2});
}

TEST_F(EmbeddedLogTest, EmptyRequestIsAnswered) {
    auto stored = bed_.append({});
    ASSERT_TRUE(stored);
    EXPECT_TRUE(stored->empty());
}

TEST_F(EmbeddedLogTest, EventThatCouldNotBeReadBackIsRefused) {
    auto refused = bed_.append({{.data = "a"}, {.data = "b", .type = ""}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_event);
    EXPECT_EQ(refused.error().field, "type");
    EXPECT_EQ(refused.error().index, 1U);
    EXPECT_THAT(all(), IsEmpty());
}

TEST_F(EmbeddedLogTest, RollsToNewSegments) {
    for (int i = 0; i < 40; ++i) {
        auto stored = bed_.append({{.data = std::to_string(i) + std::string(30'000, 'x')}});
        ASSERT_TRUE(stored) << stored.error().detail;
    }
    EXPECT_GE(bed_.log->segments().size(), 4U);
    EXPECT_EQ(all().size(), 40U);
    bed_.kill();
    open();
    EXPECT_GE(bed_.log->segments().size(), 4U);
    EXPECT_EQ(all().size(), 40U);
    // Sealed segments have their summaries, the one being written has none.
    auto names = bed_.files_in_log();
    auto count = [&](std::string_view suffix) {
        return std::ranges::count_if(names, [&](const auto& name) {
            return name.ends_with(suffix);
        });
    };
    EXPECT_EQ(count(".segment"), count(".summary") + 1);
}

TEST_F(EmbeddedLogTest, SegmentGrowsForABatchThatIsLargerThanIt) {
    std::string large(3 << 20, 'x');
    ASSERT_TRUE(bed_.append({{.data = "small"}}));
    ASSERT_TRUE(bed_.append({{.data = large}}));
    ASSERT_TRUE(bed_.append({{.data = "after"}}));
    EXPECT_EQ(all(), (std::vector<std::string>{"small", large, "after"}));
    bed_.kill();
    open();
    EXPECT_EQ(all(), (std::vector<std::string>{"small", large, "after"}));
}

TEST_F(EmbeddedLogTest, WritesAWatermarkWhenIdle) {
    ASSERT_TRUE(bed_.append({{.data = "a"}}));
    std::uint64_t end = bed_.log->segments().back().bytes;
    bed_.idle();
    EXPECT_EQ(bed_.log->segments().back().bytes, end + 32);
    std::uint64_t syncs = bed_.files.calls(Call::write_durable);
    bed_.idle();
    bed_.idle();
    EXPECT_EQ(bed_.files.calls(Call::write_durable), syncs) << "one is enough";
    EXPECT_EQ(bed_.log->next_offset(), Offset{1}) << "it takes no offset";
}

TEST_F(EmbeddedLogTest, BusyLogWritesNoWatermark) {
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(bed_.append({{.data = "a"}}));
        bed_.clock.advance(std::chrono::milliseconds(30));
        bed_.settle();
    }
    EXPECT_EQ(bed_.files.calls(Call::write_durable), bed_.log->status().commits + 1U)
        << "one was for the dedup key";
}

TEST_F(EmbeddedLogTest, ZerosStandAheadOfTheWriter) {
    LogTestBed other;
    other.options.segment_bytes = 16 << 20;
    ASSERT_TRUE(other.open());
    other.settle();
    EXPECT_GE(other.files.contents("data/log/00000000000000000000.segment").size(), 4U << 20);
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(other.append({{.data = std::string(900'000, 'x')}}));
        std::uint64_t size = other.files.contents("data/log/00000000000000000000.segment").size();
        ASSERT_GE(size, other.log->segments().back().bytes + (3U << 20));
    }
}

TEST_F(EmbeddedLogTest, FillingAheadNeverTouchesABatchUnderWay) {
    LogTestBed other;
    other.options.segment_bytes = 32 << 20;
    other.options.tail_bytes = 1;
    ASSERT_TRUE(other.open());
    ASSERT_EQ(other.log_thread.size(), 1U) << "the first filling";
    std::string large(2 << 20, 'x');  // beyond what is filled
    auto first = other.start_append({{.data = large}});
    other.files.set_capacity(1 << 20);
    ASSERT_TRUE(other.log_thread.run_one());
    other.loop.run_all();
    ASSERT_TRUE(other.log->status().disk_full) << "the filling failed, the commit waits its turn";
    // There is room again before the log thread gets to the commit.
    other.files.set_capacity(1 << 30);
    other.clock.advance(std::chrono::milliseconds(1'100));
    ASSERT_FALSE(other.log->status().disk_full);
    other.settle();
    ASSERT_TRUE(first->done && first->result);
    ASSERT_TRUE(other.append({{.data = "after"}}));
    EXPECT_EQ(texts_of(other.read_all().value()), (std::vector<std::string>{large, "after"}));
}

// Who commits.

TEST_F(EmbeddedLogTest, SlowDiskMovesCommitsToTheLogThreadAndBack) {
    auto start = [this] {
        auto answer = bed_.start_append({{.data = "x"}});
        bed_.log->end_turn();
        bool at_once = answer->done;
        bed_.settle();
        EXPECT_TRUE(answer->done);
        return at_once;
    };
    slow_disk(std::chrono::microseconds(200));
    EXPECT_TRUE(start());
    slow_disk(std::chrono::milliseconds(4));
    int inline_commits = 0;
    while (start()) {
        ASSERT_LT(++inline_commits, 20);
    }
    EXPECT_TRUE(bed_.log->status().on_log_thread);
    EXPECT_GT(bed_.log->status().commit_average, std::chrono::milliseconds(1));
    slow_disk(std::chrono::microseconds(200));
    int posted = 0;
    while (!start()) {
        ASSERT_LT(++posted, 200);
    }
    EXPECT_GE(posted, 99);
    EXPECT_FALSE(bed_.log->status().on_log_thread);
}

TEST_F(EmbeddedLogTest, CountsHowLongCommitsAndTheirEventsTook) {
    slow_disk(std::chrono::milliseconds(4));
    DurationHistogram before = bed_.log->status().commit_durations;
    auto first = bed_.start_append({{.data = "a"}, {.data = "b"}});
    auto second = bed_.start_append({{.data = "c"}});
    bed_.log->end_turn();
    bed_.settle();
    ASSERT_TRUE(first->done && second->done);
    LogStatus status = bed_.log->status();
    auto up_to_5_ms =
        std::ranges::find(DurationHistogram::kBounds, 0.005) - DurationHistogram::kBounds.begin();
    auto bucket = static_cast<std::size_t>(up_to_5_ms);
    EXPECT_EQ(status.commit_durations.counts[bucket], before.counts[bucket] + 1);
    EXPECT_NEAR(status.commit_durations.sum_seconds - before.sum_seconds, 0.004, 0.0005);
    EXPECT_EQ(status.publish_durations.counts[bucket], 3U) << "one for each event";
    EXPECT_NEAR(status.publish_durations.sum_seconds, 0.012, 0.0015);
}

TEST_F(EmbeddedLogTest, OneCommitInFlightTheNextBatchGathers) {
    go_slow();
    std::uint64_t commits = bed_.log->status().commits;
    auto first = bed_.start_append({{.data = "a"}});
    bed_.log->end_turn();
    std::vector<std::shared_ptr<LogTestBed::Answer>> later;
    for (int i = 0; i < 20; ++i) {
        later.push_back(bed_.start_append({{.data = "b"}}));
        bed_.log->end_turn();
    }
    EXPECT_EQ(bed_.log_thread.size(), 1U);
    bed_.settle();
    EXPECT_TRUE(first->done && later.back()->done);
    EXPECT_EQ(bed_.log->status().commits, commits + 2);
    EXPECT_EQ(later.back()->result->at(0).offset, Offset{21});
}

TEST_F(EmbeddedLogTest, TooManyBytesWaitingIsOverloaded) {
    bed_.options.pending_bytes = 100'000;
    bed_.kill();
    open();
    go_slow();
    auto first = bed_.start_append({{.data = std::string(60'000, 'x')}});
    bed_.log->end_turn();
    auto second = bed_.start_append({{.data = std::string(30'000, 'x'), .id = "second"}});
    auto third = bed_.start_append({{.data = std::string(30'000, 'x'), .id = "third"}});
    ASSERT_TRUE(third->done);
    EXPECT_EQ(third->result.error().code, Errc::overloaded);
    bed_.settle();
    EXPECT_TRUE(first->result && second->result);
    auto again = bed_.append({{.data = std::string(30'000, 'y'), .id = "third"}});
    ASSERT_TRUE(again) << "what was refused left no trace";
    EXPECT_FALSE(again->at(0).duplicate);
}

// Reading.

TEST_F(EmbeddedLogTest, ReadBelowTheStartIsExpired) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(30'000, 'x')}}));
    }
    Offset second = bed_.log->segments().at(1).first;
    ASSERT_TRUE(bed_.trim(second));
    EXPECT_EQ(bed_.log->first_offset(), second);
    auto read = bed_.read(Offset{0});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::offset_expired);
    EXPECT_EQ(read.error().first_offset, second.value);
    auto listed = bed_.list({.after = Offset{0}});
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().code, Errc::offset_expired);
}

TEST_F(EmbeddedLogTest, ReadAtTheEndIsEmpty) {
    ASSERT_TRUE(bed_.append({{.data = "a"}}));
    auto at_end = bed_.read(Offset{1});
    ASSERT_TRUE(at_end);
    EXPECT_THAT(at_end->entries, IsEmpty());
    EXPECT_EQ(at_end->next, Offset{1});
    EXPECT_FALSE(bed_.log->read_tail(Offset{1}, {}));
}

TEST_F(EmbeddedLogTest, ReadKeepsToItsLimits) {
    bed_.options.tail_bytes = 1;
    bed_.kill();
    open();
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(1'000, 'x')}, {.data = "small"}}));
    }
    for (bool cached : {true, false}) {
        bed_.files.set_cached(cached);
        EXPECT_EQ(bed_.read(Offset{0}, {.events = 3})->entries.size(), 3U);
        EXPECT_EQ(bed_.read(Offset{0}, {.bytes = 1})->entries.size(), 1U);
        auto some = bed_.read(Offset{4}, {.bytes = 2'500});
        EXPECT_EQ(some->entries.size(), 4U);
        EXPECT_EQ(some->next, Offset{8});
        EXPECT_EQ(bed_.read(Offset{18}, {.events = 5})->entries.size(), 2U);
    }
}

TEST_F(EmbeddedLogTest, ReadsOutsideTheTailUseTheReadThreadOnlyIfTheDiskIsNeeded) {
    bed_.options.tail_bytes = 1;
    bed_.kill();
    open();
    ASSERT_TRUE(bed_.append({{.data = "a"}}));
    ASSERT_TRUE(bed_.append({{.data = "b"}}));
    bool done = false;
    bed_.log->read(Offset{0}, {}, [&](const auto&) { done = true; });
    EXPECT_TRUE(done) << "it is in the page cache";
    bed_.files.set_cached(false);
    done = false;
    bed_.log->read(Offset{0}, {}, [&](const auto&) { done = true; });
    EXPECT_FALSE(done);
    EXPECT_EQ(bed_.read_thread.size(), 1U);
    bed_.settle();
    EXPECT_TRUE(done);
}

TEST_F(EmbeddedLogTest, EventsOutliveTheirBuffers) {
    bed_.options.tail_bytes = 1;
    bed_.kill();
    open();
    ASSERT_TRUE(bed_.append({{.data = "kept"}}));
    auto from_tail = bed_.read(Offset{0}).value();
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(20'000, 'x')}}));
    }
    auto from_disk = bed_.read(Offset{0}, {.events = 1}).value();
    ASSERT_TRUE(bed_.trim(bed_.log->next_offset()));
    bed_.kill();
    EXPECT_EQ(text_of(from_tail.entries[0]), "kept");
    EXPECT_EQ(text_of(from_disk.entries[0]), "kept");
}

// Trimming.

TEST_F(EmbeddedLogTest, TrimDropsWholeSegmentsAndNeverTheActiveOne) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(30'000, 'x')}}));
    }
    auto before = bed_.log->segments();
    ASSERT_TRUE(bed_.trim(before[1].next));
    EXPECT_EQ(bed_.log->segments().size(), before.size() - 2);
    ASSERT_TRUE(bed_.trim(Offset{before[2].next.value - 1}));
    EXPECT_EQ(bed_.log->segments().size(), before.size() - 2) << "not all of it is below";
    ASSERT_TRUE(bed_.trim(bed_.log->next_offset()));
    EXPECT_EQ(bed_.log->segments().size(), 1U);
    EXPECT_FALSE(bed_.log->segments()[0].sealed);
    auto names = bed_.files_in_log();
    EXPECT_EQ(names.size(), 2U) << "dedup.key and one segment";
    bed_.kill();
    open();
    EXPECT_EQ(bed_.log->first_offset(), before.back().first);
    EXPECT_EQ(bed_.append({{.data = "x"}})->at(0).offset, Offset{40});
}

TEST_F(EmbeddedLogTest, TrimTriesFirstWhatAnEarlierOneCouldNotRemove) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(30'000, 'x')}}));
    }
    const auto before = bed_.log->segments();
    ASSERT_GE(before.size(), 4U);
    auto is_there = [&](std::size_t number) {
        return bed_.files.exists(
            "data/log/" + segment_file_name(before[number].first, kSegmentSuffix)
        );
    };
    bed_.files.plan({.call = bed_.files.changes() + 1});
    EXPECT_FALSE(bed_.trim(before[0].next));
    EXPECT_EQ(bed_.log->first_offset(), before[1].first) << "it is out of the log all the same";
    EXPECT_TRUE(is_there(0));
    bed_.files.plan({.call = bed_.files.changes() + 1, .sticky = true});
    EXPECT_FALSE(bed_.trim(before[1].next));
    EXPECT_TRUE(is_there(0));
    EXPECT_TRUE(is_there(1)) << "none goes while an older one is there";
    bed_.files.clear_faults();
    ASSERT_TRUE(bed_.trim(Offset{0})) << "nothing new is to go";
    EXPECT_FALSE(is_there(0));
    EXPECT_FALSE(is_there(1));
    EXPECT_TRUE(is_there(2));
    bed_.kill();
    open();
    EXPECT_EQ(bed_.log->first_offset(), before[2].first);
    EXPECT_EQ(bed_.log->status().gap_events, 0U);
}

// Opening.

TEST_F(EmbeddedLogTest, SecondOpenIsRefusedAndNamesTheDirectory) {
    auto second = EmbeddedLog::open(
        bed_.options,
        {.files = bed_.files,
         .clock = bed_.clock,
         .rng = bed_.rng,
         .loop = bed_.loop,
         .log_thread = bed_.log_thread,
         .read_thread = bed_.read_thread}
    );
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_THAT(second.error().detail, HasSubstr("data directory data"));
}

TEST_F(EmbeddedLogTest, ReserveFileIsMadeOnceAndKept) {
    bed_.options.reserve_bytes = 10 << 20;
    bed_.kill();
    open();
    EXPECT_EQ(bed_.files.contents("data/log/reserve").size(), 10U << 20);
    bed_.kill();
    bed_.files.reset_counts();
    open();
    EXPECT_LT(bed_.files.calls(Call::write), 10U) << "it was there";
}

TEST_F(EmbeddedLogTest, ReserveIsNotMadeWhenTheDiskIsNearlyFull) {
    bed_.options.reserve_bytes = 10 << 20;
    bed_.kill();
    bed_.files.set_capacity(12 << 20);
    open();
    EXPECT_FALSE(bed_.files.exists("data/log/reserve"));
    EXPECT_TRUE(bed_.append({{.data = "x"}}));
}

TEST_F(EmbeddedLogTest, StopCommitsWhatIsPendingAndRefusesWhatComesAfter) {
    auto pending = bed_.start_append({{.data = "a"}});
    EXPECT_TRUE(bed_.stop());
    EXPECT_TRUE(pending->done && pending->result);
    auto late = bed_.append({{.data = "b"}});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::unavailable);
    open();
    EXPECT_THAT(all(), ElementsAre("a"));
}

TEST_F(EmbeddedLogTest, StopWaitsForACommitOnTheLogThread) {
    go_slow();
    auto pending = bed_.start_append({{.data = "a"}});
    bed_.log->end_turn();
    bool stopped = false;
    bed_.log->stop([&] { stopped = true; });
    EXPECT_FALSE(stopped);
    bed_.settle();
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(pending->result);
}

TEST_F(EmbeddedLogTest, DroppedWithWorkUnderWayLeavesNothingBehind) {
    go_slow();
    auto pending = bed_.start_append({{.data = "a"}});
    bed_.log->end_turn();
    bed_.log.reset();
    bed_.log_thread.run_all();
    bed_.loop.run_all();
    EXPECT_FALSE(pending->done);
    open();
    EXPECT_THAT(all(), ElementsAre("slow", "a"));
}

}  // namespace
}  // namespace belfry
