// A Clock and an Executor that a test owns: time moves when it is told to, tasks run when they are
// asked to.
#pragma once

#include "base/clock.h"
#include "base/task.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace belfry {

// Tasks in the order posted, run by the test's thread.
class ManualExecutor final : public Executor {
 public:
    void post(Task task) override { tasks_.push_back(std::move(task)); }
    // Runs the oldest task; false if there is none.
    bool run_one() {
        if (tasks_.empty()) {
            return false;
        }
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
        return true;
    }
    // Runs until none is left; how many ran.
    std::size_t run_all() {
        std::size_t count = 0;
        while (run_one()) {
            ++count;
        }
        return count;
    }
    // Forgets them: a crash.
    void clear() { tasks_.clear(); }
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

 private:
    std::deque<Task> tasks_;
};

// Starts at 2026-01-01T00:00:00Z and monotonic time one hour.
class ManualClock final : public Clock {
 public:
    [[nodiscard]] MonoTime now() const override { return now_; }
    [[nodiscard]] WallTime wall() const override { return wall_; }
    TimerId call_at(MonoTime when, Task task) override {
        TimerId id{++last_id_};
        timers_.emplace(std::pair{when, id}, std::move(task));
        return id;
    }
    void cancel(TimerId timer) override {
        std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
    }

    // Moves both clocks forward and runs the timers that come due, in order of their times.
    void advance(Duration by) {
        MonoTime target = now_ + by;
        while (!timers_.empty() && timers_.begin()->first.first <= target) {
            auto node = timers_.extract(timers_.begin());
            set_now(std::max(now_, node.key().first));
            node.mapped()();
        }
        set_now(target);
    }
    // When the next timer is due.
    [[nodiscard]] std::optional<MonoTime> next_timer() const {
        if (timers_.empty()) {
            return std::nullopt;
        }
        return timers_.begin()->first.first;
    }
    // The wall clock alone jumps, as by NTP.
    void jump_wall(std::chrono::microseconds by) { wall_ += by; }
    void clear() { timers_.clear(); }

 private:
    void set_now(MonoTime now) {
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(now - now_);
        now_ = now;
    }

    MonoTime now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
    std::uint64_t last_id_ = 0;
    std::map<std::pair<MonoTime, TimerId>, Task> timers_;
};

}  // namespace belfry
