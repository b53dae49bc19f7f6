#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

WallTime at(std::int64_t micros) {
    return WallTime{std::chrono::microseconds{micros}};
}

TEST(Rfc3339, WritesMicrosecondsInUtc) {
    EXPECT_EQ(rfc3339(at(0)), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(rfc3339(at(1'234'567'890'123'456)), "2009-02-13T23:31:30.123456Z");
    EXPECT_EQ(rfc3339(at(-1)), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(rfc3339(WallTime::max()), "9999-12-31T23:59:59.999999Z");
    EXPECT_EQ(rfc3339(WallTime::min()), "0000-01-01T00:00:00.000000Z");
}

TEST(Rfc3339, ReadsWhatItWrites) {
    for (const std::int64_t micros :
         {0L, 1L, -1L, 951'782'399'999'999L, 253'402'300'799'999'999L}) {
        EXPECT_EQ(parse_rfc3339(rfc3339(at(micros))), at(micros));
    }
}

TEST(Rfc3339, ReadsEveryForm) {
    const WallTime expected = at(482'196'050'520'000);
    EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z"), expected);
    EXPECT_EQ(parse_rfc3339("1985-04-12t23:20:50.520000999z"), expected);
    EXPECT_EQ(parse_rfc3339("1985-04-13T01:20:50.52+02:00"), expected);
    EXPECT_EQ(parse_rfc3339("1985-04-12 15:50:50.52-07:30"), expected);
    EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z"), parse_rfc3339("1991-01-01T00:00:00Z"));
    EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00-00:00").has_value());
}

TEST(Rfc3339, RefusesTheRest) {
    for (const std::string_view text :
         {"",
          "2024",
          "2024-01-01",
          "2024-01-01T00:00:00",
          "2024-01-01T00:00Z",
          "2024-13-01T00:00:00Z",
          "2024-00-01T00:00:00Z",
          "2023-02-29T00:00:00Z",
          "2024-01-32T00:00:00Z",
          "2024-01-01T24:00:00Z",
          "2024-01-01T00:60:00Z",
          "2024-01-01T00:00:61Z",
          "2024-01-01T00:00:00.Z",
          "2024-01-01T00:00:00+0100",
          "2024-01-01T00:00:00+24:00",
          "2024-01-01T00:00:00+01:60",
          "2024-01-01T00:00:00Zx",
          " 2024-01-01T00:00:00Z",
          "2024-1-01T00:00:00Z",
          "-024-01-01T00:00:00Z",
          "2024-01-01X00:00:00Z",
          "2024-01-01T00:00:00,5Z"}) {
        EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
    }
}

TEST(Rfc3339, NothingButADigitStandsForOne) {
    const std::string good = "2024-01-01T00:00:00.1+01:00";
    ASSERT_TRUE(parse_rfc3339(good));
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char other : {'/', ':', '\0', '-', '\x80', 'A', ' '}) {
            std::string text = good;
            text[i] = other;
            const bool same =
                other == good[i] || (i == 10 && other == ' ') || (good[i] == '+' && other == '-');
            EXPECT_EQ(parse_rfc3339(text).has_value(), same) << text;
        }
        EXPECT_FALSE(parse_rfc3339(good.substr(0, i))) << i;
    }
}

}  // namespace
}  // namespace belfry
