#include "engine/embedded/log_verify.h"

#include "engine/embedded/dedup_key_file.h"
#include "engine/embedded/segment_scan.h"
#include "engine/embedded/segment_scanner.h"
#include "engine/embedded/segment_summary.h"
#include "event/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

namespace belfry {

namespace {

constexpr std::size_t kChunkBytes = 1024 * 1024;
constexpr std::uint64_t kProgressBytes = 8 * kChunkBytes;

// One segment file while it is looked at.
struct Segment {
    std::string name;
    Offset base;
    std::optional<Offset> next_base;  // none: the last one
    std::unique_ptr<File> file;
    std::uint64_t bytes = 0;
    SegmentHeader header;
    std::unique_ptr<SegmentSummary> summary;
};

class Verification {
 public:
    Verification(FileSystem& files, const LogVerifyOptions& options)
        : files_(files), options_(options), directory_(options.directory + "/log") {}

    Result<LogReport> run() {
        auto lock = take_lock();
        if (!lock) {
            return std::unexpected(lock.error());
        }
        if (auto listed = list_files(); !listed) {
            return std::unexpected(listed.error());
        }
        check_dedup_key();
        for (std::size_t i = 0; i < bases_.size(); ++i) {
            std::optional<Offset> next_base;
            if (i + 1 < bases_.size()) {
                next_base = bases_[i + 1];
            }
            if (auto read = check_segment(bases_[i], next_base); !read) {
                return std::unexpected(read.error());
            }
        }
        check_orphans();
        report_.next = expected_;
        return std::move(report_);
    }

 private:
    // Before the lock, which would be made: a directory without a log is left as it is.
    Result<std::unique_ptr<FileLock>> take_lock() {
        auto listed = files_.list(directory_);
        if (!listed && listed.error().code == Errc::not_found) {
            return fail(Errc::not_found, fmt::format("there is no log in {}", options_.directory));
        }
        if (!listed) {
            return std::unexpected(listed.error());
        }
        auto lock = files_.lock(options_.directory + "/lock");
        if (!lock && lock.error().code == Errc::conflict) {
            return fail(
                Errc::conflict,
                fmt::format(
                    "a hub uses the data directory {}; stop it, or verify a copy",
                    options_.directory
                )
            );
        }
        return lock;
    }

    Result<void> list_files() {
        auto names = files_.list(directory_);
        if (!names) {
            return std::unexpected(names.error());
        }
        for (const std::string& name : *names) {
            if (auto base = parse_segment_file_name(name, kSegmentSuffix)) {
                bases_.push_back(*base);
            } else if (auto summary = parse_segment_file_name(name, kSummarySuffix)) {
                summaries_.insert(*summary);
            }
        }
        for (Offset base : bases_) {
            auto file = files_.open(path(segment_file_name(base, kSegmentSuffix)), OpenMode::read);
            auto bytes = file ? (*file)->size() : Result<std::uint64_t>(0);
            total_bytes_ += bytes.value_or(0);
        }
        if (!bases_.empty()) {
            report_.first = bases_.front();
            expected_ = bases_.front();
        }
        return {};
    }

    [[nodiscard]] std::string path(const std::string& name) const {
        return directory_ + "/" + name;
    }

    void damaged(std::string file, std::uint64_t position, std::uint64_t bytes, std::string what) {
        ++report_.damaged_places;
        if (report_.damage.size() < options_.damage_max) {
            report_.damage.push_back({std::move(file), position, bytes, std::move(what)});
        }
    }

    // Everything below `next` has been seen, or is missing.
    void reach(Offset next, bool accepted = false) {
        if (next <= expected_) {
            return;
        }
        if (!accepted) {
            report_.missing_events += next - expected_;
        }
        bool joins = !report_.holes.empty() && report_.holes.back().to == expected_ &&
                     report_.holes.back().accepted == accepted;
        if (joins) {
            report_.holes.back().to = next;
        } else {
            report_.holes.push_back({.from = expected_, .to = next, .accepted = accepted});
        }
        expected_ = next;
    }

