// Reading, listing and finding: see segment_log.h.
#include "base/logging.h"
#include "engine/embedded/segment_log.h"

#include <algorithm>

namespace belfry {

namespace {

constexpr std::size_t kOpenFilesMax = 64;
constexpr std::size_t kListsAtOnce = 4;   // the others wait as questions, not as plans or answers
constexpr std::size_t kMemoryStep = 256;  // candidates looked up at once while memory may do

// What a task on the read thread brings back beside its answer: a file it had to open.
template <typename Answer>
struct FromReadThread {
    Answer answer;
    std::shared_ptr<File> file;
    SearchNotes notes;
};

}  // namespace

void SegmentLog::read(Offset from, ReadLimit limit, ReadDone done) {
    if (from < first_offset()) {
        Error error{
            .code = Errc::offset_expired, .detail = "the log starts later than this offset"
        };
        error.first_offset = first_offset().value;
        done(std::unexpected(std::move(error)));
        return;
    }
    if (from >= next_offset()) {
        done(ReadResult{.entries = {}, .next = from});
        return;
    }
    if (auto tail = tail_.read(from, limit)) {
        done(std::move(*tail));
        return;
    }
    std::size_t number = segment_of(from);
    const SegmentFacts& facts = facts_of(number);
    if (from >= facts.next) {  // between two segments
        const SegmentHeader& after = facts_of(number + 1).header;
        Gap gap{.from = from, .to = after.base};
        gap.reason = after.loss_accepted ? Gap::Reason::data_loss : Gap::Reason::damage;
        done(ReadResult{.entries = {gap}, .next = after.base});
        return;
    }
    const SegmentLookup& lookup = number < sealed_.size() ? *sealed_[number] : *index_;
    RangeRequest request{
        .segment = view_of(number),
        .position = lookup.position_before(from),
        .from = from,
        .limit = limit,
    };
    if (request.segment.file) {
        auto answer = read_range(request, SegmentWindow::Source::memory);
        if (answer && *answer) {
            note(**answer);
            done(std::move((*answer)->result));
            return;
        }
    }
    read_from_disk(std::move(request), std::move(done));
}

void SegmentLog::read_from_disk(RangeRequest request, ReadDone done) {
    Offset base = request.segment.facts.header.base;
    using Came = FromReadThread<Result<RangeAnswer>>;
    run_on(
        ports_.read_thread,
        [&files = ports_.files, request = std::move(request)]() mutable {
            Came came;
            if (auto opened = open_view(files, request.segment); !opened) {
                came.answer = std::unexpected(opened.error());
                return came;
            }
            auto answer = read_range(request, SegmentWindow::Source::disk);
            if (answer) {
                came.answer = std::move(**answer);
            } else {
                came.answer = std::unexpected(answer.error());
            }
            came.file = request.segment.file;
            return came;
        },
        [this, base, done = std::move(done)](Came came) mutable {
            keep_file(base, std::move(came.file));
            if (!came.answer) {
                log_error("the log cannot be read", {{"error", came.answer.error().detail}});
                done(std::unexpected(std::move(came.answer.error())));
                return;
            }
            note(*came.answer);
            done(std::move(came.answer->result));
        }
    );
}

std::optional<ReadResult> SegmentLog::read_tail(Offset from, ReadLimit limit) {
    return tail_.read(from, limit);
}

void SegmentLog::list(ListQuery query, ListDone done) {
    Offset first = first_offset();
    Offset next = next_offset();
    if (query.after && query.after->next() < first) {
        Error error{
            .code = Errc::offset_expired, .detail = "the log starts later than this offset"
        };
        error.first_offset = first.value;
        done(std::unexpected(std::move(error)));
        return;
    }
    query.limit = std::max<std::size_t>(query.limit, 1);
    ListJob job{.query = std::move(query), .from = first, .to = next, .segments = {}, .result = {}};
    if (job.query.after) {
        job.from = std::max(first, job.query.after->next());
    }
    if (job.query.before) {
        job.to = std::min(next, *job.query.before);
    }
    if (job.from >= job.to || plan_list(job)) {
        done(std::move(job.result));
    } else if (lists_under_way_ >= kListsAtOnce) {
        waiting_lists_.emplace_back(std::move(job.query), std::move(done));
    } else {
        list_from_disk(std::move(job), std::move(done));
    }
}

void SegmentLog::list_from_disk(ListJob job, ListDone done) {
    ++lists_under_way_;
    using Came = FromReadThread<Result<ListResult>>;
    run_on(
        ports_.read_thread,
        [&files = ports_.files, job = std::move(job)]() mutable {
            Came came;
            came.answer = run_list(files, std::move(job), came.notes);
            return came;
        },
        [this, done = std::move(done)](Came came) mutable {
            note(came.notes);
            --lists_under_way_;
            while (lists_under_way_ < kListsAtOnce && !waiting_lists_.empty()) {
                auto next = std::move(waiting_lists_.front());
                waiting_lists_.pop_front();
                list(std::move(next.first), std::move(next.second));
            }
            done(std::move(came.answer));
        }
    );
}

// Chooses the segments; true if memory answers it all.
bool SegmentLog::plan_list(ListJob& job) {
    const ListQuery& query = job.query;
    bool descending = query.order == ListQuery::Order::descending;
    for (std::size_t i = 0; i < segment_count(); ++i) {
        std::size_t number = descending ? segment_count() - 1 - i : i;
        const SegmentFacts& facts = facts_of(number);
        bool overlaps =
            facts.header.base < job.to && facts.next > job.from && facts.next > facts.header.base;
        bool in_time = (!query.since || facts.newest >= *query.since) &&
                       (!query.until || facts.oldest < *query.until);
        bool sealed = number < sealed_.size();
        const SegmentLookup& lookup = sealed ? *sealed_[number] : *index_;
        if (!overlaps || !in_time || !lookup.may_hold(query.tenant, query.type)) {
            continue;
        }
        SearchSegment segment{.view = view_of(number), .lookup = nullptr, .ready = {}};
        if (sealed) {
            segment.lookup = sealed_[number];
        } else {
            CandidateQuery rest{
                .tenant = query.tenant,
                .type = query.type,
                .since = query.since,
                .until = query.until,
                .from = job.from,
                .to = job.to,
                .descending = descending,
                .max = kMemoryStep,
            };
            if (job.segments.empty() && list_from_memory(job, rest)) {
                return true;
            }
            rest.max = kListExaminedMax - job.examined;
            segment.ready = index_->candidates(rest).value();  // memory does not fail
            if (segment.ready->empty()) {
                continue;
            }
        }
        job.segments.push_back(std::move(segment));
    }
    return job.segments.empty();
}

// Examines candidates as long as the tail has them, and takes them out of the query. True if the
// page is complete.
bool SegmentLog::list_from_memory(ListJob& job, CandidateQuery& rest) {
    while (true) {
        auto candidates = index_->candidates(rest).value();  // memory does not fail
        for (const Candidate& candidate : candidates) {
            auto stored = tail_.at(candidate.offset);
            if (!stored) {
                return false;
            }
            if (rest.descending) {
                rest.to = candidate.offset;
            } else {
                rest.from = candidate.offset.next();
            }
            if (examine(job, std::move(*stored))) {
                return true;
            }
        }
        if (candidates.size() < rest.max) {
            return false;
        }
    }
}

void SegmentLog::find(std::string tenant, std::string id, std::string source, FindDone done) {
    auto uuid = parse_uuid(id);
    Offset offset = uuid ? uuid->offset() : Offset{};
    if (!uuid || offset < first_offset() || offset >= next_offset()) {
        find_by_id(std::move(tenant), std::move(id), std::move(source), std::move(done));
        return;
    }
    auto check = [this, tenant, id, source, uuid, done = std::move(done)](Result<ReadResult> result
                 ) mutable {
        if (result && !result->entries.empty()) {
            auto* stored = std::get_if<StoredEvent>(&result->entries.front());
            if (stored != nullptr && stored->uuid() == *uuid && stored->event.tenant == tenant &&
                (source.empty() || stored->event.source == source)) {
                done(std::move(*stored));
                return;
            }
        }
        // A publisher's id may look like one of ours.
        find_by_id(std::move(tenant), std::move(id), std::move(source), std::move(done));
    };
    read(offset, {.events = 1, .bytes = 64 * 1024}, std::move(check));
}

void SegmentLog::find_by_id(std::string tenant, std::string id, std::string source, FindDone done) {
    FindJob job{
        .tenant = std::move(tenant),
        .id = std::move(id),
        .source = std::move(source),
        .segments = {}
    };
    job.id_hash = event_id_hash(job.tenant, job.id);
    auto candidates =
        index_->with_id(job.id_hash, kListExaminedMax).value();  // memory does not fail
    std::size_t checked = 0;
    for (; checked < candidates.size(); ++checked) {
        auto stored = tail_.at(candidates[checked].offset);
        if (!stored) {
            break;
        }
        if (find_matches(job, *stored)) {
            done(std::move(*stored));
            return;
        }
    }
    candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(checked));
    if (!candidates.empty()) {
        job.segments.push_back(
            {.view = view_of(sealed_.size()), .lookup = nullptr, .ready = std::move(candidates)}
        );
    }
    for (std::size_t number = sealed_.size(); number-- > 0;) {
        job.segments.push_back(
            {.view = view_of(number), .lookup = sealed_[number], .ready = std::nullopt}
        );
    }
    using Came = FromReadThread<Result<StoredEvent>>;
    run_on(
        ports_.read_thread,
        [&files = ports_.files, job = std::move(job)]() mutable {
            Came came;
            came.answer = run_find(files, std::move(job), came.notes);
            return came;
        },
        [this, done = std::move(done)](Came came) mutable {
            note(came.notes);
            done(std::move(came.answer));
        }
    );
}

