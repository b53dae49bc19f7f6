#include "hub/noted_matches.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(NotedMatches, GiveBackWhatWasAddedInOrder) {
    std::uint64_t together = 0;
    NotedMatches noted(together);
    EXPECT_FALSE(noted.is_open());
    noted.open();
    for (std::uint64_t offset : {3U, 4U, 5U, 9U}) {
        noted.add(Offset{offset});
    }
    EXPECT_EQ(noted.front(), Offset{3});
    EXPECT_EQ(noted.run(64), 3U);
    EXPECT_EQ(noted.run(2), 2U);
    noted.drop_below(Offset{5});
    EXPECT_EQ(noted.front(), Offset{5});
    EXPECT_EQ(noted.run(64), 1U);
    noted.drop_below(Offset{10});
    EXPECT_TRUE(noted.empty());
    EXPECT_TRUE(noted.is_open());
}

TEST(NotedMatches, CloseAtTheFirstThatIsTooMany) {
    std::uint64_t together = 0;
    NotedMatches noted(together);
    noted.open();
    for (std::uint64_t i = 0; i < NotedMatches::kMost; ++i) {
        noted.add(Offset{2 * i});
    }
    EXPECT_TRUE(noted.is_open());
    noted.add(Offset{50'000});
    EXPECT_FALSE(noted.is_open());
    EXPECT_EQ(noted.end(), Offset{50'000});
    noted.close(Offset{60'000});
    EXPECT_EQ(noted.end(), Offset{50'000}) << "it was closed already";
    noted.drop_below(Offset{2 * (NotedMatches::kMost - 1)});
    EXPECT_EQ(noted.front(), Offset{2 * (NotedMatches::kMost - 1)});
}

TEST(NotedMatches, HaveRoomAgainForWhatWasDropped) {
    std::uint64_t together = 0;
    NotedMatches noted(together);
    noted.open();
    for (std::uint64_t i = 0; i < 20 * NotedMatches::kMost; ++i) {
        noted.add(Offset{i});
        if (i >= 1000) {
            noted.drop_below(Offset{i - 999});
        }
    }
    EXPECT_TRUE(noted.is_open());
    EXPECT_EQ(noted.front(), Offset{20 * NotedMatches::kMost - 1000});
    EXPECT_EQ(noted.run(5000), 1000U);
    noted.clear();
    EXPECT_TRUE(noted.empty());
    EXPECT_FALSE(noted.is_open());
}

TEST(NotedMatches, HaveABudgetTogether) {
    std::uint64_t together = NotedMatches::kMostTogether - 2;
    {
        NotedMatches first(together);
        NotedMatches second(together);
        first.open();
        second.open();
        first.add(Offset{1});
        second.add(Offset{1});
        second.add(Offset{2});
        EXPECT_FALSE(second.is_open());
        EXPECT_EQ(second.end(), Offset{2});
        first.drop_below(Offset{2});
        first.add(Offset{3});
        EXPECT_TRUE(first.is_open()) << "there is room again";
    }
    EXPECT_EQ(together, NotedMatches::kMostTogether - 2);
}

}  // namespace
}  // namespace belfry
