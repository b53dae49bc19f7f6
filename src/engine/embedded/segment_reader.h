// Reads records of one segment: a range for readers, single ones for lists and searches. Every
// checksum is checked. Pure functions over what they are given; I/O thread (memory only) and read
// thread.
#pragma once

#include "engine/embedded/segment_lookup.h"
#include "engine/embedded/segment_window.h"
#include "engine/log.h"

#include <memory>
#include <optional>
#include <string>

namespace belfry {

// A segment as a reader needs it, as values that may cross threads.
struct SegmentView {
    std::string path;
    std::shared_ptr<File> file;  // null: to be opened by whoever may block
    SegmentFacts facts;          // of what is durable
};

// Opens the view's file if it is not. Blocks.
[[nodiscard]] Result<void> open_view(FileSystem& files, SegmentView& view);

struct RangeRequest {
    SegmentView segment;
    std::uint64_t position = 0;  // SegmentLookup::position_before(from)
    Offset from;                 // in the segment
    ReadLimit limit;
};
struct RangeAnswer {
    ReadResult result;
    std::uint64_t checksum_failures = 0;
    std::uint64_t unreadable_blocks = 0;
};
// Entries from `from` on; damage becomes gaps, up to the end of the segment. nullopt if the disk is
// needed (Source::memory). Fails only when the device does.
[[nodiscard]] Result<std::optional<RangeAnswer>> read_range(
    const RangeRequest& request, SegmentWindow::Source source
);

// The record at a known place; nullopt if it is damaged.
[[nodiscard]] std::optional<StoredEvent> read_record(
    SegmentWindow& window, SegmentSalt salt, Candidate candidate
);

}  // namespace belfry
