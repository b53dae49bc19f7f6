// What touches a segment file to write it: making one, zero-filling ahead of the writer, committing
// a batch. Values in, values out; runs on the log thread, a plain commit also on the I/O thread.
// One commit at a time.
#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "engine/embedded/batch.h"
#include "engine/embedded/segment_format.h"

#include <memory>
#include <string>

namespace belfry {

inline constexpr std::uint64_t kFirstFillBytes = 256 * 1024;      // before the first append
inline constexpr std::uint64_t kFillStepBytes = 4 * 1024 * 1024;  // ahead of the writer

// The open segment as the writer sees it. Zeros stand from the last batch to `filled`.
struct WritableSegment {
    std::shared_ptr<File> file;
    std::uint64_t filled = 0;    // how far zeros were written and synced
    std::uint64_t capacity = 0;  // how far they may be
};

struct NewSegment {
    std::string directory;
    SegmentHeader header;
    std::uint64_t capacity = 0;
};
// Creates the file with both headers and the first zeros, all synced, its name too. On failure
// nothing of it is left if that can be helped; a later attempt overwrites what is.
[[nodiscard]] Result<WritableSegment> create_segment(FileSystem& files, const NewSegment& segment);

// Writes zeros over [from, to) and syncs them, by a descriptor of its own: an error of the kernel's
// write-back is reported once to each descriptor, and a commit must not miss its own.
[[nodiscard]] Result<void> zero_fill(
    FileSystem& files, const std::string& path, std::uint64_t from, std::uint64_t to
);

// One commit: make the segment or fill it further where that is needed, then write the batch
// durably.
struct CommitJob {
    std::shared_ptr<const Batch> batch;
    std::uint64_t position = 0;
    WritableSegment segment;  // without a file if `create` is set
    std::optional<NewSegment> create;
    std::uint64_t fill_to = 0;  // 0: it is filled far enough
    std::string path;           // of the segment, for the filling
};
struct CommitOutcome {
    // What went wrong: before the batch was written at all (nothing is exposed), or with the batch
    // itself.
    enum class Stage : std::uint8_t { done, prepare, write };
    Stage stage = Stage::done;
    Error error;
    WritableSegment segment;
    Duration took{};  // the synchronous write alone
};
[[nodiscard]] CommitOutcome run_commit(FileSystem& files, const Clock& clock, CommitJob job);

}  // namespace belfry
