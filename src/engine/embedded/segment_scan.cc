#include "engine/embedded/segment_scan.h"

#include "engine/embedded/batch.h"
#include "engine/embedded/segment_scanner.h"
#include "event/record.h"

#include <algorithm>

namespace belfry {

namespace {

constexpr std::size_t kScanChunkBytes = 1024 * 1024;

// One record seen, not yet known to be kept.
struct SeenRecord {
    SegmentIndex::Entry entry;
    std::optional<DedupRow> dedup;
};

struct SeenBatch {
    BatchHeader header;
    std::uint64_t position = 0;
    std::uint32_t intact = 0;  // records of it that are

    [[nodiscard]] std::uint64_t end() const { return position + kBatchHeaderBytes + header.bytes; }
    [[nodiscard]] Offset next() const { return header.first + header.count; }
    [[nodiscard]] bool whole() const { return intact == header.count; }
};

// Records are held back until a later batch header proves them: a batch is written only when
// everything before it is durable.
class Scan {
 public:
    Scan(const ScanRequest& request, SegmentWindow& window)
        : request_(request),
          window_(window),
          result_{
              .index = SegmentIndex(request.header),
              .tail = {},
              .named_until = request.header.base,
              .damaged_records = 0,
              .damaged_places = 0,
              .dedup = {}
          } {}

    Result<SegmentScan> run() {
        SegmentScanner scanner(
            window_, request_.header.salt, kSegmentDataStart, request_.header.base
        );
        ScanStep step = scanner.next();
        for (; step.kind != ScanStep::Kind::end; step = scanner.next()) {
            take(step);
        }
        if (window_.error()) {
            return std::unexpected(*window_.error());
        }
        if (request_.sealed_at) {
            finish_sealed(step.position);
        } else {
            finish_open();
        }
        if (window_.error()) {
            return std::unexpected(*window_.error());
        }
        return std::move(result_);
    }

 private:
    void take(const ScanStep& step) {
        switch (step.kind) {
            case ScanStep::Kind::batch:
                keep_seen();
                last_ = SeenBatch{.header = step.batch, .position = step.position};
                break;
            case ScanStep::Kind::record:
                take_record(step);
                break;
            case ScanStep::Kind::damaged_record:
                ++result_.damaged_records;
                seen_named_ = step.record.offset.next();
                break;
            case ScanStep::Kind::damage:
                ++result_.damaged_places;
                break;
            case ScanStep::Kind::end:
                break;
        }
    }

    void take_record(const ScanStep& step) {
        seen_named_ = step.record.offset.next();
        if (last_ && step.position < last_->end()) {
            ++last_->intact;
        }
        auto stored = decode_record(step.body, step.record.offset, window_.owner());
        if (!stored) {  // the checksum holds: a newer version of the program wrote it
            ++result_.damaged_records;
            return;
        }
        const Event& event = stored->event;
        SeenRecord seen{
            .entry =
                {.offset = stored->offset,
                 .position = step.position,
                 .type = 0,
                 .id_hash = event.id.empty() ? 0 : event_id_hash(event.tenant, event.id),
                 .recorded = stored->recorded},
            .dedup = {},
        };
        seen.entry.type = result_.index.type_number(type_key(event.tenant, event.type));
        if (!event.id.empty() && stored->recorded >= request_.dedup_since) {
            seen.dedup = DedupRow{
                .print = fingerprint(event, request_.dedup_key),
                .offset = stored->offset,
                .recorded = stored->recorded,
            };
        }
        seen_.push_back(seen);
    }

    void keep_seen() {
        if (last_ && last_->header.count > 0) {
            name(last_->next());
        }
        name(seen_named_);
        for (SeenRecord& seen : seen_) {
            result_.index.add(seen.entry);
            if (seen.dedup) {
                result_.dedup.push_back(*seen.dedup);
            }
        }
        seen_.clear();
    }

    void name(Offset until) { result_.named_until = std::max(result_.named_until, until); }

    void finish_sealed(std::uint64_t end) {
        keep_seen();
        Offset next =
            std::max({result_.named_until, *request_.sealed_at, result_.index.facts().next});
        result_.index.reach(next, end);
        result_.named_until = next;
    }

    void finish_open() {
        std::uint64_t end = last_ ? last_->end() : kSegmentDataStart;
        Offset next = last_ ? last_->next() : request_.header.base;
        std::uint64_t junk_end = window_.nonzero_end(end);
        // One commit at a time: bytes beyond a batch mean that the batch was synced.
        bool proven = !last_ || last_->header.count == 0 || junk_end > end;
        if (!proven && !last_->whole()) {
            end = last_->position;
            next = last_->header.first;
            junk_end = window_.nonzero_end(end);
            drop_seen_from(next);
            last_.reset();
        } else if (!proven) {
            result_.tail.rewrite_from = last_->position;
            result_.tail.rewrite_bytes = end - last_->position;
        }
        drop_seen_from(next);
        keep_seen();
        if (next > result_.index.facts().next || end != result_.index.facts().end) {
            result_.index.reach(std::max(next, result_.index.facts().next), end);
        }
        if (junk_end > end) {
            result_.tail.cut_from = end;
            result_.tail.cut_bytes = junk_end - end;
        }
    }

    // Records behind the last batch whose own batch header never got there.
    void drop_seen_from(Offset next) {
        std::erase_if(seen_, [next](const SeenRecord& seen) { return seen.entry.offset >= next; });
        seen_named_ = std::min(seen_named_, next);
    }

    const ScanRequest& request_;
    SegmentWindow& window_;
    SegmentScan result_;
    std::optional<SeenBatch> last_;
    std::vector<SeenRecord> seen_;
    Offset seen_named_;
};

}  // namespace

Result<HeaderRead> read_segment_header(File& file, Offset base) {
    HeaderRead read;
    for (std::uint32_t copy = 0; copy < kSegmentHeaderCopies; ++copy) {
        SegmentHeaderBlock block{};
        auto got = file.read_at(copy * kSegmentHeaderBytes, block);
        auto header =
            got && *got == block.size() ? decode_segment_header(block, copy) : std::nullopt;
        if (!header || header->base != base) {
            read.damaged_copy = copy;
        } else if (!read.header) {
            read.header = header;
        }
    }
    return read;
}

Result<SegmentScan> scan_segment(File& file, const ScanRequest& request) {
    SegmentWindow window(file, {.end = request.file_bytes, .chunk_bytes = kScanChunkBytes});
    return Scan(request, window).run();
}

}  // namespace belfry