Offset SegmentLog::first_offset() const {
    return facts_of(0).header.base;
}

Offset SegmentLog::next_offset() const {
    return index_->facts().next;
}

std::vector<SegmentInfo> SegmentLog::segments() const {
    std::vector<SegmentInfo> infos;
    infos.reserve(segment_count());
    for (std::size_t number = 0; number < segment_count(); ++number) {
        const SegmentFacts& facts = facts_of(number);
        infos.push_back({
            .first = facts.header.base,
            .next = facts.next,
            .bytes = facts.end,
            .newest = facts.newest,
            .sealed = number < sealed_.size(),
        });
    }
    return infos;
}

LogStatus SegmentLog::status() const {
    LogStatus status{
        .first = first_offset(),
        .next = next_offset(),
        .segments = segment_count(),
        .read_only = read_only_,
        .disk_full = disk_full_,
        .reason = reason_,
        .on_log_thread = pace_.on_log_thread(),
        .commit_average = pace_.average(),
        .commit_durations = commit_durations_,
        .publish_durations = publish_durations_,
        .commits = commits_,
        .appended = appended_,
        .duplicates = duplicates_,
        .checksum_failures = checksum_failures_,
        .gap_events = gap_events_,
    };
    for (std::size_t number = 0; number < segment_count(); ++number) {
        status.bytes += facts_of(number).end;
    }
    return status;
}

