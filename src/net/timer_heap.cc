#include "net/timer_heap.h"

#include <utility>

namespace belfry {

// A TimerId is the slot in the low half and the slot's generation, which starts at 1, in the high
// half.
TimerId TimerHeap::add(MonoTime when, Task task) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    slots_[slot].task = std::move(task);
    heap_.emplace_back();
    sift_up(heap_.size() - 1, Entry{when, ++sequence_, slot});
    return TimerId{(std::uint64_t{slots_[slot].generation} << 32) | slot};
}

void TimerHeap::cancel(TimerId timer) {
    const auto slot = static_cast<std::uint32_t>(timer.value);
    const auto generation = static_cast<std::uint32_t>(timer.value >> 32);
    if (generation == 0 || slot >= slots_.size() || slots_[slot].generation != generation) {
        return;
    }
    // The task is destroyed last: what it captured may set or cancel timers.
    const Task dropped = remove_at(slots_[slot].position);
}

std::optional<MonoTime> TimerHeap::next() const {
    if (heap_.empty()) {
        return std::nullopt;
    }
    return heap_.front().when;
}

Task TimerHeap::take_due(MonoTime now) {
    if (heap_.empty() || heap_.front().when > now) {
        return {};
    }
    return remove_at(0);
}

bool TimerHeap::before(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when < b.when : a.sequence < b.sequence;
}

void TimerHeap::place(std::size_t position, const Entry& entry) {
    heap_[position] = entry;
    slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void TimerHeap::sift_up(std::size_t position, const Entry& entry) {
    while (position > 0) {
        const std::size_t parent = (position - 1) / 2;
        if (!before(entry, heap_[parent])) {
            break;
        }
        place(position, heap_[parent]);
        position = parent;
    }
    place(position, entry);
}

void TimerHeap::sift_down(std::size_t position, const Entry& entry) {
    while (true) {
        std::size_t child = 2 * position + 1;
        if (child >= heap_.size()) {
            break;
        }
        if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) {
            ++child;
        }
        if (!before(heap_[child], entry)) {
            break;
        }
        place(position, heap_[child]);
        position = child;
    }
    place(position, entry);
}

Task TimerHeap::remove_at(std::size_t position) {
    Slot& slot = slots_[heap_[position].slot];
    Task task = std::exchange(slot.task, {});
    ++slot.generation;
    if (slot.generation == 0) {
        slot.generation = 1;
    }
    free_.push_back(heap_[position].slot);
    const Entry last = heap_.back();
    heap_.pop_back();
    if (position < heap_.size()) {
        if (position > 0 && before(last, heap_[(position - 1) / 2])) {
            sift_up(position, last);
        } else {
            sift_down(position, last);
        }
    }
    return task;
}

}  // namespace belfry
