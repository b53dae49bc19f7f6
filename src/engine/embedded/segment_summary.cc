#include "engine/embedded/segment_summary.h"

#include "base/byte_order.h"
#include "base/crc32c.h"
#include "base/in_order.h"
#include "engine/embedded/crash_point.h"

#include <algorithm>
#include <cstring>

namespace belfry {

namespace {

constexpr std::array<char, 8> kSummaryMagic{'B', 'E', 'L', 'F', 'R', 'Y', 'S', 'M'};
constexpr std::uint32_t kSummaryVersion = 2;  // 1: blocks had no times
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPagePayload = kPageBytes - 4;
constexpr std::size_t kIdBytes = 12;
constexpr std::size_t kDedupBytes = 36;
constexpr std::size_t kBlockRowBytes = 32;
constexpr std::size_t kFactsBytes = 80;  // of page 0, then the table of sections

// The facts' page has no salt to begin with, as it holds it.
std::uint32_t page_seed(std::uint64_t page, SegmentSalt salt) {
    std::array<std::byte, 8> number{};
    store_le(number.data(), page);
    return crc32c(page == 0 ? 0U : static_cast<std::uint32_t>(salt.value), number);
}

class Appender {
 public:
    template <std::unsigned_integral T>
    void number(T value) {
        bytes.resize(bytes.size() + sizeof(T));
        store_le(bytes.data() + bytes.size() - sizeof(T), value);
    }
    void time(WallTime value) {
        number(static_cast<std::uint64_t>(value.time_since_epoch().count()));
    }
    void text(std::string_view value) {
        Bytes raw = std::as_bytes(std::span(value));
        bytes.insert(bytes.end(), raw.begin(), raw.end());
    }
    std::vector<std::byte> bytes;
};

WallTime load_time(const std::byte* from) {
    return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(load_le<std::uint64_t>(from)
    )));
}

void append_pages(std::vector<std::byte>& file, Bytes payload, SegmentSalt salt) {
    while (!payload.empty()) {
        std::uint64_t page = file.size() / kPageBytes;
        std::size_t count = std::min(payload.size(), kPagePayload);
        std::size_t at = file.size();
        file.resize(at + kPageBytes);
        std::memcpy(file.data() + at, payload.data(), count);
        Bytes covered = Bytes(file).subspan(at, kPagePayload);
        store_le(file.data() + at + kPagePayload, crc32c(page_seed(page, salt), covered));
        payload = payload.subspan(count);
    }
}

std::vector<std::byte> encode_blocks(const SegmentIndex& index) {
    Appender out;
    for (const SegmentBlock& block : index.blocks()) {
        out.number(block.first.value);
        out.number(block.position);
        out.time(block.oldest);
        out.time(block.newest);
    }
    return std::move(out.bytes);
}

}  // namespace

std::uint64_t dedup_key_check(const DedupKey& key) {
    Event probe;
    probe.source = "/belfry/dedup-key";
    return fingerprint(probe, key).id[0];
}

