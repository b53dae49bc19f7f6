// A page of docs/ that is made from a table of the code: a test holds the two against each other,
// and rewrites the page when the environment variable BELFRY_UPDATE is 1. For tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace belfry {

// `name`: the file's name in docs/.
inline void expect_page_is_current(std::string_view name, const std::string& made) {
    std::filesystem::path root =
        std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    std::filesystem::path page = root / "docs" / name;
    const char* update = std::getenv("BELFRY_UPDATE");
    if (update != nullptr && std::string_view(update) == "1") {
        std::ofstream(page, std::ios::binary) << made;
    }
    std::ifstream file(page, std::ios::binary);
    std::string committed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_TRUE(committed == made)
        << page
        << " is not what the code says; make it again with BELFRY_UPDATE=1 doors_test "
           "--gtest_filter='GeneratedPages*', then read the difference";
}

}  // namespace belfry
