#include "base/duration.h"

#include <gtest/gtest.h>

#include <random>

namespace belfry {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsWhatPeopleWrite) {
    EXPECT_EQ(parse_duration("10s").value(), 10s);
    EXPECT_EQ(parse_duration("5m").value(), 5min);
    EXPECT_EQ(parse_duration("1h30m").value(), 90min);
    EXPECT_EQ(parse_duration("250ms").value(), 250ms);
    EXPECT_EQ(parse_duration("7d").value(), 168h);
    EXPECT_EQ(parse_duration("1d2h3m4s5ms6us").value(), 26h + 3min + 4s + 5ms + 6us);
    EXPECT_EQ(parse_duration("0s").value(), 0s);
    EXPECT_EQ(parse_duration("007s").value(), 7s);
}

TEST(Duration, RefusesEverythingElse) {
    for (std::string_view bad :
         {"",     "10",    "s",     "-1s",  "+1s",  "1.5s",  "1 s",   " 1s", "1s ",
          "1S",   "1sec",  "30m1h", "1s1s", "1h1h", "10sms", "ms",    "1m5", "1y",
          "1e3s", "0x10s", "1,5s",  "1ns",  "10 m", "∞",     "1s\n2m"}) {
        Result<Duration> result = parse_duration(bad);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(result.error().code, Errc::bad_request) << bad;
        EXPECT_NE(result.error().detail.find("10s"), std::string::npos) << "shows the right form";
    }
}

TEST(Duration, DoesNotOverflow) {
    EXPECT_EQ(parse_duration("9223372036s").value(), 9223372036s);
    EXPECT_FALSE(parse_duration("9223372037s").has_value());
    EXPECT_FALSE(parse_duration("106752d").has_value());
    EXPECT_FALSE(parse_duration("106751d24h").has_value());
    EXPECT_FALSE(parse_duration("99999999999999999999s").has_value());
    EXPECT_FALSE(parse_duration("18446744073709551617us").has_value()) << "would wrap to 1";
}

TEST(Duration, PrintsTheShortestText) {
    EXPECT_EQ(duration_text(90min), "1h30m");
    EXPECT_EQ(duration_text(24h), "1d");
    EXPECT_EQ(duration_text(0s), "0s");
    EXPECT_EQ(duration_text(250ms), "250ms");
    EXPECT_EQ(duration_text(1500ms), "1s500ms");
    EXPECT_EQ(duration_text(1us + 1ns), "1us");
}

TEST(Duration, ReadsBackWhatItPrinted) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        auto shift = static_cast<unsigned>(random() % 54);
        std::chrono::microseconds value(
            static_cast<std::int64_t>((random() >> 10 >> shift) % 9'223'372'036'854'775ULL)
        );
        ASSERT_EQ(parse_duration(duration_text(value)).value(), value) << value.count();
    }
}

}  // namespace
}  // namespace belfry
