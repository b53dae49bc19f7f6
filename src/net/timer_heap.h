// Timers in order of their time: a binary heap of small entries over stable slots, so that setting
// one is cheap (deadlines mostly come in order) and cancelling one costs O(log n). Owned by the
// Loop; I/O thread only.
#pragma once

#include "base/clock.h"
#include "base/task.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace belfry {

class TimerHeap {
 public:
    TimerId add(MonoTime when, Task task);
    // Does nothing if the timer ran or was cancelled.
    void cancel(TimerId timer);
    // When the first is due; nullopt without one.
    [[nodiscard]] std::optional<MonoTime> next() const;
    // Removes and returns the first if it is due at `now`; an empty task otherwise. Equal times
    // keep their order.
    [[nodiscard]] Task take_due(MonoTime now);
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
    struct Entry {
        MonoTime when;
        std::uint64_t sequence;
        std::uint32_t slot;
    };
    struct Slot {
        Task task;
        std::uint32_t generation = 1;
        std::uint32_t position = 0;  // in heap_
    };

    [[nodiscard]] static bool before(const Entry& a, const Entry& b);
    void place(std::size_t position, const Entry& entry);
    void sift_up(std::size_t position, const Entry& entry);
    void sift_down(std::size_t position, const Entry& entry);
    Task remove_at(std::size_t position);

    std::vector<Entry> heap_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::uint64_t sequence_ = 0;
};

}  // namespace belfry
