// Which ids were stored lately: (tenant, source, id) as a keyed 128-bit hash, for some minutes and
// at most so many ids. Only ids that publishers gave. I/O thread only.
#pragma once

#include "base/clock.h"
#include "event/event.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
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
    DedupWindow(Duration length, std::size_t ids_max) : length_(length), ids_max_(ids_max) {}

    struct Found {
        Offset offset;
        bool same_content = false;
    };
    [[nodiscard]] std::optional<Found> find(const EventFingerprint& print, MonoTime now);
    // Offsets rise from call to call.
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
    struct IdHash {
        std::size_t operator()(const std::array<std::uint64_t, 2>& id) const noexcept {
            return id[0];  // uniform already
        }
    };
    struct Stored {
        Offset offset;
        std::uint64_t content;
        MonoTime added;
    };
    void expire(MonoTime now);
    void drop(const Entry& entry);

    const Duration length_;
    const std::size_t ids_max_;
    std::deque<Entry> entries_;  // oldest first
    std::unordered_map<std::array<std::uint64_t, 2>, Stored, IdHash> by_id_;
};

}  // namespace belfry
