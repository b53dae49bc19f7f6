// Brings the directory of segments into the state that the log can serve: proves or cuts the last
// batch, rebuilds summaries, finds what is missing. Blocks; before the loop runs; the caller holds
// the lock. Rules: docs/log_format.md, "Recovery".
#pragma once

#include "engine/embedded/embedded_log.h"
#include "engine/embedded/segment_index.h"
#include "engine/embedded/segment_scan.h"
#include "engine/embedded/segment_writer.h"

#include <memory>
#include <vector>

namespace belfry {

struct RecoveredLog {
    std::vector<std::shared_ptr<const SegmentLookup>> sealed;  // oldest first
    std::unique_ptr<SegmentIndex> index;                       // of the segment to write on
    WritableSegment writable;
    std::vector<DedupRow> dedup;  // within the window, oldest first
    bool watermark_due = false;   // the last batch is proven by nothing but our rewriting it
    std::uint64_t checksum_failures = 0;
    std::vector<Gap> gaps;  // found unreadable
};

// Errc::unavailable if proven events are missing at the end, unless options.accept_data_loss.
[[nodiscard]] Result<RecoveredLog> recover_log(
    const EmbeddedLogOptions& options,
    FileSystem& files,
    Clock& clock,
    Rng& rng,
    const DedupKey& dedup_key
);

// DIR/log.
[[nodiscard]] std::string log_directory(const EmbeddedLogOptions& options);

}  // namespace belfry
