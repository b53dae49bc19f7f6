#include "sinks/retry_after.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

// 1994-11-06T08:49:37Z, the date of RFC 9110.
constexpr WallTime kNow{784111777s};

TEST(RetryAfter, ReadsSeconds) {
    EXPECT_EQ(parse_retry_after("120", kNow), 120s);
    EXPECT_EQ(parse_retry_after("86400", kNow), 24h);
}

TEST(RetryAfter, StaysBetweenASecondAndADay) {
    EXPECT_EQ(parse_retry_after("0", kNow), 1s) << "no loop";
    EXPECT_EQ(parse_retry_after("86401", kNow), 24h);
    EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), 24h);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", kNow), 1s) << "it has passed";
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kNow), 24h);
}

TEST(RetryAfter, ReadsTheThreeFormsOfADate) {
    WallTime before = kNow - 90s;
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", before), 90s);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", before), 90s);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", before), 90s);
    EXPECT_EQ(parse_retry_after("Sun Nov 16 08:49:37 1994", before), 24h);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", before + 300ms), 90s)
        << "not a moment too early";
}

TEST(RetryAfter, UnderstandsTwoDigitYearsAroundNow) {
    WallTime now{1767225600s};  // 2026-01-01
    EXPECT_EQ(parse_retry_after("Thursday, 01-Jan-26 00:01:00 GMT", now), 60s);
    EXPECT_EQ(parse_retry_after("Wednesday, 01-Jan-76 00:00:00 GMT", now), 24h) << "2076";
    EXPECT_EQ(parse_retry_after("Friday, 01-Jan-77 00:00:00 GMT", now), 1s) << "1977";
    EXPECT_EQ(parse_retry_after("Friday, 01-Jan-99 00:00:00 GMT", now), 1s) << "1999";
}

TEST(RetryAfter, IgnoresEverythingElse) {
    for (const char* bad :
         {"",
          "-1",
          "+1",
          "1.5",
          "1 s",
          "soon",
          "0x10",
          "Sun, 06 Nov 1994 08:49:37",
          ", , , , , ",
          "Sun, 06 Nov 1994 08:49:37 UTC",
          "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Foo 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT",
          "Sun, 06 Nov 1994 08:49:61 GMT",
          "Sun, 6 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 94 08:49:37 GMT",
          "Sun, 06 Nov 1994 8:49:37 GMT",
          "Sunday, 06-Nov-1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:3x GMT",
          "Sun Nov 6666666666 08:49:37 1994"}) {
        EXPECT_EQ(parse_retry_after(bad, kNow), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace belfry
