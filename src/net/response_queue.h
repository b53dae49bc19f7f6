// The unanswered requests of one connection, oldest first. Handlers finish in any order, answers
// leave in this one: an early answer waits here as bytes. Keeps its memory, so that one request at
// a time never allocates. Owned by a ServerConnection.
#pragma once

#include "base/clock.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace belfry {

class ResponseQueue {
 public:
    struct Slot {
        MonoTime since{};
        bool is_head = false;
        bool is_get = false;
        bool http_1_0 = false;
        bool waits = false;     // no time-out
        bool close = false;     // the connection ends after this answer
        bool stream = false;    // the answer has begun and has no end yet
        bool answered = false;  // whole
        std::string bytes;      // what waits for the answers before it
        std::move_only_function<void()> on_gone;
        std::move_only_function<void()> on_drained;
    };

    // The number that names the request from now on.
    std::uint64_t push(Slot slot) {
        slots_.push_back(std::move(slot));
        return first_number_ + size() - 1;
    }
    // nullptr if it was popped.
    [[nodiscard]] Slot* find(std::uint64_t number) {
        const std::uint64_t index = number - first_number_;
        return number >= first_number_ && index < size() ? &slots_[first_ + index] : nullptr;
    }
    [[nodiscard]] bool is_front(const Slot& slot) const { return &slot == &slots_[first_]; }
    [[nodiscard]] bool is_back(const Slot& slot) const { return &slot == &slots_.back(); }
    [[nodiscard]] Slot& front() { return slots_[first_]; }
    [[nodiscard]] std::size_t size() const { return slots_.size() - first_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    void pop() {
        slots_[first_] = Slot{};
        ++first_;
        ++first_number_;
        if (first_ == slots_.size()) {
            slots_.clear();
            first_ = 0;
        } else if (first_ >= kCompact) {
            slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
    }
    template <typename See>
    void for_each(See see) {
        for (std::size_t i = first_; i < slots_.size(); ++i) {
            see(slots_[i]);
        }
    }

 private:
    static constexpr std::size_t kCompact = 256;  // popped slots kept before the rest moves down

    std::vector<Slot> slots_;
    std::size_t first_ = 0;
    std::uint64_t first_number_ = 0;
};

}  // namespace belfry
