// The unsettled events below a subscription's cursor: each waits for its next attempt, for an
// earlier event of its ordering key, or is under way. At most delivery.max_unsettled of them. Owned
// by a Delivery. I/O thread only.
#pragma once

#include "base/clock.h"
#include "base/offset.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace belfry {

// A hash of (the value of) an event's ordering key; 0: unordered.
struct OrderKey {
    std::uint64_t value = 0;
    bool operator==(const OrderKey&) const = default;
};

struct Exception {
    enum class Waits : std::uint8_t { due_time, earlier_event, outcome };
    Waits waits = Waits::due_time;
    std::uint32_t attempts = 0;
    std::uint32_t step = 0;  // of the retry schedule
    bool held = false;       // the endpoint asked for the time: not even a probe before it is due
    OrderKey key;
    MonoTime due;
    WallTime due_wall;  // as stored
};

class Exceptions {
 public:
    // `offset` must not be in here.
    Exception& add(Offset offset, Exception exception);
    [[nodiscard]] Exception* find(Offset offset);
    void erase(Offset offset);
    // Changes what it waits for. `held` is set before.
    void wait_for_outcome(Offset offset);
    void wait_until(Offset offset, MonoTime due, WallTime due_wall);

    // The one that has been due for longest, if any is due at `now`.
    [[nodiscard]] std::optional<Offset> due_at(MonoTime now) const;
    // Which one probes an endpoint that fails, and when it is due: the one that has been due for
    // longest; if none is due, the one that will be first, unless it is held.
    [[nodiscard]] std::optional<std::pair<MonoTime, Offset>> to_probe(MonoTime now) const;
    // The one that is due first, and when.
    [[nodiscard]] std::optional<std::pair<MonoTime, Offset>> next_due() const;
    [[nodiscard]] std::optional<Offset> oldest() const;
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] const std::map<Offset, Exception>& all() const { return entries_; }

 private:
    void wait_for_time(Offset offset, const Exception& exception);
    void stop_waiting(Offset offset, const Exception& exception);

    std::map<Offset, Exception> entries_;
    std::set<std::pair<MonoTime, Offset>> due_;   // those that wait for their time
    std::set<std::pair<MonoTime, Offset>> free_;  // of those, the ones that are not held
};

// Which unsettled event of each ordering key is first. An event may be attempted only while it is.
class KeyOrder {
 public:
    // True if `offset` is the first of its key.
    bool enter(OrderKey key, Offset offset);
    // Takes it out; the event that is first now and was not before.
    std::optional<Offset> leave(OrderKey key, Offset offset);
    [[nodiscard]] bool is_busy(OrderKey key) const { return waiting_.contains(key.value); }

 private:
    std::unordered_map<std::uint64_t, std::set<Offset>> waiting_;
};

}  // namespace belfry
