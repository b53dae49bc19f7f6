// What keeps the log going beside appending and reading: see segment_log.h.
#include "base/assert.h"
#include "base/logging.h"
#include "engine/embedded/crash_point.h"
#include "engine/embedded/reserve_file.h"
#include "engine/embedded/segment_log.h"
#include "engine/embedded/segment_scan.h"
#include "engine/embedded/segment_summary.h"

#include <algorithm>

namespace belfry {

namespace {

constexpr Duration kSpaceCheckEvery = std::chrono::seconds(1);

using OpenedSummary = Result<std::unique_ptr<SegmentSummary>>;

OpenedSummary save_and_open(
    FileSystem& files, const std::string& directory, Offset base, Bytes bytes
) {
    if (auto written = write_summary(files, directory, base, bytes); !written) {
        return std::unexpected(written.error());
    }
    return SegmentSummary::open(files, directory, base);
}

// What became of segments that were to be removed.
struct Removal {
    Result<void> result;
    Offset gone_below;  // those that begin below are gone for certain
};

Result<void> remove_if_there(FileSystem& files, const std::string& path) {
    auto removed = files.remove(path);
    if (!removed && removed.error().code == Errc::not_found) {
        return {};
    }
    return removed;
}

// One that an earlier call removed may have left its summary, or may come back after a power cut:
// all steps are done again.
Result<void> remove_segment(FileSystem& files, const std::string& directory, Offset base) {
    const std::string prefix = directory + "/";
    BELFRY_CRASH_POINT("trim.begin");
    auto removed = remove_if_there(files, prefix + segment_file_name(base, kSegmentSuffix));
    if (!removed) {
        return removed;
    }
    BELFRY_CRASH_POINT("trim.segment_removed");
    auto summary = remove_if_there(files, prefix + segment_file_name(base, kSummarySuffix));
    if (!summary) {
        return summary;
    }
    BELFRY_CRASH_POINT("trim.summary_removed");
    if (auto synced = files.sync_directory(directory); !synced) {
        return synced;
    }
    BELFRY_CRASH_POINT("trim.synced");
    return {};
}

// Oldest first, and none before the one before it is gone for certain: neither a power cut nor a
// call that fails leaves a hole in the middle.
Removal remove_segments(
    FileSystem& files, const std::string& directory, const std::vector<Offset>& bases
) {
    Removal removal;
    for (Offset base : bases) {
        removal.result = remove_segment(files, directory, base);
        if (!removal.result) {
            break;
        }
        removal.gone_below = base.next();
    }
    return removal;
}

}  // namespace

// Zeros stay ahead of the writer. Never while a commit is in flight: it may be filling, and
// writing, beyond what is known here.
void SegmentLog::fill_ahead() {
    std::uint64_t end = index_->facts().end;
    ASSERT(writable_.filled >= end);
    bool enough =
        writable_.filled >= writable_.capacity || writable_.filled - end >= kFillStepBytes;
    if (enough || filling_ || in_flight_ || read_only_ || disk_full_ || stopping_) {
        return;
    }
    filling_ = true;
    Offset base = index_->facts().header.base;
    std::uint64_t from = writable_.filled;
    std::uint64_t to = std::min(from + kFillStepBytes, writable_.capacity);
    run_on(
        ports_.log_thread,
        [&files = ports_.files, path = path_of(base), from, to] {
            return zero_fill(files, path, from, to);
        },
        [this, base, to](const Result<void>& filled) {
            filling_ = false;
            if (!filled && filled.error().code == Errc::disk_full) {
                enter_disk_full(filled.error().detail);
            } else if (!filled) {
                poison(filled.error().detail);
            } else if (index_->facts().header.base == base) {
                writable_.filled = std::max(writable_.filled, to);
            }
            fill_ahead();
        }
    );
}

void SegmentLog::seal(std::shared_ptr<const SegmentIndex> index, std::vector<DedupRow> rows) {
    Offset base = index->facts().header.base;
    sealed_.push_back(index);
    unsaved_[base] = {std::move(index), std::move(rows)};
    BELFRY_CRASH_POINT("seal.begin");
    save_summary(base);
}

void SegmentLog::save_summary(Offset base) {
    auto found = unsaved_.find(base);
    if (found == unsaved_.end()) {
        return;
    }
    run_on(
        ports_.log_thread,
        [&files = ports_.files,
         directory = directory_,
         check = dedup_key_check(dedup_key_),
         index = found->second.first,
         rows = found->second.second,
         base] {
            return save_and_open(files, directory, base, encode_summary(*index, rows, check));
        },
        [this, base](OpenedSummary summary) { take_summary(base, std::move(summary)); }
    );
}

void SegmentLog::take_summary(Offset base, Result<std::unique_ptr<SegmentSummary>> summary) {
    if (!summary) {
        // The index in memory serves; tried again when there is room, or at the next start.
        log_warn("a summary cannot be written", {{"error", summary.error().detail}});
        return;
    }
    unsaved_.erase(base);
    for (auto& segment : sealed_) {
        if (segment->facts().header.base == base) {
            segment = std::move(*summary);
            BELFRY_CRASH_POINT("seal.summary_in_use");
            return;
        }
    }
}

void SegmentLog::rebuild_summary(Offset base) {
    auto segment = std::ranges::find_if(sealed_, [base](const auto& one) {
        return one->facts().header.base == base;
    });
    if (segment == sealed_.end() || unsaved_.contains(base) || !rebuilding_.insert(base).second) {
        return;
    }
    log_warn("a summary is damaged and made anew", {{"segment", path_of(base)}});
    SegmentFacts facts = (*segment)->facts();
    run_on(
        ports_.read_thread,
        [&files = ports_.files,
         directory = directory_,
         path = path_of(base),
         facts,
         rows = dedup_.rows(base, facts.next),
         key = dedup_key_]() -> OpenedSummary {
            auto file = files.open(path, OpenMode::read);
            if (!file) {
                return std::unexpected(file.error());
            }
            ScanRequest request{
                .header = facts.header,
                .file_bytes = facts.end,
                .dedup_key = key,
                .dedup_since = WallTime::max(),
                .sealed_at = facts.next,
            };
            auto scan = scan_segment(**file, request);
            if (!scan) {
                return std::unexpected(scan.error());
            }
            auto bytes = encode_summary(scan->index, rows, dedup_key_check(key));
            return save_and_open(files, directory, facts.header.base, bytes);
        },
        [this, base](OpenedSummary summary) {
            rebuilding_.erase(base);
            take_summary(base, std::move(summary));
        }
    );
}

void SegmentLog::trim(Offset before, std::move_only_function<void(Result<void>)> done) {
    auto kept = std::ranges::find_if(sealed_, [before](const auto& segment) {
        return segment->facts().next > before;
    });
    for (auto segment = sealed_.begin(); segment != kept; ++segment) {
        Offset base = (*segment)->facts().header.base;
        unsaved_.erase(base);
        std::erase_if(open_files_, [base](const auto& entry) { return entry.first == base; });
        trimmed_.push_back(base);
    }
    // Nobody finds them any more; then they go from disk. Readers under way keep their files open.
    sealed_.erase(sealed_.begin(), kept);
    run_on(
        ports_.log_thread,
        [&files = ports_.files, directory = directory_, bases = trimmed_] {
            return remove_segments(files, directory, bases);
        },
        [this, done = std::move(done)](Removal removal) mutable {
            std::erase_if(trimmed_, [&](Offset base) { return base < removal.gone_below; });
            done(std::move(removal.result));
        }
    );
}

void SegmentLog::arm_watermark() {
    if (watermark_timer_ != TimerId{}) {
        return;
    }
    watermark_timer_ = ports_.clock.call_at(last_commit_ + options_.watermark_idle, [this] {
        watermark_timer_ = {};
        if (!watermark_due_ || stopping_ || read_only_) {
            return;
        }
        bool idle = ports_.clock.now() - last_commit_ >= options_.watermark_idle;
        if (!idle || in_flight_ || !gathering_.empty()) {
            // One timer for many commits: it looks again that long after the last of them.
            last_commit_ = idle ? ports_.clock.now() : last_commit_;
            arm_watermark();
        } else {
            write_watermark();
        }
    });
}

// An empty batch: it proves the one before it.
void SegmentLog::write_watermark() {
    std::uint64_t end = index_->facts().end + kBatchHeaderBytes;
    if (end > writable_.filled || end > writable_.capacity || roll_due_) {
        watermark_due_ = false;  // the next segment's header will prove it
        return;
    }
    BELFRY_CRASH_POINT("watermark.begin");
    in_flight_.emplace(index_->facts().next);
    start_commit();
}

void SegmentLog::disk_is_full(std::string reason) {
    // With room here they met another disk, or a limit of their own, and gain nothing by it.
    if (!stopping_ && !has_room()) {
        enter_disk_full(std::move(reason));
    }
}

void SegmentLog::enter_disk_full(std::string reason) {
    if (read_only_) {
        remove_reserve();  // deliveries go on, and must be remembered
        return;
    }
    reason_ = "the disk is full: " + std::move(reason);
    if (disk_full_) {
        return;
    }
    disk_full_ = true;
    log_error("the disk is full: nothing is taken until there is room", {{"error", reason_}});
    BELFRY_CRASH_POINT("disk_full.entered");
    remove_reserve();
    space_timer_ = ports_.clock.call_after(kSpaceCheckEvery, [this] { check_space(); });
}

void SegmentLog::remove_reserve() {
    run_on(
        ports_.log_thread,
        [&files = ports_.files, path = reserve_path()] {
            auto removed = files.remove(path);
            BELFRY_CRASH_POINT("disk_full.reserve_removed");
            return removed;
        },
        [](const Result<void>&) {}  // it may be gone already
    );
}

// More than the reserve will take again.
bool SegmentLog::has_room() const {
    std::uint64_t reserve = options_.reserve_bytes == 0 ? kFillStepBytes : options_.reserve_bytes;
    auto space = ports_.files.space(directory_);
    return space && space->free_bytes > 2 * reserve;
}

void SegmentLog::check_space() {
    space_timer_ = {};
    if (!disk_full_ || stopping_) {
        return;
    }
    if (!has_room()) {
        space_timer_ = ports_.clock.call_after(kSpaceCheckEvery, [this] { check_space(); });
        return;
    }
    disk_full_ = false;
    reason_.clear();
    log_info("there is room again");
    std::vector<Offset> unsaved;
    for (const auto& [base, summary] : unsaved_) {
        unsaved.push_back(base);
    }
    for (Offset base : unsaved) {
        save_summary(base);
    }
    BELFRY_CRASH_POINT("disk_full.left");
    fill_ahead();
    grow_reserve(0);
}

// In steps, so that commits get their turn on the log thread between them.
void SegmentLog::grow_reserve(std::uint64_t from) {
    bool again = from == 0 && growing_reserve_;
    bool useless = options_.reserve_bytes == 0 || disk_full_ || read_only_ || stopping_;
    if (again || useless) {
        growing_reserve_ = again;
        return;
    }
    growing_reserve_ = true;
    run_on(
        ports_.log_thread,
        [&files = ports_.files, path = reserve_path(), from, bytes = options_.reserve_bytes] {
            return grow_reserve_file(files, path, from, bytes);
        },
        [this](const Result<std::uint64_t>& grown) {
            if (!grown) {
                log_warn("the reserve file cannot be made", {{"error", grown.error().detail}});
            }
            growing_reserve_ = false;
            if (grown && *grown > 0 && *grown < options_.reserve_bytes) {
                grow_reserve(*grown);
            }
        }
    );
}

std::string SegmentLog::reserve_path() const {
    return directory_ + "/reserve";
}

void SegmentLog::stop(std::move_only_function<void()> done) {
    ASSERT(!stopping_);
    stopping_ = true;
    stop_done_ = std::move(done);
    BELFRY_CRASH_POINT("stop.begin");
    advance_stop();
}

// Called whenever something ended: commits what is left, waits for other threads, writes the
// watermark.
void SegmentLog::advance_stop() {
    if (!stopping_ || !stop_done_ || in_flight_ || delivering_) {
        return;
    }
    if (!gathering_.empty()) {
        commit();
        return;
    }
    if (outstanding_ > 0) {
        return;
    }
    if (watermark_due_ && !read_only_) {
        write_watermark();
        if (in_flight_ || watermark_due_ || !stop_done_) {
            return;
        }
    }
    ports_.clock.cancel(watermark_timer_);
    ports_.clock.cancel(space_timer_);
    BELFRY_CRASH_POINT("stop.end");
    std::exchange(stop_done_, nullptr)();
}

}  // namespace belfry