    void check_dedup_key() {
        auto intact = dedup_key_intact(files_, directory_);
        if (intact && !*intact) {
            damaged("dedup.key", 0, 0, "checksum fails; the next start makes a new key");
        }
    }

    Result<void> check_segment(Offset base, std::optional<Offset> next_base) {
        Segment segment{
            .name = segment_file_name(base, kSegmentSuffix),
            .base = base,
            .next_base = next_base,
            .file = {},
            .bytes = 0,
            .header = {},
            .summary = {},
        };
        auto file = files_.open(path(segment.name), OpenMode::read);
        if (!file) {
            return std::unexpected(file.error());
        }
        segment.file = std::move(*file);
        auto bytes = segment.file->size();
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        segment.bytes = *bytes;
        ++report_.segments;
        report_.bytes += segment.bytes;
        read_summary(segment);
        auto has_header = read_header(segment);
        if (!has_header) {
            return std::unexpected(has_header.error());
        }
        // Only here: whether the events before it were given up is known from its header.
        reach(base, *has_header && segment.header.loss_accepted);
        if (*has_header) {
            if (auto read = segment.next_base ? check_sealed(segment) : check_last(segment);
                !read) {
                return read;
            }
        }
        if (segment.next_base && !*has_header) {
            reach(*segment.next_base);
        }
        done_bytes_ += segment.bytes;
        show_progress(done_bytes_);
        return {};
    }

    void show_progress(std::uint64_t done) const {
        if (options_.progress) {
            options_.progress(done, total_bytes_);
        }
    }

    // The last segment has none yet, or one that the next start removes.
    void read_summary(Segment& segment) {
        if (!segment.next_base || !summaries_.contains(segment.base)) {
            return;
        }
        std::string name = segment_file_name(segment.base, kSummarySuffix);
        auto summary = SegmentSummary::open(files_, directory_, segment.base);
        auto checked = summary ? (*summary)->check() : std::unexpected(summary.error());
        if (!checked) {
            damaged(name, 0, 0, checked.error().detail + "; the next start makes it again");
        }
        if (summary) {
            segment.summary = std::move(*summary);
        }
    }

    // False if nothing says what the segment's salt is.
    Result<bool> read_header(Segment& segment) {
        auto read = read_segment_header(*segment.file, segment.base);
        if (!read) {
            return std::unexpected(read.error());
        }
        bool last = !segment.next_base;
        auto empty = last && read->damaged_copy ? is_unborn(segment) : Result<bool>(false);
        if (!empty) {
            return empty;
        }
        if (read->header) {
            segment.header = *read->header;
            if (read->damaged_copy && !*empty) {
                damaged(
                    segment.name,
                    *read->damaged_copy * kSegmentHeaderBytes,
                    kSegmentHeaderBytes,
                    "one copy of the segment header"
                );
            }
            return true;
        }
        if (*empty) {
            return false;
        }
        damaged(segment.name, 0, kSegmentDataStart, "both copies of the segment header");
        if (segment.summary) {
            segment.header = segment.summary->facts().header;
            return true;
        }
        return false;
    }

    // A segment that was being made when the program ended: a header is missing, and there is no
    // data.
    static Result<bool> is_unborn(const Segment& segment) {
        SegmentWindow window(*segment.file, {.end = segment.bytes, .chunk_bytes = kChunkBytes});
        bool empty = window.nonzero_end(kSegmentDataStart) == kSegmentDataStart;
        if (window.error()) {
            return std::unexpected(*window.error());
        }
        return empty && window.unreadable_blocks() == 0;
    }

    Result<void> check_sealed(const Segment& segment) {
        SegmentWindow window(*segment.file, {.end = segment.bytes, .chunk_bytes = kChunkBytes});
        std::uint64_t end = walk(segment, window);
        std::uint64_t used = window.nonzero_end(end);
        if (window.error()) {
            return std::unexpected(*window.error());
        }
        if (used > end) {
            damaged(segment.name, end, used - end, "bytes that are no record");
        }
        if (segment.summary && segment.bytes < segment.summary->facts().end) {
            std::uint64_t missing = segment.summary->facts().end - segment.bytes;
            damaged(segment.name, segment.bytes, missing, "the file was cut off");
        }
        if (segment.summary) {
            reach(segment.summary->facts().next);
        }
        return {};
    }