std::vector<std::byte> encode_summary(
    const SegmentIndex& index, const std::vector<DedupRow>& dedup, std::uint64_t key_check
) {
    Appender types;
    Appender locals;
    for (std::size_t list = 0; list < index.type_lists().size(); ++list) {
        std::string_view key = list == 0 ? std::string_view() : index.type_keys()[list - 1];
        types.number(static_cast<std::uint16_t>(key.size()));
        types.text(key);
        types.number(static_cast<std::uint64_t>(locals.bytes.size() / 4));
        types.number(static_cast<std::uint64_t>(index.type_lists()[list].size()));
        for (std::uint32_t local : index.type_lists()[list]) {
            locals.number(local);
        }
    }
    Appender positions;
    for (std::uint32_t position : index.positions()) {
        positions.number(position);
    }
    Appender ids;
    for (const IdRow& row : index.sorted_ids()) {
        ids.number(row.hash);
        ids.number(row.local);
    }
    const SegmentFacts& facts = index.facts();
    Appender rows;
    for (const DedupRow& row : dedup) {
        rows.number(row.print.id[0]);
        rows.number(row.print.id[1]);
        rows.number(row.print.content);
        rows.number(static_cast<std::uint32_t>(row.offset - facts.header.base));
        rows.time(row.recorded);
    }

    Appender head;
    head.text({kSummaryMagic.data(), kSummaryMagic.size()});
    head.number(kSummaryVersion);
    head.number(facts.header.loss_accepted ? 1U : 0U);
    head.number(facts.header.base.value);
    head.number(facts.next.value);
    head.number(facts.header.salt.value);
    head.time(facts.header.created);
    head.number(facts.end);
    head.time(facts.oldest);
    head.time(facts.newest);
    head.number(key_check);
    std::vector<std::byte> sections[] = {
        std::move(types.bytes),
        std::move(locals.bytes),
        std::move(positions.bytes),
        std::move(ids.bytes),
        std::move(rows.bytes),
        encode_blocks(index),
    };
    std::uint64_t page = 1;
    for (const auto& section : sections) {
        head.number(page);
        head.number(static_cast<std::uint64_t>(section.size()));
        page += (section.size() + kPagePayload - 1) / kPagePayload;
    }
    std::vector<std::byte> file;
    file.reserve(page * kPageBytes);
    append_pages(file, head.bytes, facts.header.salt);
    for (const auto& section : sections) {
        append_pages(file, section, facts.header.salt);
    }
    return file;
}

Result<void> write_summary(
    FileSystem& files, const std::string& directory, Offset base, Bytes bytes
) {
    std::string path = directory + "/" + segment_file_name(base, kSummarySuffix);
    std::string temporary = path + ".new";
    auto write = [&]() -> Result<void> {
        auto file = files.open(temporary, OpenMode::create);
        if (!file) {
            return std::unexpected(file.error());
        }
        BELFRY_CRASH_POINT("summary.created");
        return in_order(
            [&] { return (*file)->truncate(0); },
            [&] { return (*file)->write_at(0, bytes); },
            [&] {
                BELFRY_CRASH_POINT("summary.written");
                return (*file)->sync();
            },
            [&] {
                BELFRY_CRASH_POINT("summary.synced");
                return files.rename(temporary, path);
            }
        );
    };
    auto written = write();
    BELFRY_CRASH_POINT("summary.renamed");
    if (!written) {
        (void)files.remove(temporary);  // the next start removes it if this cannot
    }
    return written;  // if a power cut takes the name back, the next start makes the summary again
}

Result<std::unique_ptr<SegmentSummary>> SegmentSummary::open(
    FileSystem& files, const std::string& directory, Offset base
) {
    std::string path = directory + "/" + segment_file_name(base, kSummarySuffix);
    std::unique_ptr<SegmentSummary> summary(new SegmentSummary(files, std::move(path)));
    auto loaded = summary->load(base);
    if (!loaded) {
        return std::unexpected(loaded.error());
    }
    return summary;
}

