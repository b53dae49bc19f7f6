#include "engine/embedded/commit_pace.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

constexpr Duration kFast = std::chrono::microseconds(150);
constexpr Duration kSlow = std::chrono::milliseconds(4);

TEST(CommitPace, OneSlowCommitAmongFastOnesStaysInline) {
    CommitPace pace(std::chrono::milliseconds(1));
    for (int i = 0; i < 200; ++i) {
        pace.add(i % 20 == 0 ? kSlow : kFast);
        ASSERT_FALSE(pace.on_log_thread());
    }
}

TEST(CommitPace, SlowDiskGoesToTheLogThreadSoon) {
    CommitPace pace(std::chrono::milliseconds(1));
    int commits = 0;
    for (; !pace.on_log_thread(); ++commits) {
        pace.add(kSlow);
    }
    EXPECT_LE(commits, 4);
}

TEST(CommitPace, ComesBackAfterAHundredFastCommitsInARow) {
    CommitPace pace(std::chrono::milliseconds(1));
    while (!pace.on_log_thread()) {
        pace.add(kSlow);
    }
    for (int i = 0; i < 99; ++i) {
        pace.add(kFast);
    }
    pace.add(std::chrono::microseconds(500));  // not under half
    for (int i = 0; i < 99; ++i) {
        pace.add(kFast);
        ASSERT_TRUE(pace.on_log_thread());
    }
    pace.add(kFast);
    EXPECT_FALSE(pace.on_log_thread());
    pace.add(kFast);
    EXPECT_FALSE(pace.on_log_thread()) << "the slow past is forgotten";
}

}  // namespace
}  // namespace belfry
