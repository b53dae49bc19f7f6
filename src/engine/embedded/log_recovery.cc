#include "engine/embedded/log_recovery.h"

#include "base/in_order.h"
#include "base/logging.h"
#include "engine/embedded/crash_point.h"
#include "engine/embedded/segment_summary.h"
#include "engine/embedded/segment_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

namespace belfry {

namespace {

constexpr std::uint64_t kSmallestRecordBytes = 48;  // header and the fixed part of a body

class Recovery {
 public:
    Recovery(
        const EmbeddedLogOptions& options,
        FileSystem& files,
        Clock& clock,
        Rng& rng,
        const DedupKey& dedup_key
    )
        : options_(options),
          files_(files),
          clock_(clock),
          rng_(rng),
          dedup_key_(dedup_key),
          directory_(log_directory(options)),
          least_next_(options.min_next_offset) {}

    Result<RecoveredLog> run() {
        auto done = in_order(
            [this] { return list_files(); },
            [this] { return drop_unborn_segment(); },
            [this] { return check_for_missing_segments(); },
            [this] { return open_sealed(); },
            [this] { return open_last(); },
            [this] { return go_on_past_loss(); },
            [this] { return files_.sync_directory(directory_); }
        );
        if (!done) {
            return std::unexpected(done.error());
        }
        gather_dedup();
        BELFRY_CRASH_POINT("recovery.end");
        return std::move(log_);
    }

 private:
    [[nodiscard]] std::string path(Offset base) const {
        return directory_ + "/" + segment_file_name(base, kSegmentSuffix);
    }

    [[nodiscard]] std::unexpected<Error> refuse(std::string what) const {
        return fail(
            Errc::unavailable,
            fmt::format(
                "the log in {} has lost acknowledged events: {}; restore the directory, or start "
                "with --accept-data-loss to go on without them",
                options_.directory,
                what
            )
        );
    }

    // Fails unless the operator accepts the loss.
    [[nodiscard]] Result<void> lost(const std::string& what) {
        if (!options_.accept_data_loss) {
            return refuse(what);
        }
        log_error("acknowledged events are lost, as accepted", {{"what", what}});
        return {};
    }

    Result<void> list_files() {
        auto names = files_.list(directory_);
        if (!names) {
            return std::unexpected(names.error());
        }
        for (const std::string& name : *names) {
            if (auto base = parse_segment_file_name(name, kSegmentSuffix)) {
                segments_.push_back(*base);
            } else if (auto summary = parse_segment_file_name(name, kSummarySuffix)) {
                summaries_.insert(*summary);
            } else if (name.ends_with(".new")) {
                (void)files_.remove(directory_ + "/" + name);  // half-written, never used
                BELFRY_CRASH_POINT("recovery.half_written_removed");
            }
        }
        return {};
    }

    // The last file may be one that was being made: no header yet, nothing in it.
    Result<void> drop_unborn_segment() {
        if (segments_.empty()) {
            return {};
        }
        Offset base = segments_.back();
        auto file = files_.open(path(base), OpenMode::read);
        if (!file) {
            return std::unexpected(file.error());
        }
        auto header = read_segment_header(**file, base);
        auto bytes = (*file)->size();
        if (!header || !bytes) {
            return std::unexpected(header ? bytes.error() : header.error());
        }
        if (header->header) {
            return {};
        }
        if (!is_zero(**file, *bytes)) {
            auto accepted = lost(fmt::format(
                "both headers of the last segment {} are damaged, events from {} on cannot be read",
                path(base),
                base.value
            ));
            if (!accepted) {
                return accepted;
            }
            // Its offsets are never given again, however many they were.
            std::uint64_t most = *bytes / kSmallestRecordBytes;
            least_next_ = std::max(least_next_, base + most);
            segments_.pop_back();
            BELFRY_CRASH_POINT("recovery.loss_before_rename");
            auto renamed = files_.rename(path(base), path(base) + ".damaged");
            BELFRY_CRASH_POINT("recovery.loss_renamed");
            return renamed;
        }
        segments_.pop_back();
        BELFRY_CRASH_POINT("recovery.unborn_found");
        auto removed = files_.remove(path(base));
        BELFRY_CRASH_POINT("recovery.unborn_removed");
        return removed;
    }

