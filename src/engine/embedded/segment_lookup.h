// Where the records of one segment are, by offset, type and id. Two things answer: the index in
// memory (segment being written, or just sealed) and the summary file (sealed). Immutable once
// shared; any thread.
#pragma once

#include "base/error.h"
#include "engine/embedded/segment_format.h"
#include "event/type_pattern.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace belfry {

// What is known of a segment as a whole.
struct SegmentFacts {
    SegmentHeader header;
    Offset next;                            // one past its last event
    std::uint64_t end = kSegmentDataStart;  // where its last batch ends
    WallTime oldest;                        // least and greatest `recorded`, if it has events
    WallTime newest;
};

// One record, by offset and place in the file.
struct Candidate {
    Offset offset;
    std::uint64_t position = 0;
    bool operator==(const Candidate&) const = default;
};

// A stretch of a segment, from one record to the next block's first. Times of neighbours are near
// each other, so a search for a time passes by most blocks; where the clock jumped it passes by
// fewer.
struct SegmentBlock {
    Offset first;
    std::uint64_t position = 0;
    WallTime oldest;  // least and greatest `recorded`
    WallTime newest;
    bool operator==(const SegmentBlock&) const = default;
};
// A record that begins so far behind the first of a block begins the next one.
inline constexpr std::uint64_t kBlockBytes = 64 * 1024;

// Candidates of a tenant in [from, to), at most `max`, from the end that the order begins with.
struct CandidateQuery {
    std::string tenant;
    std::optional<TypePattern> type;  // none: every record, of other tenants too
    // Whole blocks that were recorded before `since`, or at `until` or later, are left out.
    std::optional<WallTime> since;
    std::optional<WallTime> until;
    Offset from;
    Offset to;
    bool descending = false;
    std::size_t max = 0;
};

class SegmentLookup {
 public:
    virtual ~SegmentLookup() = default;
    [[nodiscard]] virtual const SegmentFacts& facts() const = 0;
    // Position of a header from which a scan comes to `offset` soon. Needs no disk.
    [[nodiscard]] virtual std::uint64_t position_before(Offset offset) const = 0;
    // False if no record can match; needs no disk.
    [[nodiscard]] virtual bool may_hold(
        const std::string& tenant, const std::optional<TypePattern>& type
    ) const = 0;
    // In the order asked for. Fails when a summary file is damaged.
    [[nodiscard]] virtual Result<std::vector<Candidate>> candidates(const CandidateQuery& query
    ) const = 0;
    // Records whose event_id_hash() is `id_hash`, newest first; at most `max`.
    [[nodiscard]] virtual Result<std::vector<Candidate>> with_id(
        std::uint64_t id_hash, std::size_t max
    ) const = 0;
};

// A segment keeps a list of offsets for so many (tenant, type) pairs, one more list for all others.
inline constexpr std::size_t kTypesPerSegment = 1024;

// Whether the list under `key` (type_key(); empty: the others) can hold matches.
[[nodiscard]] bool type_key_matches(
    std::string_view key, const std::string& tenant, const std::optional<TypePattern>& type
);

// Numbers of records within their segment, rising.
using Locals = std::span<const std::uint32_t>;
// Those in [from, to).
struct LocalRange {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
};
// The query's offsets and blocks as numbers of this segment, in the order asked for.
[[nodiscard]] std::vector<LocalRange> local_ranges(
    const CandidateQuery& query, const SegmentFacts& facts, std::span<const SegmentBlock> blocks
);
// What the lists have in these ranges, in the query's order, at most its `max`.
[[nodiscard]] std::vector<std::uint32_t> merge_locals(
    std::span<const Locals> lists, std::span<const LocalRange> ranges, const CandidateQuery& query
);

}  // namespace belfry
