// How long something took, counted in fixed buckets from 100 µs to an hour; what a Prometheus
// histogram is made of. add() compares and adds, it never allocates. Belongs to one thread; others
// get copies.
#pragma once

#include "base/clock.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace belfry {

struct DurationHistogram {
    // Upper bounds, inclusive, in seconds.
    static constexpr std::array<double, 20> kBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                    0.005,  0.01,    0.025,  0.05,  0.1,
                                                    0.25,   0.5,     1,      2.5,   5,
                                                    10,     30,      60,     300,   3600};

    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // of each bucket alone; last: longer
    double sum_seconds = 0;

    void add(Duration took, std::uint64_t times = 1) {
        double seconds = std::max(0.0, std::chrono::duration<double>(took).count());
        auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
        counts[static_cast<std::size_t>(bucket)] += times;
        sum_seconds += seconds * static_cast<double>(times);
    }
};

}  // namespace belfry
