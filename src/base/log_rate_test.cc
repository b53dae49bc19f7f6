#include "base/log_rate.h"

#include "base/manual_clock.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Which = LogRate::Which;
using LeftOut = std::vector<LogRate::LeftOut>;

class LogRateTest : public testing::Test {
 protected:
    // How many of so many lines at this time went out.
    int admitted(std::string_view sentence, int lines) {
        int out = 0;
        for (int i = 0; i < lines; ++i) {
            out += rate_.admit(sentence, clock_.now()) ? 1 : 0;
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
    EXPECT_EQ(rate_.take(clock_.now(), Which::over), LeftOut());
    EXPECT_TRUE(rate_.counts());
    clock_.advance(1s);
    EXPECT_EQ(rate_.take(clock_.now(), Which::over), (LeftOut{{"a", 990}, {"c", 1}}));
    EXPECT_EQ(rate_.take(clock_.now(), Which::over), LeftOut());
    EXPECT_FALSE(rate_.counts());
    EXPECT_EQ(admitted("a", 10), 10);
}

TEST_F(LogRateTest, NothingIsForgottenWhereASecondFollowsAnother) {
    admitted("a", 15);
    clock_.advance(1s);
    EXPECT_EQ(admitted("a", 12), 10);
    EXPECT_EQ(rate_.take(clock_.now(), Which::over), LeftOut()) << "it goes on";
    clock_.advance(2s);
    EXPECT_EQ(rate_.take(clock_.now(), Which::over), (LeftOut{{"a", 7}}));
}

TEST_F(LogRateTest, AnEndWaitsForNoSecond) {
    admitted("a", 25);
    EXPECT_EQ(rate_.take(clock_.now(), Which::all), (LeftOut{{"a", 15}}));
    EXPECT_EQ(admitted("a", 1), 0) << "the second goes on";
}

}  // namespace
}  // namespace belfry
