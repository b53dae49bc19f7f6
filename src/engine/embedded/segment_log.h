// EmbeddedLog's implementation: the state of the log and how its parts work together. Appending and
// committing are in segment_log.cc, reading in segment_log_reads.cc, filling, sealing, trimming,
// the reserve and stopping in segment_log_upkeep.cc. I/O thread only; tasks for other threads carry
// values and come back through the loop, where `alive_` tells whether the log still exists.
#pragma once

#include "engine/embedded/batch.h"
#include "engine/embedded/commit_pace.h"
#include "engine/embedded/dedup_window.h"
#include "engine/embedded/embedded_log.h"
#include "engine/embedded/log_recovery.h"
#include "engine/embedded/log_search.h"
#include "engine/embedded/segment_reader.h"
#include "engine/embedded/segment_summary.h"
#include "engine/embedded/segment_writer.h"
#include "engine/embedded/tail_cache.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

class SegmentLog final : public EmbeddedLog {
 public:
    SegmentLog(
        EmbeddedLogOptions options,
        EmbeddedLogPorts ports,
        std::unique_ptr<FileLock> lock,
        const DedupKey& dedup_key,
        RecoveredLog recovered
    );
    ~SegmentLog() override;

    void append(std::span<const Event> events, AppendDone done) override;
    void read(Offset from, ReadLimit limit, ReadDone done) override;
    std::optional<ReadResult> read_tail(Offset from, ReadLimit limit) override;
    void list(ListQuery query, ListDone done) override;
    void find(std::string tenant, std::string id, std::string source, FindDone done) override;
    Offset first_offset() const override;
    Offset next_offset() const override;
    std::vector<SegmentInfo> segments() const override;
    LogStatus status() const override;
    void trim(Offset before, std::move_only_function<void(Result<void>)> done) override;
    void disk_is_full(std::string reason) override;
    void on_durable(std::function<void(Offset first, Offset next)> observer) override;
    void stop(std::move_only_function<void()> done) override;
    void end_turn() override;

 private:
    struct Waiter {
        AppendDone done;
        std::size_t begin = 0;  // its receipts
        std::size_t count = 0;
    };
    // A batch and who waits for it.
    struct Pending {
        explicit Pending(Offset first, const Batch* before = nullptr)
            : batch(std::make_shared<Batch>(first, before)) {}
        [[nodiscard]] bool empty() const { return batch->count() == 0 && waiters.empty(); }
        std::shared_ptr<Batch> batch;
        std::vector<Waiter> waiters;
        std::vector<Appended> receipts;
        MonoTime first_at;
    };

    // Appending and committing.
    [[nodiscard]] std::optional<Error> refusal() const;
    [[nodiscard]] Result<void> gather(std::span<const Event> events);
    [[nodiscard]] Result<Appended> gather_one(const Event& event, MonoTime now, WallTime recorded);
    void take_back(std::size_t records, std::size_t receipts);
    void wait_for_earlier(std::size_t receipts, AppendDone done);
    [[nodiscard]] bool gathered_enough() const;
    void commit();
    void start_commit();
    [[nodiscard]] CommitJob make_job();
    void finish_commit(const CommitOutcome& outcome);
    void adopt(const CommitOutcome& outcome, const Pending& pending);
    void deliver(Pending& pending, Offset first);
    void fail_commit(const CommitOutcome& outcome);
    void fail_waiters(Pending pending, const Error& error);
    void poison(std::string reason);

    // Upkeep.
    void fill_ahead();
    void seal(std::shared_ptr<const SegmentIndex> index, std::vector<DedupRow> rows);
    void save_summary(Offset base);
    void take_summary(Offset base, Result<std::unique_ptr<SegmentSummary>> summary);
    void rebuild_summary(Offset base);
    void arm_watermark();
    void write_watermark();
    void enter_disk_full(std::string reason);
    void remove_reserve();
    [[nodiscard]] bool has_room() const;
    void check_space();
    void grow_reserve(std::uint64_t from);
    void advance_stop();