    static bool is_zero(File& file, std::uint64_t bytes) {
        SegmentWindow window(file, {.end = bytes, .chunk_bytes = 1024 * 1024});
        for (std::uint64_t at = kSegmentDataStart; at < bytes;) {
            Bytes piece = window.at(at, 1024 * 1024);
            if (piece.empty()) {
                return false;
            }
            if (std::any_of(piece.begin(), piece.end(), [](std::byte b) {
                    return b != std::byte{0};
                })) {
                return false;
            }
            at += piece.size();
        }
        return true;
    }

    // A summary is written only once the segment after it exists.
    Result<void> check_for_missing_segments() {
        for (Offset base : summaries_) {
            bool has_segment = std::binary_search(segments_.begin(), segments_.end(), base);
            bool followed = !segments_.empty() && segments_.back() > base;
            if (followed && has_segment) {
                continue;
            }
            if (!followed) {
                auto summary = SegmentSummary::open(files_, directory_, base);
                Offset end = summary ? (*summary)->facts().next : base;
                auto accepted = lost(fmt::format(
                    "the segment that follows {} is missing, events from {} on are gone",
                    path(base),
                    (has_segment ? end : base).value
                ));
                if (!accepted) {
                    return accepted;
                }
                least_next_ = std::max(least_next_, end);
            }
            // Garbage of a trim that a crash ended, or of a segment that is written on again.
            if (auto removed = files_.remove(summary_path(base)); !removed) {
                return removed;
            }
            BELFRY_CRASH_POINT("recovery.orphan_removed");
        }
        return {};
    }

    [[nodiscard]] std::string summary_path(Offset base) const {
        return directory_ + "/" + segment_file_name(base, kSummarySuffix);
    }

    Result<void> open_sealed() {
        for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
            if (auto opened = open_one_sealed(segments_[i], segments_[i + 1]); !opened) {
                return opened;
            }
        }
        return {};
    }

    Result<void> open_one_sealed(Offset base, Offset next_base) {
        auto file = files_.open(path(base), OpenMode::read_write);
        if (!file) {
            return std::unexpected(file.error());
        }
        auto read = read_segment_header(**file, base);
        auto bytes = (*file)->size();
        if (!read || !bytes) {
            return std::unexpected(read ? bytes.error() : read.error());
        }
        auto summary = SegmentSummary::open(files_, directory_, base);
        std::optional<SegmentHeader> header = read->header;
        if (!header && summary) {
            header = (*summary)->facts().header;
        }
        if (!header) {
            note_gap(base, next_base, "both headers and the summary of a segment are damaged");
            return {};
        }
        repair_header(**file, *header, *read);
        bool usable = summary && (*summary)->facts().header == *header &&
                      (*summary)->facts().next <= next_base && summary_fits_key(**summary);
        if (usable) {
            if (*bytes < (*summary)->facts().end) {
                log_error(
                    "a segment is shorter than its summary says",
                    {{"segment", path(base)}, {"bytes", *bytes}}
                );
            }
            note_hole((*summary)->facts().next, next_base);
            std::shared_ptr<const SegmentSummary> shared = std::move(*summary);
            opened_summaries_[base] = shared;
            log_.sealed.push_back(shared);
            return {};
        }
        return rebuild_summary(**file, *header, *bytes, next_base);
    }

    // The dedup rows matter while the window reaches back to the segment.
    [[nodiscard]] bool summary_fits_key(const SegmentSummary& summary) const {
        return summary.key_check() == dedup_key_check(dedup_key_) ||
               summary.facts().newest < dedup_since();
    }

