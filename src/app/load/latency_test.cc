#include "app/load/latency.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(Latency, QuantilesAreRightToThreePercentAtEverySize) {
    for (const std::uint64_t scale : {1'000UL, 100'000UL, 5'000'000UL, 700'000'000UL}) {
        Latency latency;
        for (std::uint64_t i = 1; i <= 1000; ++i) {
            latency.add(i * scale);
        }
        const double unit_us = static_cast<double>(scale) / 1000.0;
        EXPECT_NEAR(latency.quantile_us(0.50), 501 * unit_us, 0.032 * 501 * unit_us);
        EXPECT_NEAR(latency.quantile_us(0.99), 991 * unit_us, 0.032 * 991 * unit_us);
    }
}

TEST(Latency, OneSlowAnswerShowsInTheMaximumAlone) {
    Latency latency;
    for (int i = 0; i < 999; ++i) {
        latency.add(10'000);
    }
    latency.add(9'000'000);
    EXPECT_NEAR(latency.quantile_us(0.99), 10, 0.4);
    EXPECT_NEAR(latency.quantile_us(1.0 - 1e-9), 9'000, 290);
}

TEST(Latency, HoldsTheSmallestAndTheLargestValue) {
    Latency latency;
    latency.add(0);
    EXPECT_EQ(latency.quantile_us(0), 0);
    latency.add(~std::uint64_t{0});
    EXPECT_EQ(latency.count(), 2U);
}

}  // namespace
}  // namespace belfry
