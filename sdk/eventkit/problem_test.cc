#include "eventkit/problem.h"

#include <gtest/gtest.h>

namespace belfry::eventkit {
namespace {

TEST(Problem, LeavesOutWhatIsEmptyButTheTitle) {
    EXPECT_EQ(problem_json({.title = ""}), R"({"title":""})");
    EXPECT_EQ(
        problem_json({.title = "a \"b\"\n", .detail = "d", .type = "t", .instance = "i"}),
        R"({"title":"a \"b\"\n","detail":"d","type":"t","instance":"i"})"
    );
}

TEST(Problem, IsUtf8WhateverAHandlerThrew) {
    EXPECT_EQ(
        problem_json({.title = "\xc3\xa4", .detail = "\xff\xc3\xa4-"}),
        "{\"title\":\"\xc3\xa4\",\"detail\":\"" + std::string(3, '?') + "-\"}"
    );
}

}  // namespace
}  // namespace belfry::eventkit
