// Which ids were stored lately: (tenant, source, id) as a keyed 128-bit hash, for some minutes and
// at most so many ids. Only ids that publishers gave. I/O thread only.
#pragma once

#include "base/clock.h"
#include "event/event.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace belfry {

// Secret, random, kept in DIR/log/dedup.key, so that nobody can make ids collide.
using DedupKey = std::array<std::uint8_t, 16>;

struct EventFingerprint {
    std::array<std::uint64_t, 2> id{};  // of tenant, source and id
    std::uint64_t content = 0;          // of everything else but `time`
    bool operator==(const EventFingerprint&) const = default;
};
[[nodiscard]] EventFingerprint fingerprint(const Event& event, const DedupKey& key);

// One id as a segment's summary keeps it.
struct DedupRow {
    EventFingerprint print;
    Offset offset;
    WallTime recorded;
    bool operator==(const DedupRow&) const = default;
};

class DedupWindow {
 public:
    DedupWindow(Duration length, std::size_t ids_max);

    struct Found {
        Offset offset;
        bool same_content = false;
    };
    // Fetches what find() and add() will need of an id that comes soon: it is far from any cache.
    void expect(const EventFingerprint& print) const {
        __builtin_prefetch(&slots_[home(low_of(print))]);
    }
    [[nodiscard]] std::optional<Found> find(const EventFingerprint& print, MonoTime now);
    // For an id that find() does not know. Offsets rise from call to call.
    void add(const EventFingerprint& print, Offset offset, MonoTime now, WallTime recorded);
    // Forgets what was added at or above `offset`: it was not stored after all.
    void forget_from(Offset offset);
    // What it still knows of offsets in [from, to).
    [[nodiscard]] std::vector<DedupRow> rows(Offset from, Offset to) const;
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
    struct Entry {
        DedupRow row;
        MonoTime added;
    };
    struct Free {
        void operator()(void* memory) const;
    };
    // An entry's number, counted since the start, modulo 2^31; far fewer live at once. In a slot
    // the highest bit says that it is taken.
    using Number = std::uint32_t;
    static constexpr Number kTaken = 1U << 31U;
    // A slot knows enough of its id to be probed and moved without a look at the entry: that is far
    // away and not in the cache.
    struct Slot {
        Number number = 0;      // 0: free
        std::uint32_t low = 0;  // of the id's hash
    };
    [[nodiscard]] static std::uint32_t low_of(const EventFingerprint& print) {
        return static_cast<std::uint32_t>(print.id[0]);
    }

    void expire(MonoTime now);
    [[nodiscard]] const Entry& entry_in(const Slot& slot) const {
        return entries_[(slot.number - oldest_) & ~kTaken];
    }
    [[nodiscard]] std::size_t home(std::uint32_t low) const { return low & mask_; }
    [[nodiscard]] std::size_t slot_of(std::size_t index) const;
    void erase_slot(std::size_t slot);

    // Constant after construction.
    const Duration length_;
    const std::size_t ids_max_;
    const std::size_t mask_;

    std::deque<Entry> entries_;  // oldest first
    Number oldest_ = 0;          // the number of entries_.front()
    // Open addressing, at most half full, of fixed size, so that no insertion is slow; the system
    // gives its pages as they are touched.
    const std::unique_ptr<Slot[], Free> slots_;
};

}  // namespace belfry
