#include "eventkit/dedup_window.h"

#include "event/steadybit_body.h"

#include <optional>

namespace belfry::eventkit {

// Whoever makes up ids chooses both halves, so neither may be the hash alone.
std::size_t DedupWindow::KeyHash::operator()(const Key& key) const {
    constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
    std::uint64_t hash = (key.id.high ^ key.listener) * kOdd;
    hash = (hash ^ hash >> 32 ^ key.id.low) * kOdd;
    return hash ^ hash >> 29;
}

DedupWindow::Seen DedupWindow::begin(std::size_t listener, std::string_view id, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (options_.count_max == 0 || !uuid) {
        return Seen::fresh;
    }
    const std::scoped_lock lock(mutex_);
    expire(now);
    const auto [at, fresh] = seen_.try_emplace(Key{.id = *uuid, .listener = listener}, false);
    if (fresh) {
        return Seen::fresh;
    }
    return at->second ? Seen::handled : Seen::under_way;
}

void DedupWindow::end(std::size_t listener, std::string_view id, bool success, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (options_.count_max == 0 || !uuid) {
        return;
    }
    const std::scoped_lock lock(mutex_);
    const auto at = seen_.find(Key{.id = *uuid, .listener = listener});
    if (at == seen_.end() || at->second) {
        return;
    }
    if (!success) {
        seen_.erase(at);
        return;
    }
    at->second = true;
    handled_.push_back({.key = at->first, .when = now});
    expire(now);
}

std::size_t DedupWindow::size() const {
    const std::scoped_lock lock(mutex_);
    return handled_.size();
}

void DedupWindow::expire(MonoTime now) {
    while (!handled_.empty() && (handled_.size() > options_.count_max ||
                                 now - handled_.front().when >= options_.age_max)) {
        seen_.erase(handled_.front().key);
        handled_.pop_front();
    }
}

}  // namespace belfry::eventkit
