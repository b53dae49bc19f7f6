#include "engine/embedded/dedup_window.h"

#include "base/byte_order.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>
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
    thread_local std::string text;  // keeps its memory from event to event
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

std::optional<DedupWindow::Found> DedupWindow::find(const EventFingerprint& print, MonoTime now) {
    expire(now);
    auto found = by_id_.find(print.id);
    if (found == by_id_.end() || now - found->second.added > length_) {
        return std::nullopt;
    }
    return Found{
        .offset = found->second.offset, .same_content = found->second.content == print.content
    };
}

void DedupWindow::add(
    const EventFingerprint& print, Offset offset, MonoTime now, WallTime recorded
) {
    entries_.push_back(
        {.row = {.print = print, .offset = offset, .recorded = recorded}, .added = now}
    );
    by_id_[print.id] = {.offset = offset, .content = print.content, .added = now};
    expire(now);
}

void DedupWindow::forget_from(Offset offset) {
    while (!entries_.empty() && entries_.back().row.offset >= offset) {
        drop(entries_.back());
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
        drop(entries_.front());
        entries_.pop_front();
    }
}

void DedupWindow::drop(const Entry& entry) {
    auto found = by_id_.find(entry.row.print.id);
    // A later event may have taken the id over after the window had passed.
    if (found != by_id_.end() && found->second.offset == entry.row.offset) {
        by_id_.erase(found);
    }
}

}  // namespace belfry
