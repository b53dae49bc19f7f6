#include "engine/embedded/segment_log.h"

#include "base/assert.h"
#include "base/logging.h"
#include "engine/embedded/crash_point.h"

#include <algorithm>

namespace belfry {

namespace {

// A turn of the loop ends at the latest here.
constexpr std::size_t kTurnRecords = 1'000;
constexpr std::size_t kTurnBytes = 1024 * 1024;
constexpr Duration kTurnLength = std::chrono::microseconds(500);

}  // namespace

SegmentLog::SegmentLog(
    EmbeddedLogOptions options,
    EmbeddedLogPorts ports,
    std::unique_ptr<FileLock> lock,
    const DedupKey& dedup_key,
    RecoveredLog recovered
)
    : options_(std::move(options)),
      ports_(ports),
      directory_(log_directory(options_)),
      dedup_key_(dedup_key),
      lock_(std::move(lock)),
      sealed_(std::move(recovered.sealed)),
      index_(std::move(recovered.index)),
      writable_(std::move(recovered.writable)),
      tail_(options_.tail_bytes),
      dedup_(options_.dedup_window, options_.dedup_ids),
      pace_(options_.slow_commit),
      gathering_(index_->facts().next),
      watermark_due_(recovered.watermark_due),
      last_commit_(ports_.clock.now()),
      checksum_failures_(recovered.checksum_failures) {
    for (const Gap& gap : recovered.gaps) {
        known_gaps_[gap.from] = gap.to;
        gap_events_ += gap.to - gap.from;
    }
    MonoTime now = ports_.clock.now();
    WallTime wall = ports_.clock.wall();
    for (std::size_t i = 0; i < recovered.dedup.size(); ++i) {
        const DedupRow& row = recovered.dedup[i];
        dedup_.expect(recovered.dedup[std::min(i + 16, recovered.dedup.size() - 1)].print);
        // A wall clock that was set back makes them younger, never negative.
        Duration age = std::max(Duration(wall - row.recorded), Duration::zero());
        if (!dedup_.find(row.print, now)) {
            dedup_.add(row.print, row.offset, now - age, row.recorded);
        }
    }
    if (watermark_due_) {
        arm_watermark();
    }
    fill_ahead();
    grow_reserve(0);
}

SegmentLog::~SegmentLog() {
    ports_.clock.cancel(watermark_timer_);
    ports_.clock.cancel(space_timer_);
}

void SegmentLog::append(std::span<const Event> events, AppendDone done) {
    if (auto refused = refusal()) {
        done(std::unexpected(std::move(*refused)));
        return;
    }
    std::size_t records = gathering_.batch->count();
    std::size_t receipts = gathering_.receipts.size();
    if (auto gathered = gather(events); !gathered) {
        take_back(records, receipts);
        done(std::unexpected(std::move(gathered.error())));
        return;
    }
    if (gathering_.batch->count() == records) {
        wait_for_earlier(receipts, std::move(done));
        return;
    }
    gathering_.waiters.push_back(
        {.done = std::move(done), .begin = receipts, .count = events.size()}
    );
    BELFRY_CRASH_POINT("append.gathered");
    if (gathered_enough()) {
        commit();
    }
}

std::optional<Error> SegmentLog::refusal() const {
    if (stopping_) {
        return Error{.code = Errc::unavailable, .detail = "the log is stopping"};
    }
    if (read_only_) {
        return Error{.code = Errc::read_only, .detail = reason_};
    }
    if (disk_full_) {
        return Error{.code = Errc::disk_full, .detail = reason_};
    }
    return std::nullopt;
}

Result<void> SegmentLog::gather(std::span<const Event> events) {
    MonoTime now = ports_.clock.now();
    WallTime recorded = ports_.clock.wall();
    if (gathering_.batch->count() == 0) {
        gathering_.first_at = now;
    }
    std::size_t before = gathering_.batch->bytes().size();
    for (std::size_t i = 0; i < events.size(); ++i) {
        auto receipt = gather_one(events[i], now, recorded);
        if (!receipt) {
            receipt.error().index = i;
            return std::unexpected(std::move(receipt.error()));
        }
        gathering_.receipts.push_back(*receipt);
    }
    // One request alone is always taken; its size has a limit of its own.
    std::size_t waiting = in_flight_ ? in_flight_->batch->bytes().size() : 0;
    std::size_t bytes = gathering_.batch->bytes().size();
    if (waiting + bytes > options_.pending_bytes && waiting + before > kBatchHeaderBytes &&
        bytes > before) {
        return fail(
            Errc::overloaded, "as many bytes wait for the disk as log.pending_bytes allows"
        );
    }
    return {};
}

Result<Appended> SegmentLog::gather_one(const Event& event, MonoTime now, WallTime recorded) {
    if (event.source.empty() || event.type.empty()) {
        // It could never be read back; check_event() says more about it.
        Error error{.code = Errc::invalid_event, .detail = "an event needs a source and a type"};
        error.field = event.source.empty() ? "source" : "type";
        return std::unexpected(std::move(error));
    }
    Appended receipt{.offset = gathering_.batch->next()};
    if (event.id.empty()) {
        receipt.uuid_low = ports_.rng.next();
    } else {
        receipt.uuid_low = uuid_low_half(event.source, event.id);
        EventFingerprint print = fingerprint(event, dedup_key_);
        if (auto found = dedup_.find(print, now)) {
            if (!found->same_content) {
                return fail(
                    Errc::id_conflict,
                    "an event with this source and id but other content was stored at offset " +
                        std::to_string(found->offset.value)
                );
            }
            receipt.offset = found->offset;
            receipt.duplicate = true;
            return receipt;
        }
        dedup_.add(print, receipt.offset, now, recorded);
    }
    gathering_.batch->add(event, recorded, receipt.uuid_low);
    return receipt;
}

// A request is taken as a whole or not at all.
void SegmentLog::take_back(std::size_t records, std::size_t receipts) {
    gathering_.batch->cut(records);
    gathering_.receipts.resize(receipts);
    dedup_.forget_from(gathering_.batch->next());
}

// Every event of the request was stored before: it is answered once the youngest of them is
// durable.
void SegmentLog::wait_for_earlier(std::size_t receipts, AppendDone done) {
    auto begin = gathering_.receipts.begin() + static_cast<std::ptrdiff_t>(receipts);
    std::vector<Appended> mine(begin, gathering_.receipts.end());
    gathering_.receipts.resize(receipts);
    Offset youngest;
    for (const Appended& receipt : mine) {
        youngest = std::max(youngest, receipt.offset);
    }
    Pending* waits_for = nullptr;
    if (!mine.empty() && youngest >= gathering_.batch->first()) {
        waits_for = &gathering_;
    } else if (!mine.empty() && in_flight_ && youngest >= in_flight_->batch->first()) {
        waits_for = &*in_flight_;
    }
    if (waits_for == nullptr) {
        duplicates_ += mine.size();
        BELFRY_CRASH_POINT("append.duplicate");
        done(mine);
        return;
    }
    std::size_t at = waits_for->receipts.size();
    waits_for->receipts.insert(waits_for->receipts.end(), mine.begin(), mine.end());
    waits_for->waiters.push_back({.done = std::move(done), .begin = at, .count = mine.size()});
}

bool SegmentLog::gathered_enough() const {
    const Batch& batch = *gathering_.batch;
    return batch.count() >= kTurnRecords || batch.bytes().size() >= kTurnBytes ||
           ports_.clock.now() - gathering_.first_at >= kTurnLength;
}

void SegmentLog::end_turn() {
    commit();
}

// One commit in flight, ever; what comes meanwhile is gathered for the next.
void SegmentLog::commit() {
    if (in_flight_ || delivering_ || gathering_.empty()) {
        return;
    }
    Offset next = gathering_.batch->next();
    Pending following(next, gathering_.batch.get());
    in_flight_.emplace(std::exchange(gathering_, std::move(following)));
    start_commit();
}

void SegmentLog::start_commit() {
    CommitJob job = make_job();
    bool plain = !job.create && job.fill_to == 0;
    if (plain && !pace_.on_log_thread()) {
        finish_commit(run_commit(ports_.files, ports_.clock, std::move(job)));
        return;
    }
    run_on(
        ports_.log_thread,
        [&files = ports_.files, &clock = ports_.clock, job = std::move(job)]() mutable {
            return run_commit(files, clock, std::move(job));
        },
        [this](const CommitOutcome& outcome) { finish_commit(outcome); }
    );
}

CommitJob SegmentLog::make_job() {
    Batch& batch = *in_flight_->batch;
    const SegmentFacts& facts = index_->facts();
    std::uint64_t size = batch.bytes().size();
    CommitJob job{.batch = in_flight_->batch, .position = facts.end, .create = {}, .path = {}};
    SegmentHeader header = facts.header;
    // Once a new segment was begun it is gone on with: what a failed attempt left may only be
    // written over.
    bool fits = facts.end + size <= writable_.capacity && !roll_due_;
    if (!fits && facts.next == facts.header.base) {
        writable_.capacity = facts.end + size;  // nothing is in it: it may as well grow
        fits = true;
    }
    new_header_.reset();
    if (fits) {
        job.segment = writable_;
        job.path = path_of(header.base);
    } else {
        header = {
            .base = batch.first(),
            .salt = SegmentSalt{ports_.rng.next()},
            .created = ports_.clock.wall(),
        };
        new_header_ = header;
        roll_due_ = true;
        job.position = kSegmentDataStart;
        job.path = path_of(header.base);
        job.create = NewSegment{
            .directory = directory_,
            .header = header,
            .capacity = std::max(options_.segment_bytes, kSegmentDataStart + size),
        };
        job.segment.capacity = job.create->capacity;
        job.segment.filled = std::min(kFirstFillBytes, job.create->capacity);
    }
    std::uint64_t end = job.position + size;
    if (end > job.segment.filled) {
        job.fill_to = std::min(end + kFirstFillBytes, job.segment.capacity);
    }
    new_position_ = job.position;
    batch.seal(header.salt, job.position, index_->facts().next);
    return job;
}

void SegmentLog::finish_commit(const CommitOutcome& outcome) {
    if (outcome.stage != CommitOutcome::Stage::done) {
        fail_commit(outcome);
        return;
    }
    // From here the events are durable, and from here readers may see them.
    BELFRY_CRASH_POINT("commit.durable");
    Pending pending = std::move(*in_flight_);
    in_flight_.reset();
    Offset first = pending.batch->first();
    adopt(outcome, pending);
    fill_ahead();
    deliver(pending, first);
    BELFRY_CRASH_POINT("commit.answered");
    if (!gathering_.empty() && !delivering_) {
        // Gathered meanwhile, or by those who were just answered. Not from within: the stack is
        // theirs.
        ports_.loop.post([alive = std::weak_ptr<bool>(alive_), this] {
            if (!alive.expired()) {
                commit();
            }
        });
    }
    advance_stop();
}

void SegmentLog::adopt(const CommitOutcome& outcome, const Pending& pending) {
    const Batch& batch = *pending.batch;
    pace_.add(outcome.took);
    last_commit_ = ports_.clock.now();
    if (new_header_) {
        roll_due_ = false;
        std::shared_ptr<const SegmentIndex> full = std::move(index_);
        const SegmentFacts& facts = full->facts();
        keep_file(facts.header.base, writable_.file);
        std::vector<DedupRow> rows = dedup_.rows(facts.header.base, facts.next);
        index_ = std::make_unique<SegmentIndex>(*new_header_);
        writable_ = outcome.segment;
        BELFRY_CRASH_POINT("rotate.adopted");
        seal(std::move(full), std::move(rows));
    } else {
        writable_.filled = std::max(writable_.filled, outcome.segment.filled);
    }
    std::vector<std::uint32_t> types;
    for (const std::string& key : batch.type_keys()) {
        types.push_back(index_->type_number(key));
    }
    for (std::size_t i = 0; i < batch.count(); ++i) {
        const BatchRow& row = batch.rows()[i];
        index_->add({
            .offset = batch.first() + i,
            .position = new_position_ + row.position,
            .type = types[row.type],
            .id_hash = row.id_hash,
            .recorded = row.recorded,
        });
    }
    index_->reach(batch.next(), new_position_ + batch.bytes().size());
    if (batch.count() == 0) {  // a watermark
        BELFRY_CRASH_POINT("watermark.durable");
        watermark_due_ = false;
        return;
    }
    tail_.add(pending.batch);
    ++commits_;
    appended_ += batch.count();
    commit_durations_.add(outcome.took);
    publish_durations_.add(last_commit_ - pending.first_at, batch.count());
    watermark_due_ = true;
    arm_watermark();
}

void SegmentLog::deliver(Pending& pending, Offset first) {
    delivering_ = true;
    Offset next = pending.batch->next();
    for (Waiter& waiter : pending.waiters) {
        auto receipts =
            std::span<const Appended>(pending.receipts).subspan(waiter.begin, waiter.count);
        duplicates_ += static_cast<std::uint64_t>(
            std::ranges::count_if(receipts, [](const Appended& one) { return one.duplicate; })
        );
        waiter.done(receipts);
    }
    if (observer_ && first < next) {
        observer_(first, next);
    }
    delivering_ = false;
}

void SegmentLog::fail_commit(const CommitOutcome& outcome) {
    Pending pending = std::move(*in_flight_);
    in_flight_.reset();
    Error error = outcome.error;
    if (outcome.stage == CommitOutcome::Stage::prepare && error.code == Errc::disk_full) {
        // Nothing of the batch was written, so its offsets are free again, and so are the ids.
        enter_disk_full(error.detail);
        error = {.code = read_only_ ? Errc::read_only : Errc::disk_full, .detail = reason_};
    } else {
        poison(error.detail);
        bool unknown = outcome.stage == CommitOutcome::Stage::write;
        error = {.code = unknown ? Errc::outcome_unknown : Errc::read_only, .detail = reason_};
    }
    fail_waiters(std::move(pending), error);
    advance_stop();
}

// The batch that failed, and what was gathered behind it.
void SegmentLog::fail_waiters(Pending pending, const Error& error) {
    Offset next = index_->facts().next;
    dedup_.forget_from(next);
    Pending gathered = std::exchange(gathering_, Pending(next));
    Error later = error;
    if (later.code == Errc::outcome_unknown) {
        later.code = Errc::read_only;  // these were not even tried
    }
    delivering_ = true;
    for (Waiter& waiter : pending.waiters) {
        waiter.done(std::unexpected(error));
    }
    for (Waiter& waiter : gathered.waiters) {
        waiter.done(std::unexpected(later));
    }
    delivering_ = false;
}

void SegmentLog::poison(std::string reason) {
    if (!read_only_) {
        log_error("the log is read-only until restart: a write failed", {{"error", reason}});
    }
    read_only_ = true;
    disk_full_ = false;
    watermark_due_ = false;
    reason_ = "a write to the log failed: " + std::move(reason);
}

std::string SegmentLog::path_of(Offset base) const {
    return directory_ + "/" + segment_file_name(base, kSegmentSuffix);
}

}  // namespace belfry
