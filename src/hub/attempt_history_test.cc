#include "hub/attempt_history.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry {
namespace {

// Adds attempts of the offsets 0, 1, … count - 1; what is kept, in the order of for_each().
std::vector<std::uint64_t> kept_of(std::uint64_t count) {
    AttemptHistory history;
    for (std::uint64_t i = 0; i < count; ++i) {
        history.add({.offset = Offset{i}});
    }
    std::vector<std::uint64_t> kept;
    history.for_each([&](const SettledAttempt& attempt) { kept.push_back(attempt.offset.value); });
    return kept;
}

TEST(AttemptHistory, GivesTheNewestFirst) {
    EXPECT_TRUE(kept_of(0).empty());
    EXPECT_EQ(kept_of(3), (std::vector<std::uint64_t>{2, 1, 0}));
}

TEST(AttemptHistory, KeepsTheLastHundredHoweverManyThereWere) {
    for (std::uint64_t count = 98; count <= 305; ++count) {
        std::vector<std::uint64_t> expected;
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 100); ++i) {
            expected.push_back(count - 1 - i);
        }
        ASSERT_EQ(kept_of(count), expected) << count;
    }
}

}  // namespace
}  // namespace belfry
