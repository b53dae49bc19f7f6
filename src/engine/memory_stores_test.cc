// The faults that the memory fakes can play. That they keep the contract is tested with the other
// engines.
#include "base/manual_clock.h"
#include "engine/memory_kv.h"
#include "engine/memory_state.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

StateChanges cursor_at(std::uint64_t offset) {
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{offset}, true}};
    return changes;
}

class MemoryStateTest : public testing::Test {
 protected:
    void commit(std::uint64_t offset) {
        state_.commit(cursor_at(offset), [this](Result<void> result) {
            answers_ += result ? "ok " : std::string(errc_name(result.error().code)) + " ";
        });
    }
    std::uint64_t cursor() {
        StateSnapshot snapshot = state_.load().value();
        return snapshot.cursors.empty() ? 0 : snapshot.cursors[0].cursor.value;
    }
    ManualExecutor loop_;
    MemoryState state_{loop_};
    std::string answers_;
};

TEST_F(MemoryStateTest, HoldsCommitsUntilTheyAreReleased) {
    state_.device().hold();
    commit(1);
    commit(2);
    commit(3);
    loop_.run_all();
    EXPECT_EQ(answers_, "");
    EXPECT_EQ(cursor(), 0U);
    EXPECT_EQ(state_.device().held(), 3U);
    state_.device().release(2);
    EXPECT_EQ(cursor(), 2U) << "durable before it is answered";
    loop_.run_all();
    EXPECT_EQ(answers_, "ok ok ");
    state_.device().release();
    commit(4);
    loop_.run_all();
    EXPECT_EQ(answers_, "ok ok ok ok ");
    EXPECT_EQ(cursor(), 4U);
}

TEST_F(MemoryStateTest, FailsAsManyCommitsAsToldAndAppliesNothingOfThem) {
    state_.device().fail_writes({.code = Errc::disk_full, .detail = "no room"}, 2);
    commit(1);
    commit(2);
    (void)loop_.run_all();
    EXPECT_EQ(cursor(), 0U);
    commit(3);
    loop_.run_all();
    EXPECT_EQ(answers_, "disk_full disk_full ok ");
    EXPECT_EQ(cursor(), 3U);
    state_.device().fail_writes({.code = Errc::disk_full, .detail = "no room"}, 100);
    state_.device().heal();
    commit(4);
    loop_.run_all();
    EXPECT_EQ(cursor(), 4U);
}

TEST_F(MemoryStateTest, ACrashLosesWhatWasHeldAndTheAnswersUnderWay) {
    commit(1);
    state_.device().hold();
    commit(2);
    state_.crash();
    loop_.run_all();
    EXPECT_EQ(answers_, "") << "the committer died";
    EXPECT_EQ(cursor(), 1U) << "what was committed stays, answered or not";
    commit(3);
    loop_.run_all();
    EXPECT_EQ(answers_, "ok ");
}

TEST(MemoryKv, ACrashEndsWatchersAndLosesHeldWrites) {
    ManualExecutor loop;
    MemoryKv kv(loop);
    std::string heard;
    auto watch = [&] {
        kv.watch(
            "", [&](const KvChange& change) { heard += change.key + " "; }, [&] { heard += "| "; }
        );
    };
    watch();
    kv.put("a", "1", {}, [](auto) {});
    loop.run_all();
    kv.device().hold();
    kv.put("b", "1", {}, [&](auto) { heard += "answered "; });
    kv.crash();
    loop.run_all();
    EXPECT_EQ(heard, "| a ");
    heard.clear();
    watch();
    kv.put("c", "1", {}, [](auto) {});
    loop.run_all();
    EXPECT_EQ(heard, "a | c ");
}

TEST(MemoryKv, AFailedWriteChangesNothingAndTellsNobody) {
    ManualExecutor loop;
    MemoryKv kv(loop);
    std::string heard;
    kv.watch("", [&](const KvChange& change) { heard += change.key + " "; }, [] {});
    kv.put("a", "1", {}, [](auto) {});
    kv.device().fail_writes({.code = Errc::outcome_unknown, .detail = "sync failed"}, 2);
    kv.put("b", "1", {}, [&](auto result) { heard += errc_name(result.error().code); });
    kv.remove("a", {}, [&](auto result) { heard += errc_name(result.error().code); });
    loop.run_all();
    EXPECT_EQ(heard, "a outcome_unknownoutcome_unknown");
}

}  // namespace
}  // namespace belfry
