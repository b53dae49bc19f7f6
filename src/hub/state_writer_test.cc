#include "hub/state_writer.h"

#include "base/manual_clock.h"
#include "engine/memory_state.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class StateWriterTest : public testing::Test {
 protected:
    void pass(Duration time) {
        clock.advance(time);
        loop.run_all();
    }
    void move_cursor(std::uint64_t to) {
        writer.changes().cursors.push_back(
            CursorRow{.subscription = "default/chat", .cursor = Offset{to}}
        );
        writer.touched();
    }

    std::function<void(Result<void>)> keep(std::optional<Result<void>>& answer) {
        return [&answer](Result<void> result) { answer = std::move(result); };
    }

    ManualClock clock;
    ManualExecutor loop;
    MemoryState state{loop};
    StateWriter writer{clock, state};
};

TEST_F(StateWriterTest, SaysThatItFailsUntilACommitSucceedsAndForgetsNothing) {
    state.device().fail_writes(Error{.code = Errc::disk_full, .detail = "full"}, 2);
    move_cursor(7);
    EXPECT_FALSE(writer.is_failing());
    pass(300ms);
    EXPECT_TRUE(writer.is_failing());
    pass(1s);
    EXPECT_TRUE(writer.is_failing());
    pass(1s);
    EXPECT_FALSE(writer.is_failing());
    StateSnapshot saved = state.load().value();
    ASSERT_EQ(saved.cursors.size(), 1U);
    EXPECT_EQ(saved.cursors[0].cursor, Offset{7});
}

TEST_F(StateWriterTest, SaysEachTimeThatThereIsNoRoomAndNothingOfOtherFailures) {
    std::vector<std::string> told;
    writer.on_disk_full([&](std::string reason) { told.push_back(std::move(reason)); });
    state.device().fail_writes(Error{.code = Errc::disk_full, .detail = "full"}, 2);
    move_cursor(7);
    pass(300ms);
    pass(StateWriter::kRetryInterval);
    EXPECT_EQ(told, (std::vector<std::string>{"full", "full"}));
    pass(StateWriter::kRetryInterval);
    ASSERT_FALSE(writer.is_failing());
    state.device().fail_writes(Error{.code = Errc::internal, .detail = "disk I/O error"}, 1);
    move_cursor(8);
    pass(300ms);
    ASSERT_TRUE(writer.is_failing());
    EXPECT_EQ(told.size(), 2U);
}

TEST_F(StateWriterTest, IsBehindByBytesOfDeadLettersUntilTheyAreSaved) {
    constexpr std::size_t kRecordBytes = 1024 * 1024;
    state.device().fail_writes({Errc::internal, "disk I/O error"}, 2);
    for (std::size_t bytes = 0; bytes <= StateWriter::kDeadLetterBytesMax; bytes += kRecordBytes) {
        EXPECT_FALSE(writer.is_behind()) << bytes;
        writer.add_dead_letter(DeadLetterRow{
            .id = std::to_string(bytes),
            .tenant = "default",
            .subscription = "default/chat",
            .record = std::vector<std::byte>(kRecordBytes),
        });
    }
    EXPECT_TRUE(writer.is_behind());
    pass(300ms);
    EXPECT_TRUE(writer.is_failing());
    EXPECT_TRUE(writer.is_behind()) << "what was under way waits again";
    pass(StateWriter::kRetryInterval);
    EXPECT_TRUE(writer.is_behind());
    pass(StateWriter::kRetryInterval);
    EXPECT_FALSE(writer.is_failing());
    EXPECT_FALSE(writer.is_behind());
}

TEST_F(StateWriterTest, WhoWaitsForAnAnswerIsToldThatTheDiskTakesNothing) {
    state.device().fail_writes({Errc::internal, "disk I/O error"}, 1'000);
    std::optional<Result<void>> answer;
    bool durable = false;
    move_cursor(7);
    writer.flush([&] { durable = true; });
    writer.try_flush(keep(answer));
    loop.run_all();
    pass(StateWriter::kRetryInterval);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->error().code, Errc::unavailable);
    EXPECT_FALSE(durable) << "who waits for the disk goes on waiting";

    answer.reset();
    writer.try_flush(keep(answer));
    loop.run_all();
    ASSERT_TRUE(answer.has_value()) << "and so is who comes while it is failing";
    EXPECT_FALSE(answer->has_value());
}

TEST_F(StateWriterTest, WhatWasRefusedAnAnswerIsSavedWhenTheDiskTakesIt) {
    state.device().fail_writes({Errc::internal, "disk I/O error"}, 1);
    std::optional<Result<void>> answer;
    bool durable = false;
    move_cursor(7);
    writer.try_flush(keep(answer));
    writer.flush([&] { durable = true; });
    loop.run_all();
    ASSERT_TRUE(answer.has_value());
    EXPECT_FALSE(answer->has_value());
    pass(StateWriter::kRetryInterval);
    EXPECT_TRUE(durable);
    EXPECT_EQ(state.load().value().cursors.size(), 1U);

    writer.try_flush(keep(answer));
    loop.run_all();
    EXPECT_TRUE(answer->has_value());
}

}  // namespace
}  // namespace belfry
