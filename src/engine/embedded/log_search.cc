#include "engine/embedded/log_search.h"

#include "engine/embedded/segment_scan.h"

namespace belfry {

namespace {

constexpr std::size_t kSearchChunkBytes = 32 * 1024;

// The index of a segment whose summary cannot be read, from the segment itself.
Result<std::unique_ptr<SegmentLookup>> scan_instead(const SegmentView& view, SearchNotes& notes) {
    notes.bad_summaries.push_back(view.facts.header.base);
    auto scan = scan_segment(
        *view.file,
        {.header = view.facts.header,
         .file_bytes = view.facts.end,
         .dedup_key = {},
         .dedup_since = WallTime::max(),
         .sealed_at = view.facts.next}
    );
    if (!scan) {
        return std::unexpected(scan.error());
    }
    return std::make_unique<SegmentIndex>(std::move(scan->index));
}

// Asks the segment's summary; where that fails, the segment.
template <typename Ask>
Result<std::vector<Candidate>> ask(SearchSegment& segment, SearchNotes& notes, Ask question) {
    if (segment.ready) {
        return std::move(*segment.ready);
    }
    auto found = question(*segment.lookup);
    if (found) {
        return found;
    }
    auto index = scan_instead(segment.view, notes);
    if (!index) {
        return std::unexpected(index.error());
    }
    return question(**index);
}

SegmentWindow window_of(const SegmentView& view, SegmentWindow::Direction direction) {
    return SegmentWindow(
        *view.file,
        {.end = view.facts.end, .chunk_bytes = kSearchChunkBytes, .direction = direction}
    );
}

// nullopt: the page is not complete.
Result<std::optional<ListResult>> list_segment(
    FileSystem& files, ListJob& job, SearchSegment& segment, SearchNotes& notes
) {
    if (auto opened = open_view(files, segment.view); !opened) {
        return std::unexpected(opened.error());
    }
    bool descending = job.query.order == ListQuery::Order::descending;
    CandidateQuery wanted{
        .tenant = job.query.tenant,
        .type = job.query.type,
        .since = job.query.since,
        .until = job.query.until,
        .from = job.from,
        .to = job.to,
        .descending = descending,
        .max = kListExaminedMax - job.examined,
    };
    auto candidates =
        ask(segment, notes, [&](const SegmentLookup& lookup) { return lookup.candidates(wanted); });
    if (!candidates) {
        return std::unexpected(candidates.error());
    }
    SegmentWindow window = window_of(
        segment.view,
        descending ? SegmentWindow::Direction::backward : SegmentWindow::Direction::forward
    );
    for (const Candidate& candidate : *candidates) {
        auto stored = read_record(window, segment.view.facts.header.salt, candidate);
        if (window.error()) {
            return std::unexpected(*window.error());
        }
        if (!stored) {
            ++notes.checksum_failures;
            ++job.examined;
            continue;
        }
        if (examine(job, std::move(*stored))) {
            return std::move(job.result);
        }
    }
    if (job.examined >= kListExaminedMax) {  // the last ones were damaged
        job.result.next = candidates->back().offset;
        return std::move(job.result);
    }
    return std::optional<ListResult>();
}

}  // namespace

bool list_matches(const ListQuery& query, const StoredEvent& stored) {
    const Event& event = stored.event;
    return event.tenant == query.tenant && (!query.type || query.type->matches(event.type)) &&
           (query.source.empty() || event.source == query.source) &&
           (query.subject.empty() || event.subject == query.subject) &&
           (!query.leaves_out_elsewhere || !event.elsewhere) &&
           (!query.since || stored.recorded >= *query.since) &&
           (!query.until || stored.recorded < *query.until);
}

bool examine(ListJob& job, StoredEvent stored) {
    ++job.examined;
    Offset offset = stored.offset;
    if (list_matches(job.query, stored)) {
        job.bytes += stored.event.data ? stored.event.data->size() : 0;
        job.result.events.push_back(std::move(stored));
    }
    bool complete = job.result.events.size() >= job.query.limit ||
                    job.examined >= kListExaminedMax || job.bytes >= kListBytesMax;
    // At the very end of the log there is no further page.
    bool descending = job.query.order == ListQuery::Order::descending;
    bool at_end = descending ? offset == job.from : offset.next() == job.to;
    if (complete && !at_end) {
        job.result.next = offset;
    }
    return complete;
}

Result<ListResult> run_list(FileSystem& files, ListJob job, SearchNotes& notes) {
    for (SearchSegment& segment : job.segments) {
        auto page = list_segment(files, job, segment, notes);
        if (!page) {
            return std::unexpected(page.error());
        }
        if (*page) {
            return std::move(**page);
        }
    }
    return std::move(job.result);
}

bool find_matches(const FindJob& job, const StoredEvent& stored) {
    return stored.event.tenant == job.tenant && stored.event.id == job.id &&
           (job.source.empty() || stored.event.source == job.source);
}

Result<StoredEvent> run_find(FileSystem& files, FindJob job, SearchNotes& notes) {
    for (SearchSegment& segment : job.segments) {
        if (auto opened = open_view(files, segment.view); !opened) {
            return std::unexpected(opened.error());
        }
        auto candidates = ask(segment, notes, [&](const SegmentLookup& lookup) {
            return lookup.with_id(job.id_hash, kListExaminedMax);
        });
        if (!candidates) {
            return std::unexpected(candidates.error());
        }
        SegmentWindow window = window_of(segment.view, SegmentWindow::Direction::backward);
        for (const Candidate& candidate : *candidates) {
            auto stored = read_record(window, segment.view.facts.header.salt, candidate);
            if (window.error()) {
                return std::unexpected(*window.error());
            }
            if (!stored) {
                ++notes.checksum_failures;
            } else if (find_matches(job, *stored)) {
                return std::move(*stored);
            }
        }
    }
    return fail(Errc::not_found, "there is no event with this id");
}

}  // namespace belfry
