#include "base/log_rate.h"

#include "base/manual_clock.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using LeftOut = std::vector<LogRate::LeftOut>;

class LogRateTest : public testing::Test {
 protected:
    // How many of so many lines at this time went out.
    int admitted(std::string_view sentence, int lines, LogLevel level = LogLevel::warn) {
        int out = 0;
        for (int i = 0; i < lines; ++i) {
            out += rate_.admit(level, sentence, clock_.now()) ? 1 : 0;
        }
        return out;
    }

    ManualClock clock_;
    LogRate rate_;
};

TEST_F(LogRateTest, OfASentenceTenLinesASecondGoOut) {
    EXPECT_EQ(admitted("it failed", 10), 10);
    EXPECT_EQ(admitted("it failed", 90), 0);
    clock_.advance(999ms);
    EXPECT_EQ(admitted("it failed", 5), 0);
    clock_.advance(1ms);
    EXPECT_EQ(admitted("it failed", 100), 10);
}

TEST_F(LogRateTest, OneSentenceTakesNothingFromAnother) {
    EXPECT_EQ(admitted("it failed", 1000), 10);
    EXPECT_EQ(admitted("something else", 3), 3);
}

TEST_F(LogRateTest, WhatWasLeftOutIsSaidOnceItsSecondIsOver) {
    admitted("a", 1000);
    admitted("b", 10);
    admitted("c", 11);
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::of_past_seconds), LeftOut());
    EXPECT_TRUE(rate_.counts());
    clock_.advance(1s);
    EXPECT_EQ(
        rate_.take(clock_.now(), LeftOutLines::of_past_seconds), (LeftOut{{"a", 990}, {"c", 1}})
    );
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::of_past_seconds), LeftOut());
    EXPECT_FALSE(rate_.counts());
    EXPECT_EQ(admitted("a", 10), 10);
}

TEST_F(LogRateTest, NothingIsForgottenWhereASecondFollowsAnother) {
    admitted("a", 15);
    clock_.advance(1s);
    EXPECT_EQ(admitted("a", 12), 10);
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::of_past_seconds), LeftOut()) << "it goes on";
    clock_.advance(2s);
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::of_past_seconds), (LeftOut{{"a", 7}}));
}

TEST_F(LogRateTest, WhatWasLeftOutIsAsGraveAsTheGravestOfIt) {
    admitted("a", 11, LogLevel::warn);
    admitted("a", 2, LogLevel::error);
    admitted("a", 1, LogLevel::warn);
    admitted("b", 10, LogLevel::error);
    admitted("b", 1, LogLevel::warn);
    EXPECT_EQ(
        rate_.take(clock_.now(), LeftOutLines::all),
        (LeftOut{{"a", 4, LogLevel::error}, {"b", 1, LogLevel::warn}})
    );
    admitted("a", 1, LogLevel::warn);
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::all), (LeftOut{{"a", 1, LogLevel::warn}}))
        << "those were said";
}

TEST_F(LogRateTest, AnEndWaitsForNoSecond) {
    admitted("a", 25);
    EXPECT_EQ(rate_.take(clock_.now(), LeftOutLines::all), (LeftOut{{"a", 15}}));
    EXPECT_EQ(admitted("a", 1), 0) << "the second goes on";
}

}  // namespace
}  // namespace belfry
