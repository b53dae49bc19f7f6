#include "doors/consul/go_numbers.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

TEST(GoDuration, ReadsWhatGoReads) {
    EXPECT_EQ(parse_go_duration("0"), 0ns);
    EXPECT_EQ(parse_go_duration("10s"), 10s);
    EXPECT_EQ(parse_go_duration("1m30s"), 90s);
    EXPECT_EQ(parse_go_duration("250ms"), 250ms);
    EXPECT_EQ(parse_go_duration("1.5h"), 90min);
    EXPECT_EQ(parse_go_duration(".5s"), 500ms);
    EXPECT_EQ(parse_go_duration("1.s"), 1s);
    EXPECT_EQ(parse_go_duration("3\u00b5s"), 3us);
    EXPECT_EQ(parse_go_duration("+7ns"), 7ns);
    EXPECT_EQ(parse_go_duration("-2s"), -2s);
    EXPECT_EQ(parse_go_duration("20m"), 20min);
}

TEST(GoDuration, RefusesTheRest) {
    for (std::string_view text :
         {"",
          "10",
          "60foo",
          "s",
          ".s",
          "1..5s",
          "1 s",
          "-",
          "1s ",
          "1d",
          "9223372036854775808ns",
          "3000000h",
          "0x1s",
          "1e3s"}) {
        EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
    }
}

TEST(GoUint, ReadsDigitsOnly) {
    EXPECT_EQ(parse_go_uint("0"), 0U);
    EXPECT_EQ(parse_go_uint("18446744073709551615"), 18446744073709551615U);
    for (std::string_view text :
         {"", "-1", "+1", "1.5", "foo", "0x1", "1 ", "18446744073709551616"}) {
        EXPECT_EQ(parse_go_uint(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace belfry
