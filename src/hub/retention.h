// Retention: drops whole segments that are too old or too many. It stops at the oldest unsettled
// event of an active subscription; past the hard bound it goes on, and what it passes becomes dead
// letters first. Subscriptions that are paused or disabled hold nothing back, but lose nothing
// silently either. Owned by the hub; the ports must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"
#include "engine/log.h"
#include "hub/deliveries.h"
#include "hub/state_writer.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace belfry {

struct RetentionOptions {
    std::chrono::seconds age{7 * 24 * 3600};
    std::uint64_t bytes = 10ULL * 1024 * 1024 * 1024;
    std::uint64_t hard_bytes = 0;  // 0: no bound but `bytes`; the wiring gives 0.8 of the disk
    std::chrono::milliseconds every{2'000};
};

class Retention {
 public:
    Retention(
        Clock& clock,
        Log& log,
        Deliveries& deliveries,
        StateWriter& writer,
        const RetentionOptions& options
    );
    ~Retention();
    Retention(const Retention&) = delete;
    Retention& operator=(const Retention&) = delete;

    void start();
    void stop();
    [[nodiscard]] std::uint64_t expired() const { return expired_; }

 private:
    void arm();
    void look();
    void watch_wall_clock();
    void hold();
    [[nodiscard]] Offset cut() const;
    void pass_next();
    void count_range(Offset at);
    [[nodiscard]] std::uint64_t lost(const Delivery& delivery, const LogEntry& entry) const;
    void copy_exceptions();
    void finish();
    void trim();

    // Constant after construction.
    Clock& clock_;
    Log& log_;
    Deliveries& deliveries_;
    StateWriter& writer_;
    const RetentionOptions options_;
    // I/O thread.
    TimerId timer_;
    bool stopped_ = false;
    // The wall clock against monotonic time, so that one bad NTP answer cannot erase the log.
    WallTime last_wall_{};
    MonoTime last_mono_{};
    MonoTime held_until_{};
    // The cut under way: everything below is about to be dropped.
    Offset cut_;
    std::deque<SubscriptionKey> to_pass_;
    Offset range_from_;
    std::uint64_t range_count_ = 0;
    std::deque<Offset> exceptions_;
    bool trim_failed_ = false;  // something that was dropped is still on the disk
    std::uint64_t expired_ = 0;
};

}  // namespace belfry
