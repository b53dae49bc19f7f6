// Reads a whole segment and says what is in it: for the segment that was being written when the
// program ended, and for a sealed one whose summary is missing. Blocks; any thread. Owns nothing it
// is given.
#pragma once

#include "engine/embedded/dedup_window.h"
#include "engine/embedded/segment_index.h"

#include <optional>
#include <vector>

namespace belfry {

// Reads both copies of the header. `damaged_copy` names a copy to be repaired.
struct HeaderRead {
    std::optional<SegmentHeader> header;
    std::optional<std::uint32_t> damaged_copy;
};
[[nodiscard]] Result<HeaderRead> read_segment_header(File& file, Offset base);

// What is left of the end of the segment that was being written.
struct SegmentTail {
    // The last batch is whole but nothing after it proves that it was synced: write it again, then
    // sync.
    std::uint64_t rewrite_from = 0;
    std::uint64_t rewrite_bytes = 0;  // 0: nothing to rewrite
    // Bytes beyond the end that are not zeros: never acknowledged, to be zeroed.
    std::uint64_t cut_from = 0;
    std::uint64_t cut_bytes = 0;  // 0: none
};

struct SegmentScan {
    SegmentIndex index;
    SegmentTail tail;
    // A watermark says that events up to facts().next were durable, but from here on nothing even
    // names them. Equal to facts().next when all is well.
    Offset named_until;
    std::uint64_t damaged_records = 0;
    std::uint64_t damaged_places = 0;
    std::vector<DedupRow> dedup;
};

struct ScanRequest {
    SegmentHeader header;
    std::uint64_t file_bytes = 0;
    DedupKey dedup_key{};
    WallTime dedup_since;  // rows for events recorded from here on
    // Where the next segment begins: then everything before it is proven.
    std::optional<Offset> sealed_at;
};
// Fails only when the device does.
[[nodiscard]] Result<SegmentScan> scan_segment(File& file, const ScanRequest& request);

}  // namespace belfry
