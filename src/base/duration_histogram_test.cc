#include "base/duration_histogram.h"

#include <gtest/gtest.h>

#include <numeric>

namespace belfry {
namespace {

using namespace std::chrono_literals;

std::size_t bucket_of(Duration took) {
    DurationHistogram histogram;
    histogram.add(took);
    return static_cast<std::size_t>(
        std::ranges::find(histogram.counts, std::uint64_t{1}) - histogram.counts.begin()
    );
}

TEST(DurationHistogram, ABoundBelongsToItsBucket) {
    EXPECT_EQ(bucket_of(0ns), 0U);
    EXPECT_EQ(bucket_of(100us), 0U);
    EXPECT_EQ(bucket_of(100us + 1ns), 1U);
    EXPECT_EQ(bucket_of(1ms), 3U);
    EXPECT_EQ(bucket_of(1001us), 4U);
    EXPECT_EQ(bucket_of(1h), DurationHistogram::kBounds.size() - 1);
    EXPECT_EQ(bucket_of(1h + 1ms), DurationHistogram::kBounds.size()) << "longer than all";
    EXPECT_EQ(bucket_of(std::chrono::days(100'000)), DurationHistogram::kBounds.size());
    EXPECT_EQ(bucket_of(-5s), 0U) << "a wall clock that was set back";
}

TEST(DurationHistogram, AddsUpWhatItCounts) {
    DurationHistogram histogram;
    histogram.add(2s, 3);
    histogram.add(500ms);
    histogram.add(-1s);
    EXPECT_DOUBLE_EQ(histogram.sum_seconds, 6.5);
    EXPECT_EQ(
        std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0}), 5U
    );
    EXPECT_TRUE(std::ranges::is_sorted(DurationHistogram::kBounds));
}

}  // namespace
}  // namespace belfry