    // Reading.
    [[nodiscard]] std::size_t segment_of(Offset offset) const;
    [[nodiscard]] SegmentView view_of(std::size_t number);
    [[nodiscard]] const SegmentFacts& facts_of(std::size_t number) const;
    [[nodiscard]] std::size_t segment_count() const { return sealed_.size() + 1; }
    void keep_file(Offset base, std::shared_ptr<File> file);
    void note(const RangeAnswer& answer);
    void note(const SearchNotes& notes);
    void note_gap(const Gap& gap);
    void read_from_disk(RangeRequest request, ReadDone done);
    [[nodiscard]] bool plan_list(ListJob& job);
    void list_from_disk(ListJob job, ListDone done);
    [[nodiscard]] bool list_from_memory(ListJob& job, CandidateQuery& rest);
    void find_by_id(std::string tenant, std::string id, std::string source, FindDone done);

    // Runs `work` on `where` and `then` with its result on the loop, if the log still exists.
    template <typename Work, typename Then>
    void run_on(Executor& where, Work work, Then then) {
        ++outstanding_;
        where.post([&loop = ports_.loop,
                    alive = std::weak_ptr<bool>(alive_),
                    this,
                    work = std::move(work),
                    then = std::move(then)]() mutable {
            loop.post([alive, this, result = work(), then = std::move(then)]() mutable {
                if (!alive.expired()) {
                    --outstanding_;
                    then(std::move(result));
                    advance_stop();
                }
            });
        });
    }
    [[nodiscard]] std::string path_of(Offset base) const;
    [[nodiscard]] std::string reserve_path() const;

    // Constant after construction.
    const EmbeddedLogOptions options_;
    const EmbeddedLogPorts ports_;
    const std::string directory_;
    const DedupKey dedup_key_;
    const std::unique_ptr<FileLock> lock_;
    std::function<void(Offset, Offset)> observer_;

    // I/O thread.
    std::vector<std::shared_ptr<const SegmentLookup>> sealed_;  // oldest first
    std::vector<Offset> trimmed_;  // the same; out of the log, perhaps not gone from the disk
    std::unique_ptr<SegmentIndex> index_;  // of the segment being written; durable only
    WritableSegment writable_;
    TailCache tail_;
    DedupWindow dedup_;
    CommitPace pace_;
    Pending gathering_;
    std::optional<Pending> in_flight_;
    std::optional<SegmentHeader> new_header_;  // of the segment that the commit in flight makes
    bool roll_due_ = false;                    // such a commit was tried
    std::uint64_t new_position_ = 0;           // where the batch in flight stands
    bool delivering_ = false;
    bool filling_ = false;
    bool read_only_ = false;
    bool disk_full_ = false;
    std::string reason_;
    bool watermark_due_ = false;
    MonoTime last_commit_;
    TimerId watermark_timer_;
    TimerId space_timer_;
    bool growing_reserve_ = false;
    std::map<Offset, std::pair<std::shared_ptr<const SegmentIndex>, std::vector<DedupRow>>>
        unsaved_;
    std::set<Offset> rebuilding_;
    std::vector<std::pair<Offset, std::shared_ptr<File>>> open_files_;  // least recently used first
    std::map<Offset, Offset> known_gaps_;
    std::size_t outstanding_ = 0;  // tasks on other threads
    bool stopping_ = false;
    std::size_t lists_under_way_ = 0;  // on the read thread
    std::deque<std::pair<ListQuery, ListDone>> waiting_lists_;
    std::move_only_function<void()> stop_done_;

    // Statistics.
    DurationHistogram commit_durations_;
    DurationHistogram publish_durations_;
    std::uint64_t commits_ = 0;
    std::uint64_t appended_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint64_t checksum_failures_ = 0;
    std::uint64_t gap_events_ = 0;

    // Last: gone first, so that what comes back from other threads finds the log closed.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace belfry