    Result<void> rebuild_summary(
        File& file, const SegmentHeader& header, std::uint64_t bytes, Offset next_base
    ) {
        log_info("the summary of a segment is made anew", {{"segment", path(header.base)}});
        auto scan = scan_segment(
            file,
            {.header = header,
             .file_bytes = bytes,
             .dedup_key = dedup_key_,
             .dedup_since = dedup_since(),
             .sealed_at = next_base}
        );
        if (!scan) {
            return std::unexpected(scan.error());
        }
        note_damage(*scan);
        BELFRY_CRASH_POINT("recovery.sealed_scanned");
        write_summary_of(scan->index, scan->dedup);
        BELFRY_CRASH_POINT("recovery.summary_made");
        rebuilt_dedup_[header.base] = std::move(scan->dedup);
        log_.sealed.push_back(std::make_shared<const SegmentIndex>(std::move(scan->index)));
        return {};
    }

    void write_summary_of(const SegmentIndex& index, const std::vector<DedupRow>& dedup) {
        Offset base = index.facts().header.base;
        auto bytes = encode_summary(index, dedup, dedup_key_check(dedup_key_));
        auto written = write_summary(files_, directory_, base, bytes);
        if (!written) {  // the index in memory serves; the next start tries again
            log_warn("a summary cannot be written", {{"error", written.error().detail}});
        }
    }

    Result<void> open_last() {
        if (segments_.empty()) {
            return {};
        }
        Offset base = segments_.back();
        auto file = files_.open(path(base), OpenMode::read_write);
        if (!file) {
            return std::unexpected(file.error());
        }
        auto read = read_segment_header(**file, base);
        auto bytes = (*file)->size();
        if (!read || !bytes || !read->header) {
            return fail(Errc::internal, "cannot read the header of " + path(base));
        }
        repair_header(**file, *read->header, *read);
        auto scan = scan_segment(
            **file,
            {.header = *read->header,
             .file_bytes = *bytes,
             .dedup_key = dedup_key_,
             .dedup_since = dedup_since(),
             .sealed_at = std::nullopt}
        );
        if (!scan) {
            return std::unexpected(scan.error());
        }
        if (auto settled = settle_tail(**file, *scan); !settled) {
            return settled;
        }
        note_damage(*scan);
        named_until_ = scan->named_until;
        log_.watermark_due = scan->tail.rewrite_bytes > 0;
        log_.index = std::make_unique<SegmentIndex>(std::move(scan->index));
        rebuilt_dedup_[base] = std::move(scan->dedup);
        log_.writable = {
            .file = std::move(*file),
            .filled = std::max(*bytes, kSegmentDataStart),
            .capacity = std::max(options_.segment_bytes, *bytes),
        };
        return {};
    }

    // From here on everything in the segment is durable, and nothing stands behind its end.
    Result<void> settle_tail(File& file, const SegmentScan& scan) {
        const SegmentTail& tail = scan.tail;
        if (tail.rewrite_bytes > 0) {
            std::vector<std::byte> batch(tail.rewrite_bytes);
            auto got = file.read_at(tail.rewrite_from, batch);
            if (!got || *got != batch.size()) {
                return fail(Errc::internal, "the last batch cannot be read again");
            }
            BELFRY_CRASH_POINT("recovery.rewrite_begin");
            if (auto written = file.write_durable(tail.rewrite_from, batch); !written) {
                return written;
            }
            BELFRY_CRASH_POINT("recovery.rewritten");
        }
        if (tail.cut_bytes > 0) {
            log_warn(
                "the end of the log was never acknowledged and is cut",
                {{"segment", path(scan.index.facts().header.base)},
                 {"offset", scan.index.facts().next.value},
                 {"position", tail.cut_from},
                 {"bytes", tail.cut_bytes}}
            );
            static const std::vector<std::byte> kZeros(64 * 1024);
            std::uint64_t end = tail.cut_from + tail.cut_bytes;
            for (std::uint64_t at = tail.cut_from; at < end; at += kZeros.size()) {
                std::uint64_t count = std::min<std::uint64_t>(kZeros.size(), end - at);
                BELFRY_CRASH_POINT("recovery.cut_begin");
                if (auto written = file.write_at(at, Bytes(kZeros).first(count)); !written) {
                    return written;
                }
                BELFRY_CRASH_POINT("recovery.cut_piece_zeroed");
            }
            auto synced = file.sync();
            BELFRY_CRASH_POINT("recovery.cut_synced");
            return synced;
        }
        return {};
    }