    Result<void> check_last(const Segment& segment) {
        auto scan = scan_segment(
            *segment.file,
            {.header = segment.header,
             .file_bytes = segment.bytes,
             .dedup_key = {},
             .dedup_since = WallTime::max(),
             .sealed_at = std::nullopt}
        );
        if (!scan) {
            return std::unexpected(scan.error());
        }
        const SegmentTail& tail = scan->tail;
        if (tail.rewrite_bytes > 0) {
            report_.tail = {
                LogTail::Kind::whole, segment.name, tail.rewrite_from, tail.rewrite_bytes
            };
        }
        if (tail.cut_bytes > 0) {
            report_.tail = {LogTail::Kind::torn, segment.name, tail.cut_from, tail.cut_bytes};
        }
        // What will be cut is not part of the log any more.
        SegmentWindow window(
            *segment.file, {.end = scan->index.facts().end, .chunk_bytes = kChunkBytes}
        );
        std::uint64_t end = walk(segment, window);
        if (window.error()) {
            return std::unexpected(*window.error());
        }
        if (end < scan->index.facts().end) {
            damaged(segment.name, end, scan->index.facts().end - end, "bytes that are no record");
        }
        reach(scan->index.facts().next);
        return {};
    }

    // Counts what is intact and notes what is not; where the last intact piece ends.
    std::uint64_t walk(const Segment& segment, SegmentWindow& window) {
        SegmentScanner scanner(window, segment.header.salt, kSegmentDataStart, segment.base);
        std::uint64_t shown = 0;
        for (ScanStep step = scanner.next();; step = scanner.next()) {
            if (step.position >= shown + kProgressBytes) {
                shown = step.position;
                show_progress(done_bytes_ + shown);
            }
            switch (step.kind) {
                case ScanStep::Kind::batch:
                    reach(step.batch.first);
                    ++(step.batch.count == 0 ? report_.watermarks : report_.batches);
                    break;
                case ScanStep::Kind::record:
                    take_record(segment, step, window);
                    break;
                case ScanStep::Kind::damaged_record:
                    damaged(
                        segment.name,
                        step.position,
                        step.bytes,
                        fmt::format("the record of event {}", step.record.offset.value)
                    );
                    reach(step.record.offset.next());
                    break;
                case ScanStep::Kind::damage:
                    damaged(segment.name, step.position, step.bytes, "bytes that are no record");
                    break;
                case ScanStep::Kind::end:
                    return step.position;
            }
        }
    }

    void take_record(const Segment& segment, const ScanStep& step, const SegmentWindow& window) {
        reach(step.record.offset);
        if (!decode_record(step.body, step.record.offset, window.owner())) {
            damaged(
                segment.name,
                step.position,
                step.bytes,
                fmt::format(
                    "event {} is in a form that this version does not know", expected_.value
                )
            );
            reach(step.record.offset.next());
            return;
        }
        ++report_.records;
        expected_ = step.record.offset.next();
    }

    // A summary is written only once the segment after it exists; a trim removes it last.
    void check_orphans() {
        for (Offset base : summaries_) {
            if (!bases_.empty() && bases_.back() > base) {
                continue;
            }
            auto summary = SegmentSummary::open(files_, directory_, base);
            Offset end = summary ? (*summary)->facts().next : base;
            damaged(
                segment_file_name(base, kSummarySuffix),
                0,
                0,
                fmt::format("the segment that follows is missing: events from {} on", end.value)
            );
            reach(end);
        }
    }

    FileSystem& files_;
    const LogVerifyOptions& options_;
    const std::string directory_;
    std::vector<Offset> bases_;
    std::set<Offset> summaries_;
    std::uint64_t total_bytes_ = 0;
    std::uint64_t done_bytes_ = 0;
    Offset expected_;  // of the next event
    LogReport report_;
};

}  // namespace

Result<LogReport> verify_log(FileSystem& files, const LogVerifyOptions& options) {
    return Verification(files, options).run();
}

}  // namespace belfry