Result<void> SegmentSummary::load(Offset base) {
    auto file = files_.open(path_, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    sections_[types] = {.page = 0, .bytes = kPagePayload};
    auto head = read(**file, types, 0, kFactsBytes + section_count * 16);
    if (!head) {
        return std::unexpected(head.error());
    }
    const std::byte* at = head->data();
    facts_.header.base = Offset{load_le<std::uint64_t>(at + 16)};
    if (std::memcmp(at, kSummaryMagic.data(), kSummaryMagic.size()) != 0 ||
        load_le<std::uint32_t>(at + 8) != kSummaryVersion || facts_.header.base != base) {
        return fail(Errc::internal, path_ + " is not the summary of its segment");
    }
    facts_.header.loss_accepted = load_le<std::uint32_t>(at + 12) != 0;
    facts_.next = Offset{load_le<std::uint64_t>(at + 24)};
    facts_.header.salt = SegmentSalt{load_le<std::uint64_t>(at + 32)};
    facts_.header.created = load_time(at + 40);
    facts_.end = load_le<std::uint64_t>(at + 48);
    facts_.oldest = load_time(at + 56);
    facts_.newest = load_time(at + 64);
    key_check_ = load_le<std::uint64_t>(at + 72);
    auto size = (*file)->size();
    for (std::size_t i = 0; i < section_count; ++i) {
        Section& section = sections_[i];
        section.page = load_le<std::uint64_t>(at + kFactsBytes + i * 16);
        section.bytes = load_le<std::uint64_t>(at + kFactsBytes + i * 16 + 8);
        if (!size || section.page > *size / kPageBytes || section.bytes > *size) {
            return fail(Errc::internal, path_ + " is shorter than it says");
        }
    }
    return in_order([&] { return load_types(**file); }, [&] { return load_blocks(**file); });
}

Result<void> SegmentSummary::load_types(File& file) {
    auto bytes = read(file, types, 0, sections_[types].bytes);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    std::uint64_t lists = sections_[locals].bytes / 4;
    for (std::size_t at = 0; at < bytes->size();) {
        std::size_t left = bytes->size() - at;
        std::size_t length = left < 2 ? left : load_le<std::uint16_t>(bytes->data() + at);
        if (left < 2 + length + 16) {
            return fail(Errc::internal, path_ + " has a damaged table of types");
        }
        const auto* text = reinterpret_cast<const char*>(bytes->data() + at + 2);
        const std::byte* place = bytes->data() + at + 2 + length;
        TypeEntry entry{
            .key = std::string(text, length),
            .first = load_le<std::uint64_t>(place),
            .count = load_le<std::uint64_t>(place + 8),
        };
        if (entry.first > lists || entry.count > lists - entry.first) {
            return fail(Errc::internal, path_ + " has a damaged table of types");
        }
        types_.push_back(std::move(entry));
        at += 2 + length + 16;
    }
    return {};
}

Result<void> SegmentSummary::load_blocks(File& file) {
    auto bytes = read(file, blocks, 0, sections_[blocks].bytes);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    Offset least = facts_.header.base;
    for (std::size_t at = 0; at + kBlockRowBytes <= bytes->size(); at += kBlockRowBytes) {
        const std::byte* row = bytes->data() + at;
        blocks_.push_back({
            .first = Offset{load_le<std::uint64_t>(row)},
            .position = load_le<std::uint64_t>(row + 8),
            .oldest = load_time(row + 16),
            .newest = load_time(row + 24),
        });
        if (blocks_.back().first < least || blocks_.back().first >= facts_.next) {
            return fail(Errc::internal, path_ + " has a damaged table of blocks");
        }
        least = blocks_.back().first.next();
    }
    return {};
}

std::uint64_t SegmentSummary::position_before(Offset offset) const {
    auto after = std::ranges::upper_bound(blocks_, offset, {}, &SegmentBlock::first);
    return after == blocks_.begin() ? kSegmentDataStart : std::prev(after)->position;
}

bool SegmentSummary::may_hold(const std::string& tenant, const std::optional<TypePattern>& type)
    const {
    return std::any_of(types_.begin(), types_.end(), [&](const TypeEntry& entry) {
        return entry.count > 0 && type_key_matches(entry.key, tenant, type);
    });
}

Result<std::vector<Candidate>> SegmentSummary::candidates(const CandidateQuery& query) const {
    auto file = files_.open(path_, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    auto numbers = matching_locals(**file, query);
    if (!numbers) {
        return std::unexpected(numbers.error());
    }
    return locate(**file, *numbers);
}

Result<std::vector<std::uint32_t>> SegmentSummary::matching_locals(
    File& file, const CandidateQuery& query
) const {
    std::vector<LocalRange> ranges = local_ranges(query, facts_, blocks_);
    if (!query.type) {
        std::vector<std::uint32_t> found;
        for (LocalRange& range : ranges) {
            while (range.from < range.to && found.size() < query.max) {
                found.push_back(query.descending ? --range.to : range.from++);
            }
        }
        return found;
    }
    if (ranges.empty()) {
        return std::vector<std::uint32_t>();
    }
    std::vector<std::vector<std::uint32_t>> read_lists;
    for (const TypeEntry& entry : types_) {
        if (!type_key_matches(entry.key, query.tenant, query.type)) {
            continue;
        }
        auto list = read_list(file, entry, ranges, query);
        if (!list) {
            return list;
        }
        read_lists.push_back(std::move(*list));
    }
    std::vector<Locals> lists(read_lists.begin(), read_lists.end());
    return merge_locals(lists, ranges, query);
}

// What the query can need of a list, and at most a page more at either end: nothing before the
// first range or behind the last. Of one range no more than the query's `max` can be needed; more
// than one there are only where the clock jumped.
Result<std::vector<std::uint32_t>> SegmentSummary::read_list(
    File& file,
    const TypeEntry& list,
    std::span<const LocalRange> ranges,
    const CandidateQuery& query
) const {
    auto begin = place_of(file, list, std::min(ranges.front().from, ranges.back().from));
    if (!begin) {
        return std::unexpected(begin.error());
    }
    auto end = place_of(file, list, std::max(ranges.front().to, ranges.back().to));
    if (!end) {
        return std::unexpected(end.error());
    }
    std::uint64_t first = begin->low;
    std::uint64_t last = end->high;
    if (ranges.size() == 1 && query.descending) {
        first = std::max(first, end->low - std::min<std::uint64_t>(end->low, query.max));
    } else if (ranges.size() == 1) {
        last = std::min<std::uint64_t>(last, begin->high + query.max);
    }
    return read_numbers(file, locals, list.first + first, last - std::min(first, last));
}

Result<SegmentSummary::Place> SegmentSummary::place_of(
    File& file, const TypeEntry& list, std::uint32_t number
) const {
    if (number == 0) {
        return Place{.low = 0, .high = 0};
    }
    if (number >= facts_.next - facts_.header.base) {
        return Place{.low = list.count, .high = list.count};
    }
    Place place{.low = 0, .high = list.count};
    while (place.high - place.low > kPagePayload / 4) {
        const std::uint64_t middle = (place.low + place.high) / 2;
        auto probe = read_numbers(file, locals, list.first + middle, 1);
        if (!probe) {
            return std::unexpected(probe.error());
        }
        if (probe->front() < number) {
            place.low = middle + 1;
        } else {
            place.high = middle;
        }
    }
    return place;
}

Result<std::vector<Candidate>> SegmentSummary::locate(
    File& file, const std::vector<std::uint32_t>& numbers
) const {
    std::vector<Candidate> found;
    if (numbers.empty()) {
        return found;
    }
    auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    auto places = read_numbers(file, positions, *least, *most - *least + 1);
    if (!places) {
        return std::unexpected(places.error());
    }
    found.reserve(numbers.size());
    for (std::uint32_t number : numbers) {
        std::uint32_t eighth = (*places)[number - *least];
        if (eighth != 0) {
            found.push_back({
                .offset = facts_.header.base + number,
                .position = std::uint64_t{eighth} * kAlignment,
            });
        }
    }
    return found;
}

Result<std::vector<Candidate>> SegmentSummary::with_id(std::uint64_t id_hash, std::size_t max)
    const {
    auto file = files_.open(path_, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    // Hashes are uniform: the first guess is nearly right, bisection does the rest.
    std::uint64_t rows = sections_[ids].bytes / kIdBytes;
    std::uint64_t low = 0;
    std::uint64_t high = rows;
    auto hash_at = [&](std::uint64_t row) -> Result<std::uint64_t> {
        auto bytes = read(**file, ids, row * kIdBytes, kIdBytes);
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        return load_le<std::uint64_t>(bytes->data());
    };
    double share = static_cast<double>(id_hash) * 0x1.0p-64;
    auto guess = static_cast<std::uint64_t>(share * static_cast<double>(rows));
    for (std::uint64_t probe = std::min(guess, rows - 1); low < high; probe = (low + high) / 2) {
        auto hash = hash_at(probe);
        if (!hash) {
            return std::unexpected(hash.error());
        }
        if (*hash < id_hash) {
            low = probe + 1;
        } else {
            high = probe;
        }
    }
    std::vector<std::uint32_t> numbers;
    for (std::uint64_t row = low; row < rows; ++row) {
        auto bytes = read(**file, ids, row * kIdBytes, kIdBytes);
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        if (load_le<std::uint64_t>(bytes->data()) != id_hash) {
            break;
        }
        numbers.push_back(load_le<std::uint32_t>(bytes->data() + 8));
    }
    std::reverse(numbers.begin(), numbers.end());
    numbers.resize(std::min(numbers.size(), max));
    return locate(**file, numbers);
}

Result<std::vector<DedupRow>> SegmentSummary::dedup_rows() const {
    auto file = files_.open(path_, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    auto bytes = read(**file, dedup, 0, sections_[dedup].bytes);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    std::vector<DedupRow> rows;
    rows.reserve(bytes->size() / kDedupBytes);
    for (std::size_t at = 0; at + kDedupBytes <= bytes->size(); at += kDedupBytes) {
        const std::byte* row = bytes->data() + at;
        rows.push_back({
            .print =
                {.id = {load_le<std::uint64_t>(row), load_le<std::uint64_t>(row + 8)},
                 .content = load_le<std::uint64_t>(row + 16)},
            .offset = facts_.header.base + load_le<std::uint32_t>(row + 24),
            .recorded = load_time(row + 28),
        });
    }
    return rows;
}

Result<void> SegmentSummary::check() const {
    auto file = files_.open(path_, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    for (std::size_t section = 0; section < section_count; ++section) {
        auto bytes = read(**file, static_cast<SectionName>(section), 0, sections_[section].bytes);
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
    }
    return {};
}

Result<std::vector<std::byte>> SegmentSummary::read(
    File& file, SectionName section, std::uint64_t from, std::uint64_t bytes
) const {
    std::vector<std::byte> out;
    if (bytes == 0) {
        return out;
    }
    if (from + bytes > sections_[section].bytes) {
        return fail(Errc::internal, path_ + " is damaged: a table is too short");
    }
    std::uint64_t first = sections_[section].page + from / kPagePayload;
    std::uint64_t last = sections_[section].page + (from + bytes - 1) / kPagePayload;
    std::vector<std::byte> pages((last - first + 1) * kPageBytes);
    auto got = file.read_at(first * kPageBytes, pages);
    if (!got) {
        return std::unexpected(got.error());
    }
    if (*got != pages.size()) {
        return fail(Errc::internal, path_ + " is shorter than it says");
    }
    out.reserve(bytes);
    std::size_t skip = from % kPagePayload;
    for (std::uint64_t page = first; page <= last; ++page, skip = 0) {
        Bytes whole = Bytes(pages).subspan((page - first) * kPageBytes, kPageBytes);
        Bytes payload = whole.first(kPagePayload);
        auto stored = load_le<std::uint32_t>(whole.data() + kPagePayload);
        if (crc32c(page_seed(page, facts_.header.salt), payload) != stored) {
            return fail(Errc::internal, path_ + " is damaged in page " + std::to_string(page));
        }
        std::size_t count = std::min<std::size_t>(kPagePayload - skip, bytes - out.size());
        Bytes piece = payload.subspan(skip, count);
        out.insert(out.end(), piece.begin(), piece.end());
    }
    return out;
}

Result<std::vector<std::uint32_t>> SegmentSummary::read_numbers(
    File& file, SectionName section, std::uint64_t first, std::uint64_t count
) const {
    auto bytes = read(file, section, first * 4, count * 4);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    std::vector<std::uint32_t> numbers(count);
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = load_le<std::uint32_t>(bytes->data() + i * 4);
    }
    return numbers;
}

}  // namespace belfry