    // What the watermark, the segment before and the caller know against what is there.
    Result<void> go_on_past_loss() {
        Offset next = log_.index ? log_.index->facts().next : Offset{};
        bool beyond = least_next_ > next;
        if (log_.index && named_until_ < next) {
            auto accepted = lost(fmt::format(
                "a watermark proves events {} to {}, but they are not there",
                named_until_.value,
                next.value - 1
            ));
            if (!accepted) {
                return accepted;
            }
            beyond = true;
        }
        if (log_.index && next == log_.index->facts().header.base && !log_.sealed.empty() &&
            !log_.index->facts().header.loss_accepted && log_.sealed.back()->facts().next < next) {
            auto accepted = lost(fmt::format(
                "events {} to {} were in a segment that is missing",
                log_.sealed.back()->facts().next.value,
                next.value - 1
            ));
            if (!accepted) {
                return accepted;
            }
        }
        if (least_next_ > next) {
            auto accepted = lost(fmt::format(
                "events {} to {} were delivered from, but the log ends before them",
                next.value,
                least_next_.value - 1
            ));
            if (!accepted) {
                return accepted;
            }
        }
        if (log_.index && !beyond) {
            return {};
        }
        return begin_segment(std::max(next, least_next_), beyond);
    }

    // A new segment at `base`; what was being written until now is sealed.
    Result<void> begin_segment(Offset base, bool loss_accepted) {
        if (log_.index && log_.index->facts().header.base == base) {
            return {};  // it is empty and stands where the new one would
        }
        NewSegment segment{
            .directory = directory_,
            .header =
                {.base = base,
                 .salt = SegmentSalt{rng_.next()},
                 .created = clock_.wall(),
                 .loss_accepted = loss_accepted},
            .capacity = std::max(options_.segment_bytes, kSegmentDataStart + kBatchHeaderBytes),
        };
        BELFRY_CRASH_POINT("recovery.first_segment_begin");
        auto made = create_segment(files_, segment);
        if (!made) {
            return std::unexpected(made.error());
        }
        BELFRY_CRASH_POINT("recovery.first_segment_made");
        if (log_.index) {
            write_summary_of(*log_.index, rebuilt_dedup_[log_.index->facts().header.base]);
            log_.sealed.push_back(std::move(log_.index));
            BELFRY_CRASH_POINT("recovery.loss_sealed");
        }
        log_.index = std::make_unique<SegmentIndex>(segment.header);
        log_.writable = std::move(*made);
        return {};
    }

    void repair_header(File& file, const SegmentHeader& header, const HeaderRead& read) {
        if (!read.damaged_copy) {
            return;
        }
        ++log_.checksum_failures;
        log_warn(
            "a segment header is damaged and written again from its copy",
            {{"segment", path(header.base)}, {"copy", *read.damaged_copy}}
        );
        for (std::uint32_t copy = 0; copy < kSegmentHeaderCopies; ++copy) {
            SegmentHeaderBlock block = encode_segment_header(header, copy);
            auto written = file.write_durable(copy * kSegmentHeaderBytes, block);
            if (!written) {
                log_warn("it cannot be repaired", {{"error", written.error().detail}});
                return;
            }
            BELFRY_CRASH_POINT("recovery.header_copy_repaired");
        }
    }

