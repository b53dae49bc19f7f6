#include "eventkit/dedup_window.h"

#include "base/rng.h"
#include "event/steadybit_body.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace belfry::eventkit {

namespace {

constexpr std::size_t kFirstSize = 64;

}  // namespace

DedupWindow::DedupWindow(Options options) : options_(options), table_(kFirstSize, kNone) {
    static_assert(sizeof(secret_) == crypto_shorthash_siphash24_KEYBYTES);
    system_rng().fill(std::as_writable_bytes(std::span(secret_)));
}

DedupWindow::Seen DedupWindow::begin(std::uint32_t listener, std::string_view id, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (!uuid || options_.count_max == 0) {
        return Seen::fresh;
    }
    expire(now);
    const Key key = key_of(*uuid, listener);
    const Number number = table_[place_of(key)];
    if (number == kNone) {
        add(key);
        return Seen::fresh;
    }
    return entries_[number].handled ? Seen::handled : Seen::under_way;
}

void DedupWindow::end(std::uint32_t listener, std::string_view id, bool success, MonoTime now) {
    const std::optional<Uuid> uuid = parse_steadybit_uuid(id);
    if (!uuid) {
        return;
    }
    const std::size_t place = place_of(key_of(*uuid, listener));
    const Number number = table_[place];
    if (number == kNone || entries_[number].handled) {
        return;
    }
    if (!success) {
        remove(place);
        return;
    }
    Entry& entry = entries_[number];
    entry.handled = true;
    entry.when = now;
    entry.next = kNone;
    (oldest_ == kNone ? oldest_ : entries_[newest_].next) = number;
    newest_ = number;
    ++handled_;
    expire(now);
}

// Whoever makes up ids must not know which of them meet in the table.
DedupWindow::Key DedupWindow::key_of(Uuid id, std::uint32_t listener) const {
    const std::array<std::uint64_t, 3> text{id.high, id.low, listener};
    std::array<unsigned char, crypto_shorthash_siphash24_BYTES> hash{};
    crypto_shorthash_siphash24(
        hash.data(),
        reinterpret_cast<const unsigned char*>(text.data()),
        sizeof(text),
        secret_.data()
    );
    Key key{.id = id, .listener = listener};
    std::memcpy(&key.hash, hash.data(), sizeof(key.hash));
    return key;
}

std::size_t DedupWindow::place_of(const Key& key) const {
    std::size_t place = key.hash & (table_.size() - 1);
    while (table_[place] != kNone && entries_[table_[place]].key != key) {
        place = after(place);
    }
    return place;
}

void DedupWindow::add(const Key& key) {
    if (2 * (used_ + 1) > table_.size()) {
        grow();
    }
    Number number = free_;
    if (number == kNone) {
        number = static_cast<Number>(entries_.size());
        entries_.emplace_back();
    } else {
        free_ = entries_[number].next;
    }
    entries_[number] = {.key = key};
    table_[place_of(key)] = number;
    ++used_;
}

// Those behind it move up where they would not be found across the gap.
void DedupWindow::remove(std::size_t place) {
    Entry& entry = entries_[table_[place]];
    entry.next = std::exchange(free_, table_[place]);
    --used_;
    std::size_t gap = place;
    for (std::size_t at = after(gap); table_[at] != kNone; at = after(at)) {
        const std::size_t home = entries_[table_[at]].key.hash & (table_.size() - 1);
        const std::size_t from_home = (at - home) & (table_.size() - 1);
        const std::size_t from_gap = (at - gap) & (table_.size() - 1);
        if (from_home >= from_gap) {
            table_[gap] = table_[at];
            gap = at;
        }
    }
    table_[gap] = kNone;
}

void DedupWindow::grow() {
    const std::vector<Number> numbers =
        std::exchange(table_, std::vector<Number>(2 * table_.size(), kNone));
    for (const Number number : numbers) {
        if (number != kNone) {
            table_[place_of(entries_[number].key)] = number;
        }
    }
}

void DedupWindow::expire(MonoTime now) {
    while (oldest_ != kNone &&
           (handled_ > options_.count_max || now - entries_[oldest_].when >= options_.age_max)) {
        const Number number = oldest_;
        oldest_ = entries_[number].next;
        --handled_;
        remove(place_of(entries_[number].key));
    }
}

}  // namespace belfry::eventkit
