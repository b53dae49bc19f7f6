// The last successful attempts of a subscription, in memory: a ring that grows to 100 small
// entries.
#pragma once

#include "base/clock.h"
#include "event/uuid.h"

#include <cstdint>
#include <vector>

namespace belfry {

struct SettledAttempt {
    Uuid event;
    Offset offset;
    WallTime at;
    std::uint32_t attempt = 1;
    std::uint32_t duration_ms = 0;
    std::uint32_t status = 0;
};

class AttemptHistory {
 public:
    static constexpr std::size_t kKept = 100;

    void add(const SettledAttempt& attempt) {
        if (ring_.size() < kKept) {
            ring_.push_back(attempt);
        } else {
            ring_[next_] = attempt;
        }
        next_ = (next_ + 1) % kKept;
    }
    // Newest first.
    template <typename F>
    void for_each(F visit) const {
        for (std::size_t i = 0; i < ring_.size(); ++i) {
            visit(ring_[(next_ + kKept - 1 - i) % kKept]);
        }
    }

 private:
    std::vector<SettledAttempt> ring_;
    std::size_t next_ = 0;
};

}  // namespace belfry
