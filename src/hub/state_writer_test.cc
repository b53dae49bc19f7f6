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

}  // namespace
}  // namespace belfry
