#include "base/ascii.h"

#include <gtest/gtest.h>

#include <string>

namespace belfry {
namespace {

// By the book: the case of A to Z counts for nothing, every other byte for itself.
bool is_same_letter(int a, int b) {
    const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
    return lower(a) == lower(b);
}

// Of 7 characters each is compared for itself, of 8 all at once, of 9 in two words that overlap.
TEST(EqualsIgnoringCase, TellsEveryByteFromEveryOtherAtEachPlace) {
    for (const std::size_t length : {7U, 8U, 9U}) {
        std::string a(length, 'x');
        std::string b(length, 'X');
        for (std::size_t at = 0; at < length; ++at) {
            for (int left = 0; left < 256; ++left) {
                for (int right = 0; right < 256; ++right) {
                    a[at] = static_cast<char>(left);
                    b[at] = static_cast<char>(right);
                    ASSERT_EQ(equals_ignoring_case(a, b), is_same_letter(left, right))
                        << left << " and " << right << " at " << at << " of " << length;
                }
            }
            a[at] = 'x';
            b[at] = 'X';
        }
    }
}

TEST(EqualsIgnoringCase, WhatStandsBesideTheLettersHasNoCase) {
    EXPECT_TRUE(equals_ignoring_case("AZ-KEEP-ALIVE", "az-keep-alive"));
    for (const std::string rest : {"123456", "1234567", "12345678"}) {
        EXPECT_TRUE(equals_ignoring_case("A" + rest, "a" + rest));
        EXPECT_TRUE(equals_ignoring_case("Z" + rest, "z" + rest));
        EXPECT_FALSE(equals_ignoring_case("@" + rest, "`" + rest));
        EXPECT_FALSE(equals_ignoring_case("[" + rest, "{" + rest));
        EXPECT_FALSE(equals_ignoring_case("\xc1" + rest, "\xe1" + rest)) << "A and a of Latin-1";
        EXPECT_FALSE(equals_ignoring_case("\xda" + rest, "\xfa" + rest));
    }
}

TEST(EqualsIgnoringCase, AnotherLengthIsAnother) {
    EXPECT_TRUE(equals_ignoring_case("", ""));
    EXPECT_FALSE(equals_ignoring_case("", "a"));
    const std::string nine = "connectio";
    for (const std::size_t length : {0U, 1U, 7U, 8U}) {
        EXPECT_FALSE(equals_ignoring_case(nine, nine.substr(0, length)));
        EXPECT_FALSE(equals_ignoring_case(nine.substr(0, length), nine));
    }
}

}  // namespace
}  // namespace belfry
