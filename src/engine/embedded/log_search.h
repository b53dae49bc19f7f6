// Lists and searches over many segments. A job is planned on the I/O thread, runs there as far as
// memory goes, and otherwise on the read thread; it holds values only.
#pragma once

#include "engine/embedded/segment_reader.h"
#include "engine/log.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace belfry {

inline constexpr std::size_t kListExaminedMax = 20'000;
// A page ends with the event that passes it: many pages may be in memory at the same time.
inline constexpr std::size_t kListBytesMax = 1024 * 1024;

// One segment to look through. `ready` stands for the segment being written, whose index may not
// leave the I/O thread.
struct SearchSegment {
    SegmentView view;
    std::shared_ptr<const SegmentLookup> lookup;  // null if `ready`
    std::optional<std::vector<Candidate>> ready;
};

// What a search found out beside its answer.
struct SearchNotes {
    std::uint64_t checksum_failures = 0;
    std::vector<Offset> bad_summaries;  // base offsets
};

[[nodiscard]] bool list_matches(const ListQuery& query, const StoredEvent& stored);

struct ListJob {
    ListQuery query;
    Offset from;  // [from, to): what the bounds of the query leave of the log
    Offset to;
    std::vector<SearchSegment> segments;  // in the order of the query
    ListResult result;
    std::size_t examined = 0;
    std::size_t bytes = 0;  // data in `result`
};
// Examines one event; true when the page is complete.
[[nodiscard]] bool examine(ListJob& job, StoredEvent stored);
// Blocks. Fails when the device does.
[[nodiscard]] Result<ListResult> run_list(FileSystem& files, ListJob job, SearchNotes& notes);

struct FindJob {
    std::string tenant;
    std::string id;
    std::string source;
    std::uint64_t id_hash = 0;
    std::vector<SearchSegment> segments;  // newest first
};
[[nodiscard]] bool find_matches(const FindJob& job, const StoredEvent& stored);
// Blocks. not_found; fails otherwise when the device does.
[[nodiscard]] Result<StoredEvent> run_find(FileSystem& files, FindJob job, SearchNotes& notes);

}  // namespace belfry
