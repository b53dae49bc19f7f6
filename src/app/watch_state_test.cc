#include "app/watch_state.h"

#include "base/memory_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::HasSubstr;

const std::string kPath = "state/belfry/watch.json";

EventMark mark_of(std::uint64_t offset) {
    return {.id = event_uuid(0xabc, Offset{offset})};
}

void put(MemoryFileSystem& files, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    files.set_contents(kPath, {bytes.begin(), bytes.end()});
}

TEST(WatchState, IsEmptyAtFirstAndSaysLaterHowFarItGot) {
    MemoryFileSystem files;
    {
        auto state = WatchState::open(files, kPath, "deploy");
        ASSERT_TRUE(state.has_value()) << state.error().detail;
        EXPECT_FALSE(state->mark().has_value());
        ASSERT_TRUE(state->save(mark_of(7)).has_value());
        ASSERT_TRUE(state->save(mark_of(16)).has_value());
    }
    auto state = WatchState::open(files, kPath, "deploy");
    ASSERT_TRUE(state.has_value()) << state.error().detail;
    EXPECT_EQ(state->mark(), mark_of(16));
    const std::vector<std::byte> bytes = files.contents(kPath);
    EXPECT_EQ(
        std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
        "{\"format\":1,\"name\":\"deploy\",\"index\":18,"
        "\"id\":\"00000000-0000-0aae-0000-000000000abc\"}\n"
    );
}

TEST(WatchState, ASecondWatchIsRefused) {
    MemoryFileSystem files;
    auto first = WatchState::open(files, kPath, "deploy");
    ASSERT_TRUE(first.has_value());
    auto second = WatchState::open(files, kPath, "deploy");
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST(WatchState, ADamagedFileIsRefusedAndLeftAlone) {
    for (const std::string_view text :
         {"",
          "{",
          "[]",
          R"({"format":2,"name":"deploy","index":18,"id":"00000000-0000-0aae-0000-000000000abc"})",
          R"({"format":1,"name":"deploy","index":19,"id":"00000000-0000-0aae-0000-000000000abc"})",
          R"({"format":1,"name":"deploy","index":18,"id":"x"})",
          R"({"format":1,"name":"deploy","index":18})",
          R"({"x":1,"format":1,"name":"deploy","index":18,)"
          R"("id":"00000000-0000-0aae-0000-000000000abc"})"}) {
        MemoryFileSystem files;
        ASSERT_TRUE(files.make_directory("state/belfry").has_value());
        put(files, text);
        auto state = WatchState::open(files, kPath, "deploy");
        ASSERT_FALSE(state.has_value()) << text;
        EXPECT_EQ(state.error().code, Errc::bad_request) << text;
        EXPECT_THAT(state.error().detail, HasSubstr(kPath + " is not the state of a watch: "));
        EXPECT_EQ(files.contents(kPath).size(), text.size());
    }
}

TEST(WatchState, TheFileOfAnotherEventIsRefused) {
    MemoryFileSystem files;
    {
        auto state = WatchState::open(files, kPath, "deploy");
        ASSERT_TRUE(state.has_value() && state->save(mark_of(1)).has_value());
    }
    auto state = WatchState::open(files, kPath, "backup");
    ASSERT_FALSE(state.has_value());
    EXPECT_THAT(state.error().detail, HasSubstr("a watch of `deploy`"));
}

// Whatever fails on the way, and wherever the power goes: the old line or the new one.
TEST(WatchState, ACrashLeavesTheOldMarkOrTheNew) {
    for (std::uint64_t survived = 0; survived < 8; ++survived) {
        MemoryFileSystem files;
        bool saved = false;
        {
            auto state = WatchState::open(files, kPath, "deploy");
            ASSERT_TRUE(state.has_value() && state->save(mark_of(1)).has_value());
            files.die_after(survived);
            saved = state->save(mark_of(2)).has_value();
        }
        files.crash(survived);
        auto state = WatchState::open(files, kPath, "deploy");
        ASSERT_TRUE(state.has_value()) << state.error().detail;
        EXPECT_TRUE(state->mark() == mark_of(2) || (!saved && state->mark() == mark_of(1)))
            << survived;
    }
}

TEST(WatchState, AFullDiskIsSaidAndTheOldMarkStays) {
    MemoryFileSystem files;
    {
        auto state = WatchState::open(files, kPath, "deploy");
        ASSERT_TRUE(state.has_value() && state->save(mark_of(1)).has_value());
        files.plan(
            {.call = files.changes() + 1, .fault = MemoryFileSystem::Fault::no_space, .sticky = true
            }
        );
        auto saved = state->save(mark_of(2));
        ASSERT_FALSE(saved.has_value());
        EXPECT_EQ(saved.error().code, Errc::disk_full);
    }
    files.clear_faults();
    EXPECT_EQ(WatchState::open(files, kPath, "deploy")->mark(), mark_of(1));
}

}  // namespace
}  // namespace belfry
