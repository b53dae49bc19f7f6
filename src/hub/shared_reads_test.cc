#include "hub/shared_reads.h"

#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class SharedReadsTest : public testing::Test {
 protected:
    void publish(int count) {
        for (int i = 0; i < count; ++i) {
            Event event{.source = "/test", .type = "t"};
            log.append(std::span(&event, 1), [](auto) {});
        }
    }
    // 26 of them are a stretch.
    void publish_large(int count) {
        const std::string large(10'000, 'x');
        for (int i = 0; i < count; ++i) {
            Event event{.source = "/test", .type = "t", .data = large};
            log.append(std::span(&event, 1), [](auto) {});
        }
        log.honours_bytes = true;
    }
    struct Answer {
        std::optional<Result<ReadResult>> result;
        [[nodiscard]] std::vector<std::uint64_t> offsets() const {
            std::vector<std::uint64_t> all;
            for (const LogEntry& entry : result.value().value().entries) {
                const auto* event = std::get_if<StoredEvent>(&entry);
                all.push_back(event != nullptr ? event->offset.value : UINT64_MAX);
            }
            return all;
        }
    };
    void read(Answer& answer, std::uint64_t from, std::size_t events) {
        reads.read(Offset{from}, events, [&answer](Result<ReadResult> result) {
            answer.result = std::move(result);
        });
    }

    ManualClock clock;
    ManualExecutor loop;
    SeededRng rng{1};
    MemoryLog log{clock, rng, loop};
    SharedReads reads{clock, log};
};

using Offsets = std::vector<std::uint64_t>;

TEST_F(SharedReadsTest, GiveWhatWasAskedForAndKeepTheRest) {
    publish(1000);
    Answer first;
    Answer second;
    read(first, 10, 2);  // the stretch begins at 0
    EXPECT_FALSE(first.result.has_value());
    loop.run_all();
    EXPECT_EQ(first.offsets(), (Offsets{10, 11}));
    EXPECT_EQ(first.result.value()->next, Offset{12});
    read(second, 200, 1);
    EXPECT_EQ(second.offsets(), (Offsets{200})) << "at once";
    EXPECT_EQ(log.entries_read, 256U);
}

TEST_F(SharedReadsTest, WaitForAReadThatIsUnderWay) {
    publish(300);
    Answer first;
    Answer joined;
    Answer beyond;
    read(first, 0, 1);
    read(joined, 255, 10);
    read(beyond, 256, 10);
    loop.run_all();
    EXPECT_EQ(joined.offsets(), (Offsets{255}));
    EXPECT_EQ(beyond.offsets().size(), 10U);
    EXPECT_EQ(log.entries_read, 256U + 44U);
}

// 256 KiB end a stretch, too.
TEST_F(SharedReadsTest, ReachLargeEventsByThemselves) {
    publish_large(300);
    for (std::uint64_t from : {100U, 101U, 250U, 299U, 3U}) {
        Answer answer;
        read(answer, from, 1);
        loop.run_all();
        EXPECT_EQ(answer.offsets(), (Offsets{from}));
    }
}

TEST_F(SharedReadsTest, TellEachOfAReadThatFails) {
    publish(300);
    log.read_failure = Error{.code = Errc::internal, .detail = "the disk"};
    Answer first;
    Answer joined;
    read(first, 10, 1);
    read(joined, 20, 1);
    loop.run_all();
    EXPECT_FALSE(first.result.value().has_value());
    EXPECT_FALSE(joined.result.value().has_value());
    log.read_failure.reset();
    read(first, 10, 1);
    loop.run_all();
    EXPECT_EQ(first.offsets(), (Offsets{10})) << "nothing is kept of it";
}

TEST_F(SharedReadsTest, ReadBehindWhatCannotBeRead) {
    publish(1200);
    log.unreadable_below = Offset{1000};
    Answer answer;
    Answer joined;
    Answer before;
    read(answer, 1001, 1);
    read(joined, 1002, 1);
    read(before, 900, 1);
    loop.run_all();
    EXPECT_EQ(answer.offsets(), (Offsets{1001})) << "its stretch begins at 768";
    EXPECT_EQ(joined.offsets(), (Offsets{1002}));
    EXPECT_FALSE(before.result.value().has_value());
}

