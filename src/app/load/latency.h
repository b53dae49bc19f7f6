// Latencies as counts in buckets of 1/32 of a power of two, so a percentile is right to 3 % at any
// size and the memory does not grow with the run. One thread; nanoseconds in, microseconds out.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace belfry {

class Latency {
 public:
    void add(std::uint64_t ns) {
        ++buckets_[bucket_of(ns)];
        ++count_;
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }

    // The latency that `part` (0 to 1) of all were at or below.
    [[nodiscard]] double quantile_us(double part) const {
        if (count_ == 0) {
            return 0;
        }
        auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(count_));
        wanted = std::min(wanted, count_ - 1);  // the whole: the longest of them
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen > wanted) {
                return static_cast<double>(upper_bound_ns(i)) / 1000.0;
            }
        }
        return 0;
    }

 private:
    static constexpr unsigned kStepBits = 5;
    static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;

    // Below kSteps every value has a bucket; above, a power of two has kSteps of them.
    static std::size_t bucket_of(std::uint64_t ns) {
        if (ns < kSteps) {
            return ns;
        }
        const auto power = static_cast<unsigned>(std::bit_width(ns)) - 1;
        const std::uint64_t step = (ns >> (power - kStepBits)) - kSteps;
        return (power - kStepBits + 1) * kSteps + step;
    }
    static std::uint64_t upper_bound_ns(std::size_t bucket) {
        if (bucket < kSteps) {
            return bucket;
        }
        const std::size_t power = bucket / kSteps - 1;
        return ((bucket % kSteps + kSteps + 1) << power) - 1;
    }

    std::array<std::uint64_t, (64 - kStepBits + 1) * kSteps> buckets_{};
    std::uint64_t count_ = 0;
};

}  // namespace belfry
