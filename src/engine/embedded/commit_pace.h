// Decides who commits: the I/O thread while the disk is fast, the log thread while it is slow. I/O
// thread only.
#pragma once

#include "base/clock.h"

namespace belfry {

class CommitPace {
 public:
    // Slow past an average of `slow`; fast again after 100 commits in a row under half of it.
    explicit CommitPace(Duration slow) : slow_(slow) {}

    // One synchronous write took so long.
    void add(Duration took) {
        average_ += (took - average_) / 8;
        if (!on_log_thread_) {
            on_log_thread_ = average_ > slow_;
            fast_in_row_ = 0;
            return;
        }
        fast_in_row_ = took < slow_ / 2 ? fast_in_row_ + 1 : 0;
        if (fast_in_row_ >= kFastInRow) {
            on_log_thread_ = false;
            average_ = took;  // else the slow past would send it straight back
        }
    }
    [[nodiscard]] bool on_log_thread() const { return on_log_thread_; }
    [[nodiscard]] Duration average() const { return average_; }

 private:
    static constexpr int kFastInRow = 100;

    const Duration slow_;
    Duration average_{};
    bool on_log_thread_ = false;
    int fast_in_row_ = 0;
};

}  // namespace belfry
