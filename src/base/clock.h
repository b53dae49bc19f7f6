// Port: time and timers. The program reads time nowhere else, so a test can own it.
#pragma once

#include "base/task.h"

#include <chrono>
#include <cstdint>

namespace belfry {

// Monotonic time: schedules, time-outs, leases. Never jumps.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
// Wall time with microseconds: what is shown to people and stored in records. May jump.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::nanoseconds;

// A timer that was set; 0 is none. Numbers are not used twice.
struct TimerId {
    std::uint64_t value = 0;
    auto operator<=>(const TimerId&) const = default;
};

class Clock {
 public:
    virtual ~Clock() = default;
    // May be called from any thread.
    [[nodiscard]] virtual MonoTime now() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;
    // I/O thread only. `task` runs there at or after `when`, once, never from within this call.
    virtual TimerId call_at(MonoTime when, Task task) = 0;
    // I/O thread only. After return the task will not run; a timer that ran or was cancelled is
    // ignored.
    virtual void cancel(TimerId timer) = 0;

    TimerId call_after(Duration delay, Task task) {
        return call_at(now() + delay, std::move(task));
    }
};

}  // namespace belfry
