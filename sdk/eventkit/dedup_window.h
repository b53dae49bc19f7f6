// Which events a listener handled lately, so that an attempt made again (its answer was lost, or
// came too late) is answered without running the handler again. An event that two listeners get is
// two calls, so each listener has ids of its own. Bounded in number and age; the oldest go first.
// May be called from any thread.
#pragma once

#include "base/clock.h"
#include "event/uuid.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace belfry::eventkit {

class DedupWindow {
 public:
    struct Options {
        std::size_t count_max = 10'000;  // handled events that are remembered; 0: none ever
        Duration age_max = std::chrono::minutes{10};
    };
    enum class Seen : std::uint8_t {
        fresh,      // handle it, then call end()
        under_way,  // another attempt is being handled and may still fail
        handled,
    };

    explicit DedupWindow(Options options) : options_(options) {}

    // `id` is a UUID in any usual spelling; what is none is always fresh.
    [[nodiscard]] Seen begin(std::size_t listener, std::string_view id, MonoTime now);
    // After `fresh`, once. What was not handled with success is forgotten: the next attempt is
    // fresh.
    void end(std::size_t listener, std::string_view id, bool success, MonoTime now);

    // Handled events that are remembered.
    [[nodiscard]] std::size_t size() const;

 private:
    struct Key {
        Uuid id;
        std::size_t listener = 0;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };
    struct Handled {
        Key key;
        MonoTime when;
    };

    void expire(MonoTime now);

    const Options options_;
    mutable std::mutex mutex_;
    std::unordered_map<Key, bool, KeyHash> seen_;  // whether it was handled
    std::deque<Handled> handled_;                  // oldest first
};

}  // namespace belfry::eventkit