    void note_damage(const SegmentScan& scan) {
        const SegmentFacts& facts = scan.index.facts();
        log_.checksum_failures += scan.damaged_records + scan.damaged_places;
        std::uint64_t missing = 0;
        Offset offset = facts.header.base;
        for (std::uint32_t position : scan.index.positions()) {
            if (position == 0) {
                ++missing;
                add_gap(offset, offset.next());
            }
            offset = offset.next();
        }
        if (missing > 0 || scan.damaged_records + scan.damaged_places > 0) {
            log_error(
                "a segment is damaged; its other events are served",
                {{"segment", path(facts.header.base)},
                 {"events_lost", missing},
                 {"damaged_records", scan.damaged_records},
                 {"damaged_places", scan.damaged_places}}
            );
        }
    }

    void note_hole(Offset from, Offset to) {
        if (from < to) {
            note_gap(from, to, "events between two segments are missing");
        }
    }

    void note_gap(Offset from, Offset to, std::string_view why) {
        add_gap(from, to);
        log_error(why, {{"from", from.value}, {"to", to.value}});
    }

    void add_gap(Offset from, Offset to) {
        if (!log_.gaps.empty() && log_.gaps.back().to == from) {
            log_.gaps.back().to = to;
        } else {
            log_.gaps.push_back({.from = from, .to = to});
        }
    }

    [[nodiscard]] WallTime dedup_since() const { return clock_.wall() - options_.dedup_window; }

    void gather_dedup() {
        const WallTime since = dedup_since();  // one answer for a million rows
        std::vector<std::vector<DedupRow>> newest_first;
        std::size_t count = 0;
        auto take = [&](std::vector<DedupRow> rows) {
            count += rows.size();
            newest_first.push_back(std::move(rows));
        };
        take(std::move(rebuilt_dedup_[log_.index->facts().header.base]));
        for (const auto& segment : log_.sealed | std::views::reverse) {
            const SegmentFacts& facts = segment->facts();
            if (facts.next == facts.header.base) {
                continue;
            }
            if (facts.newest < since || count >= options_.dedup_ids) {
                break;
            }
            auto rebuilt = rebuilt_dedup_.find(facts.header.base);
            auto summary = opened_summaries_.find(facts.header.base);
            if (rebuilt != rebuilt_dedup_.end()) {
                take(std::move(rebuilt->second));
            } else if (summary != opened_summaries_.end()) {
                auto rows = summary->second->dedup_rows();
                if (!rows) {
                    log_warn("dedup rows are lost", {{"error", rows.error().detail}});
                }
                take(rows ? std::move(*rows) : std::vector<DedupRow>());
            }
        }
        log_.dedup.reserve(count);
        for (const std::vector<DedupRow>& rows : newest_first | std::views::reverse) {
            for (const DedupRow& row : rows) {
                if (row.recorded >= since) {
                    log_.dedup.push_back(row);
                }
            }
        }
    }

    const EmbeddedLogOptions& options_;
    FileSystem& files_;
    Clock& clock_;
    Rng& rng_;
    const DedupKey& dedup_key_;
    const std::string directory_;
    Offset least_next_;
    std::vector<Offset> segments_;
    std::set<Offset> summaries_;
    Offset named_until_;
    std::map<Offset, std::vector<DedupRow>> rebuilt_dedup_;
    std::map<Offset, std::shared_ptr<const SegmentSummary>> opened_summaries_;
    RecoveredLog log_;
};

}  // namespace

Result<RecoveredLog> recover_log(
    const EmbeddedLogOptions& options,
    FileSystem& files,
    Clock& clock,
    Rng& rng,
    const DedupKey& dedup_key
) {
    return Recovery(options, files, clock, rng, dedup_key).run();
}

std::string log_directory(const EmbeddedLogOptions& options) {
    return options.directory + "/log";
}

}  // namespace belfry
