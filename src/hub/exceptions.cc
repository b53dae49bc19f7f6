#include "hub/exceptions.h"

#include "base/assert.h"

namespace belfry {

Exception& Exceptions::add(Offset offset, Exception exception) {
    auto [at, added] = entries_.emplace(offset, exception);
    ASSERT(added);
    if (exception.waits == Exception::Waits::due_time) {
        wait_for_time(offset, exception);
    }
    return at->second;
}

void Exceptions::wait_for_time(Offset offset, const Exception& exception) {
    due_.emplace(exception.due, offset);
    if (!exception.held) {
        free_.emplace(exception.due, offset);
    }
}

void Exceptions::stop_waiting(Offset offset, const Exception& exception) {
    due_.erase({exception.due, offset});
    free_.erase({exception.due, offset});
}

Exception* Exceptions::find(Offset offset) {
    auto at = entries_.find(offset);
    return at == entries_.end() ? nullptr : &at->second;
}

void Exceptions::erase(Offset offset) {
    auto at = entries_.find(offset);
    ASSERT(at != entries_.end());
    stop_waiting(offset, at->second);
    entries_.erase(at);
}

void Exceptions::wait_for_outcome(Offset offset) {
    Exception* exception = find(offset);
    ASSERT(exception != nullptr);
    stop_waiting(offset, *exception);
    exception->waits = Exception::Waits::outcome;
}

void Exceptions::wait_until(Offset offset, MonoTime due, WallTime due_wall) {
    Exception* exception = find(offset);
    ASSERT(exception != nullptr);
    stop_waiting(offset, *exception);
    exception->waits = Exception::Waits::due_time;
    exception->due = due;
    exception->due_wall = due_wall;
    wait_for_time(offset, *exception);
}

std::optional<Offset> Exceptions::due_at(MonoTime now) const {
    if (due_.empty() || due_.begin()->first > now) {
        return std::nullopt;
    }
    return due_.begin()->second;
}

std::optional<std::pair<MonoTime, Offset>> Exceptions::to_probe(MonoTime now) const {
    const auto& waiting = due_at(now) ? due_ : free_;
    return waiting.empty() ? std::nullopt : std::optional(*waiting.begin());
}

std::optional<std::pair<MonoTime, Offset>> Exceptions::next_due() const {
    if (due_.empty()) {
        return std::nullopt;
    }
    return *due_.begin();
}

std::optional<Offset> Exceptions::oldest() const {
    if (entries_.empty()) {
        return std::nullopt;
    }
    return entries_.begin()->first;
}

bool KeyOrder::enter(OrderKey key, Offset offset) {
    std::set<Offset>& offsets = waiting_[key.value];
    offsets.insert(offset);
    return *offsets.begin() == offset;
}

std::optional<Offset> KeyOrder::leave(OrderKey key, Offset offset) {
    auto at = waiting_.find(key.value);
    ASSERT(at != waiting_.end());
    bool was_first = *at->second.begin() == offset;
    at->second.erase(offset);
    if (at->second.empty()) {
        waiting_.erase(at);
        return std::nullopt;
    }
    if (!was_first) {
        return std::nullopt;
    }
    return *at->second.begin();
}

}  // namespace belfry
