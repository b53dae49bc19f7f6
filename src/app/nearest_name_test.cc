#include "app/nearest_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace belfry {
namespace {

TEST(EditDistance, CountsTheEditsOfATypist) {
    EXPECT_EQ(edit_distance("listen", "listen"), 0U);
    EXPECT_EQ(edit_distance("listten", "listen"), 1U);
    EXPECT_EQ(edit_distance("lisen", "listen"), 1U);
    EXPECT_EQ(edit_distance("lisetn", "listen"), 1U);
    EXPECT_EQ(edit_distance("Listen", "listen"), 1U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(NearestName, IsTheClosestOrNone) {
    constexpr auto kNames = std::to_array<std::string_view>({"data", "http.listen", "insecure"});
    EXPECT_EQ(nearest_name("date", kNames), "data");
    EXPECT_EQ(nearest_name("http.listn", kNames), "http.listen");
    EXPECT_EQ(nearest_name("zebra", kNames), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(100'000, 'd'), kNames), std::nullopt);
}

}  // namespace
}  // namespace belfry
