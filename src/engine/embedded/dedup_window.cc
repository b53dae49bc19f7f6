#include "engine/embedded/dedup_window.h"

#include "base/assert.h"
#include "base/byte_order.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>

namespace belfry {

namespace {

using Hash = std::array<std::uint64_t, 2>;

Hash siphash(std::string_view text, const DedupKey& key) {
    std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> out{};
    crypto_shorthash_siphashx24(
        out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key.data()
    );
    const auto* bytes = reinterpret_cast<const std::byte*>(out.data());
    return {load_le<std::uint64_t>(bytes), load_le<std::uint64_t>(bytes + 8)};
}

// A text and its end, so that no two lists of texts are the same bytes.
void append_text(std::string& to, std::string_view text) {
    std::array<std::byte, 4> length{};
    store_le(length.data(), static_cast<std::uint32_t>(text.size()));
    to.append(reinterpret_cast<const char*>(length.data()), length.size());
    to.append(text);
}

void append_hash(std::string& to, const Hash& hash) {
    to.append(reinterpret_cast<const char*>(hash.data()), sizeof(hash));
}

}  // namespace

EventFingerprint fingerprint(const Event& event, const DedupKey& key) {
    static thread_local std::string text;  // keeps its memory from event to event
    text.clear();
    append_text(text, event.tenant);
    append_text(text, event.source);
    append_text(text, event.id);
    EventFingerprint print{.id = siphash(text, key), .content = 0};

    text.clear();
    append_text(text, event.type);
    append_text(text, event.subject);
    append_text(text, event.datacontenttype);
    append_text(text, event.dataschema);
    // A sum: the order of extensions means nothing.
    Hash extensions{};
    std::string pair;
    for (const Extension& extension : event.extensions) {
        pair.clear();
        append_text(pair, extension.name);
        append_text(pair, extension.value);
        Hash hash = siphash(pair, key);
        extensions[0] += hash[0];
        extensions[1] += hash[1];
    }
    append_hash(text, extensions);
    if (event.data) {
        append_hash(text, siphash(*event.data, key));
    }
    print.content = siphash(text, key)[0];
    return print;
}

void DedupWindow::Free::operator()(void* memory) const {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): see slots_
}

DedupWindow::DedupWindow(Duration length, std::size_t ids_max)
    : length_(length),
      ids_max_(ids_max),
      mask_(std::bit_ceil(2 * (ids_max + 1)) - 1),
      // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): no container leaves its pages untouched
      slots_(static_cast<Slot*>(std::calloc(mask_ + 1, sizeof(Slot)))) {
    ASSERT(slots_ != nullptr && mask_ < kTaken);
}

std::optional<DedupWindow::Found> DedupWindow::find(const EventFingerprint& print, MonoTime now) {
    expire(now);
    const std::uint32_t low = low_of(print);
    for (std::size_t at = home(low); slots_[at].number != 0; at = (at + 1) & mask_) {
        if (slots_[at].low != low) {
            continue;
        }
        const Entry& known = entry_in(slots_[at]);
        if (known.row.print.id == print.id) {
            return Found{
                .offset = known.row.offset,
                .same_content = known.row.print.content == print.content,
            };
        }
    }
    return std::nullopt;
}

void DedupWindow::add(
    const EventFingerprint& print, Offset offset, MonoTime now, WallTime recorded
) {
    entries_.push_back(
        {.row = {.print = print, .offset = offset, .recorded = recorded}, .added = now}
    );
    const std::uint32_t low = low_of(print);
    std::size_t slot = home(low);
    while (slots_[slot].number != 0) {
        slot = (slot + 1) & mask_;
    }
    const auto number = oldest_ + static_cast<Number>(entries_.size() - 1);
    slots_[slot] = {.number = number | kTaken, .low = low};
    expire(now);
}

void DedupWindow::forget_from(Offset offset) {
    while (!entries_.empty() && entries_.back().row.offset >= offset) {
        erase_slot(slot_of(entries_.size() - 1));
        entries_.pop_back();
    }
}

std::vector<DedupRow> DedupWindow::rows(Offset from, Offset to) const {
    auto below = [](const Entry& entry, Offset offset) { return entry.row.offset < offset; };
    auto begin = std::lower_bound(entries_.begin(), entries_.end(), from, below);
    auto end = std::lower_bound(begin, entries_.end(), to, below);
    std::vector<DedupRow> rows;
    rows.reserve(static_cast<std::size_t>(end - begin));
    for (auto entry = begin; entry != end; ++entry) {
        rows.push_back(entry->row);
    }
    return rows;
}

void DedupWindow::expire(MonoTime now) {
    while (!entries_.empty() &&
           (entries_.size() > ids_max_ || now - entries_.front().added > length_)) {
        erase_slot(slot_of(0));
        entries_.pop_front();
        oldest_ = (oldest_ + 1) & ~kTaken;
    }
}

std::size_t DedupWindow::slot_of(std::size_t index) const {
    Number taken = (oldest_ + static_cast<Number>(index)) | kTaken;
    std::size_t slot = home(low_of(entries_[index].row.print));
    while (slots_[slot].number != taken) {
        slot = (slot + 1) & mask_;
    }
    return slot;
}

// Moves what probed past the slot back, so that no search ends too early.
void DedupWindow::erase_slot(std::size_t slot) {
    std::size_t hole = slot;
    for (std::size_t at = (hole + 1) & mask_; slots_[at].number != 0; at = (at + 1) & mask_) {
        std::size_t distance = (at - home(slots_[at].low)) & mask_;
        if (distance >= ((at - hole) & mask_)) {
            slots_[hole] = slots_[at];
            hole = at;
        }
    }
    slots_[hole] = {};
}

}  // namespace belfry
