#include "eventkit/dedup_window.h"

#include "base/rng.h"
#include "event/steadybit_body.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace belfry::eventkit {

namespace {

constexpr std::size_t kFirstSize = 64;
// Entries have room from the start, so that none are copied and what they were copied from does not
// stay with the process; memory that is not touched costs nothing.
constexpr std::size_t kUnderWay = 1'024;
constexpr std::size_t kReservedMost = 100'000;

}  // namespace

DedupWindow::DedupWindow(Options options) : options_(options), table_(kFirstSize) {
    static_assert(sizeof(secret_) == crypto_shorthash_siphash24_KEYBYTES);
    entries_.reserve(std::min(options.count_max, kReservedMost) + kUnderWay);
    system_rng().fill(std::as_writable_bytes(std::span(secret_)));
}

DedupWindow::Seen DedupWindow::begin(std::uint32_t listener, std::string_view id, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (!uuid || options_.count_max == 0) {
        return Seen::fresh;
    }
    expire(now);
    const Key key{.id = *uuid, .listener = listener};
    const std::uint32_t hash = hash_of(key);
    const std::size_t place = place_of(key, hash);
    const Number number = table_[place].number;
    if (number == kNone) {
        add(key, hash, place);
        return Seen::fresh;
    }
    return entries_[number].handled_at == MonoTime::max() ? Seen::under_way : Seen::handled;
}

void DedupWindow::end(std::uint32_t listener, std::string_view id, bool success, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (!uuid) {
        return;
    }
    const Key key{.id = *uuid, .listener = listener};
    const std::size_t place = place_of(key, hash_of(key));
    const Number number = table_[place].number;
    if (number == kNone || entries_[number].handled_at != MonoTime::max()) {
        return;
    }
    if (!success) {
        remove(place);
        return;
    }
    Entry& entry = entries_[number];
    entry.handled_at = now;
    entry.next = kNone;
    (oldest_ == kNone ? oldest_ : entries_[newest_].next) = number;
    newest_ = number;
    ++handled_;
    expire(now);
}

// Whoever makes up ids must not know which of them meet in the table.
std::uint32_t DedupWindow::hash_of(const Key& key) const {
    const std::array<std::uint64_t, 3> text{key.id.high, key.id.low, key.listener};
    std::array<unsigned char, crypto_shorthash_siphash24_BYTES> bytes{};
    crypto_shorthash_siphash24(
        bytes.data(),
        reinterpret_cast<const unsigned char*>(text.data()),
        sizeof(text),
        secret_.data()
    );
    std::uint32_t hash = 0;
    std::memcpy(&hash, bytes.data(), sizeof(hash));
    return hash;
}

std::size_t DedupWindow::place_of(const Key& key, std::uint32_t hash) const {
    std::size_t place = hash & (table_.size() - 1);
    while (table_[place].number != kNone &&
           (table_[place].hash != hash || entries_[table_[place].number].key != key)) {
        place = after(place);
    }
    return place;
}

std::size_t DedupWindow::place_of(Number number, std::uint32_t hash) const {
    std::size_t place = hash & (table_.size() - 1);
    while (table_[place].number != number) {
        place = after(place);
    }
    return place;
}

void DedupWindow::add(const Key& key, std::uint32_t hash, std::size_t place) {
    if (4 * (used_ + 1) > 3 * table_.size()) {
        grow();
        place = place_of(key, hash);
    }
    Number number = free_;
    if (number == kNone) {
        number = static_cast<Number>(entries_.size());
        entries_.emplace_back();
    } else {
        free_ = entries_[number].next;
    }
    entries_[number] = {.key = key};
    table_[place] = {.number = number, .hash = hash};
    ++used_;
}

// Those behind it move up where they would not be found across the gap.
void DedupWindow::remove(std::size_t place) {
    const Number number = table_[place].number;
    entries_[number].next = std::exchange(free_, number);
    --used_;
    std::size_t gap = place;
    for (std::size_t at = after(gap); table_[at].number != kNone; at = after(at)) {
        const std::size_t home = table_[at].hash & (table_.size() - 1);
        const std::size_t from_home = (at - home) & (table_.size() - 1);
        const std::size_t from_gap = (at - gap) & (table_.size() - 1);
        if (from_home >= from_gap) {
            table_[gap] = table_[at];
            gap = at;
        }
    }
    table_[gap] = {};
}

void DedupWindow::grow() {
    const std::vector<Slot> slots = std::exchange(table_, std::vector<Slot>(2 * table_.size()));
    for (const Slot& slot : slots) {
        if (slot.number != kNone) {
            table_[place_of(entries_[slot.number].key, slot.hash)] = slot;
        }
    }
}

void DedupWindow::expire(MonoTime now) {
    while (oldest_ != kNone && (handled_ > options_.count_max ||
                                now - entries_[oldest_].handled_at >= options_.age_max)) {
        const Number number = oldest_;
        oldest_ = entries_[number].next;
        --handled_;
        remove(place_of(number, hash_of(entries_[number].key)));
    }
}

}  // namespace belfry::eventkit