void SegmentLog::on_durable(std::function<void(Offset first, Offset next)> observer) {
    observer_ = std::move(observer);
}

// The segment with the highest base at or below `offset`, which is not below the first.
std::size_t SegmentLog::segment_of(Offset offset) const {
    if (offset >= index_->facts().header.base) {
        return sealed_.size();
    }
    auto after = std::ranges::upper_bound(sealed_, offset, {}, [](const auto& segment) {
        return segment->facts().header.base;
    });
    return static_cast<std::size_t>(after - sealed_.begin()) - 1;
}

const SegmentFacts& SegmentLog::facts_of(std::size_t number) const {
    return number < sealed_.size() ? sealed_[number]->facts() : index_->facts();
}

SegmentView SegmentLog::view_of(std::size_t number) {
    const SegmentFacts& facts = facts_of(number);
    SegmentView view{.path = path_of(facts.header.base), .file = nullptr, .facts = facts};
    if (number == sealed_.size()) {
        view.file = writable_.file;
        return view;
    }
    auto open = std::ranges::find(
        open_files_, facts.header.base, &std::pair<Offset, std::shared_ptr<File>>::first
    );
    if (open != open_files_.end()) {
        view.file = open->second;
        std::rotate(open, open + 1, open_files_.end());
    }
    return view;
}

void SegmentLog::keep_file(Offset base, std::shared_ptr<File> file) {
    auto known = [base](const auto& entry) { return entry.first == base; };
    if (!file || std::ranges::any_of(open_files_, known)) {
        return;
    }
    open_files_.emplace_back(base, std::move(file));
    if (open_files_.size() > kOpenFilesMax) {
        open_files_.erase(open_files_.begin());
    }
}

void SegmentLog::note(const RangeAnswer& answer) {
    checksum_failures_ += answer.checksum_failures;
    for (const LogEntry& entry : answer.result.entries) {
        const auto* gap = std::get_if<Gap>(&entry);
        if (gap != nullptr) {
            note_gap(*gap);
        }
    }
}

// Said once for each place, however often it is read.
void SegmentLog::note_gap(const Gap& gap) {
    auto after = known_gaps_.upper_bound(gap.from);
    if (after != known_gaps_.begin() && std::prev(after)->second >= gap.to) {
        return;
    }
    known_gaps_[gap.from] = gap.to;
    gap_events_ += gap.to - gap.from;
    log_error(
        "events of the log cannot be read: the disk has damaged them",
        {{"from", gap.from.value}, {"to", gap.to.value}}
    );
}

void SegmentLog::note(const SearchNotes& notes) {
    checksum_failures_ += notes.checksum_failures;
    for (Offset base : notes.bad_summaries) {
        rebuild_summary(base);
    }
}

}  // namespace belfry
