// A page of docs/ that is made from a table of the code: a test holds the two against each other,
// and rewrites the page when the environment variable BELFRY_UPDATE is 1. For tests.
#pragma once

#include "base/file_system.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace belfry {

// `name`: the file's name in docs/.
inline void expect_page_is_current(std::string_view name, const std::string& made) {
    std::filesystem::path room = std::filesystem::path(__FILE__).parent_path();
    std::filesystem::path page = room.parent_path().parent_path() / "docs" / name;
    const char* update = std::getenv("BELFRY_UPDATE");
    bool rewrites = update != nullptr && std::string_view(update) == "1";
    auto file = posix_file_system().open(page, rewrites ? OpenMode::create : OpenMode::read);
    ASSERT_TRUE(file) << file.error().detail;
    if (rewrites) {
        ASSERT_TRUE((*file)->write_at(0, std::as_bytes(std::span(made))));
        ASSERT_TRUE((*file)->truncate(made.size()));
    }
    std::string committed((*file)->size().value(), '\0');
    ASSERT_TRUE((*file)->read_at(0, std::as_writable_bytes(std::span(committed))));
    EXPECT_TRUE(committed == made)
        << page << " is not what the code says; make it again with BELFRY_UPDATE=1 doors_test "
        << "--gtest_filter='GeneratedPages*', then read the difference";
}

}  // namespace belfry