TEST_F(SharedReadsTest, ShareTheSecondReadOfLargeEvents) {
    publish_large(300);
    std::vector<Answer> answers(100);
    for (Answer& answer : answers) {
        read(answer, 200, 1);
    }
    loop.run_all();
    for (const Answer& answer : answers) {
        EXPECT_EQ(answer.offsets(), (Offsets{200}));
    }
    EXPECT_LE(log.entries_read, 2U * 26U);
}

TEST_F(SharedReadsTest, AreNotHiddenByAShorterOne) {
    publish(720);
    Answer answer;
    read(answer, 719, 1);  // [512, 720)
    loop.run_all();
    publish(1000);
    read(answer, 720, 1);  // [512, 768)
    loop.run_all();
    const std::uint64_t before = log.entries_read;
    for (std::uint64_t at = 512; at < 768; ++at) {
        read(answer, at, 1);
        EXPECT_EQ(answer.offsets(), (Offsets{at}));
    }
    EXPECT_EQ(log.entries_read, before);
}

TEST_F(SharedReadsTest, ReadWhatIsLeftOfAStretchWhoseBeginningIsDropped) {
    publish(300);
    Answer answer;
    read(answer, 200, 1);
    log.trim(Offset{100}, [](auto) {});
    loop.run_all();
    EXPECT_EQ(answer.offsets(), (Offsets{200}));
}

TEST_F(SharedReadsTest, ReadAgainForThoseTheReadDidNotReach) {
    publish(300);
    log.gaps.push_back(Gap{.from = Offset{0}, .to = Offset{5}});
    log.trim(Offset{0}, [](auto) {});
    Answer first;
    Answer inside;
    read(first, 0, 1);
    read(inside, 3, 2);
    loop.run_all();
    EXPECT_EQ(first.offsets(), (Offsets{UINT64_MAX}));
    EXPECT_EQ(inside.offsets(), (Offsets{UINT64_MAX, 5})) << "it stands in the gap";
    Answer late;
    read(late, 299, 1);
    publish(1);
    Answer end;
    read(end, 300, 1);
    loop.run_all();
    EXPECT_EQ(late.offsets(), (Offsets{299}));
    EXPECT_EQ(end.offsets(), (Offsets{300}));
}

TEST_F(SharedReadsTest, ToldOfALogThatBeginsLater) {
    publish(300);
    Answer kept;
    read(kept, 0, 1);
    loop.run_all();
    log.trim(Offset{100}, [](auto) {});
    Answer answer;
    read(answer, 50, 1);
    loop.run_all();
    ASSERT_FALSE(answer.result.value().has_value()) << "though the stretch was kept";
    EXPECT_EQ(answer.result.value().error().code, Errc::offset_expired);
}

TEST_F(SharedReadsTest, ToldOfALogThatBeginsLaterWhileOthersAreAnswered) {
    publish_large(300);
    Answer first;
    Answer second;
    reads.read(Offset{0}, 1, [&](Result<ReadResult> result) {
        first.result = std::move(result);
        log.trim(Offset{250}, [](auto) {});
    });
    read(second, 200, 1);  // the stretch ends before it
    loop.run_all();
    EXPECT_EQ(first.offsets(), (Offsets{0}));
    ASSERT_FALSE(second.result.value().has_value());
    EXPECT_EQ(second.result.value().error().code, Errc::offset_expired);
    EXPECT_EQ(second.result.value().error().first_offset, 250U);
}

TEST_F(SharedReadsTest, ForgetWhatNobodyUses) {
    publish(1000);
    Answer used;
    Answer unused;
    read(used, 0, 1);
    read(unused, 500, 1);
    loop.run_all();
    clock.advance(3s);
    read(used, 1, 1);
    EXPECT_EQ(used.offsets(), (Offsets{1}));
    clock.advance(3s);
    std::uint64_t before = log.entries_read;
    read(used, 2, 1);
    EXPECT_EQ(log.entries_read, before);
    read(unused, 501, 1);
    loop.run_all();
    EXPECT_EQ(log.entries_read, before + 256U) << "that stretch was dropped";
    clock.advance(20s);
    before = log.entries_read;
    read(used, 3, 1);
    loop.run_all();
    EXPECT_EQ(log.entries_read, before + 256U);
}

}  // namespace
}  // namespace belfry
