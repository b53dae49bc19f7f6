// Which events a listener handled lately, so that an attempt made again (its answer was lost, or
// came too late) is answered without running the handler again. An event that two listeners get is
// two calls, so each listener has ids of its own. Bounded in number and age; the oldest go first.
// One thread at a time. Every event passes here, so it is one table without a node per event.
#pragma once

#include "base/clock.h"
#include "event/uuid.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

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
    explicit DedupWindow(Options options);

    // `id` is a UUID in any usual spelling; what is none is always fresh.
    [[nodiscard]] Seen begin(std::uint32_t listener, std::string_view id, MonoTime now);
    // After `fresh`, once. What was not handled with success is forgotten: the next attempt is
    // fresh.
    void end(std::uint32_t listener, std::string_view id, bool success, MonoTime now);

    // Handled events that are remembered.
    [[nodiscard]] std::size_t size() const { return handled_; }

 private:
    struct Key {
        Uuid id;
        std::uint32_t listener = 0;
        bool operator==(const Key&) const = default;
    };
    // Numbers of entries; kNone is no entry.
    using Number = std::uint32_t;
    static constexpr Number kNone = 0xFFFF'FFFF;

    struct Entry {
        Key key;
        Number next = kNone;  // handled: the one that was handled next; free: the next free one
        MonoTime handled_at = MonoTime::max();  // max: it is under way
    };
    // The hash stands beside the number, so that most entries are not looked at to be passed over.
    struct Slot {
        Number number = kNone;
        std::uint32_t hash = 0;
    };

    [[nodiscard]] std::uint32_t hash_of(const Key& key) const;
    // Of the key, or where it would be.
    [[nodiscard]] std::size_t place_of(const Key& key, std::uint32_t hash) const;
    // Of an entry that is there.
    [[nodiscard]] std::size_t place_of(Number number, std::uint32_t hash) const;
    [[nodiscard]] std::size_t after(std::size_t place) const {
        return (place + 1) & (table_.size() - 1);
    }
    void add(const Key& key, std::uint32_t hash, std::size_t place);
    void remove(std::size_t place);
    void grow();
    void expire(MonoTime now);

    const Options options_;
    std::array<unsigned char, 16> secret_{};  // of the hash
    std::vector<Entry> entries_;
    Number free_ = kNone;
    Number oldest_ = kNone;  // handled
    Number newest_ = kNone;
    std::size_t handled_ = 0;
    // Open addressing; a power of two in size, at most three quarters full.
    std::vector<Slot> table_;
    std::size_t used_ = 0;
};

}  // namespace belfry::eventkit
