#include "engine/embedded/segment_reader.h"

#include "base/assert.h"
#include "engine/embedded/segment_scanner.h"
#include "event/record.h"

namespace belfry {

namespace {

constexpr std::size_t kRangeChunkBytes = 256 * 1024;

class RangeReader {
 public:
    explicit RangeReader(const RangeRequest& request) : request_(request) {
        answer_.result.next = request.from;
    }

    // False once the limit is reached.
    bool take(const ScanStep& step, const SegmentWindow& window) {
        switch (step.kind) {
            case ScanStep::Kind::batch:
            case ScanStep::Kind::end:
                break;
            case ScanStep::Kind::damage:
            case ScanStep::Kind::damaged_record:
                ++answer_.checksum_failures;
                break;
            case ScanStep::Kind::record:
                return take_record(step, window);
        }
        return true;
    }

    RangeAnswer finish() {
        gap_until(request_.segment.facts.next);
        return std::move(answer_);
    }
    RangeAnswer stop() { return std::move(answer_); }

 private:
    bool take_record(const ScanStep& step, const SegmentWindow& window) {
        Offset offset = step.record.offset;
        if (offset < request_.from || offset >= request_.segment.facts.next) {
            return true;
        }
        bool full = events_ > 0 && (events_ >= request_.limit.events ||
                                    bytes_ + step.bytes > request_.limit.bytes);
        if (full) {
            return false;
        }
        auto stored = decode_record(step.body, offset, window.owner());
        if (!stored) {  // intact, but of a newer version
            ++answer_.checksum_failures;
            return true;
        }
        gap_until(offset);
        answer_.result.entries.emplace_back(std::move(*stored));
        answer_.result.next = offset.next();
        ++events_;
        bytes_ += step.bytes;
        return true;
    }

    void gap_until(Offset offset) {
        if (answer_.result.next < offset) {
            answer_.result.entries.emplace_back(
                Gap{.from = answer_.result.next, .to = offset, .reason = Gap::Reason::damage}
            );
            answer_.result.next = offset;
        }
    }

    const RangeRequest& request_;
    RangeAnswer answer_;
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace

Result<void> open_view(FileSystem& files, SegmentView& view) {
    if (!view.file) {
        auto file = files.open(view.path, OpenMode::read);
        if (!file) {
            return std::unexpected(file.error());
        }
        view.file = std::move(*file);
    }
    return {};
}

Result<std::optional<RangeAnswer>> read_range(
    const RangeRequest& request, SegmentWindow::Source source
) {
    ASSERT(request.segment.file != nullptr);
    const SegmentFacts& facts = request.segment.facts;
    SegmentWindow window(
        *request.segment.file,
        {.end = facts.end,
         .chunk_bytes =
             std::min(kRangeChunkBytes, std::max<std::size_t>(request.limit.bytes, 4096)),
         .source = source}
    );
    SegmentScanner scanner(window, facts.header.salt, request.position, facts.header.base);
    RangeReader reader(request);
    bool more = true;
    while (more) {
        ScanStep step = scanner.next();
        if (window.error()) {
            return std::unexpected(*window.error());
        }
        if (window.needs_disk()) {
            return std::optional<RangeAnswer>();
        }
        if (step.kind == ScanStep::Kind::end) {
            break;
        }
        more = reader.take(step, window);
    }
    RangeAnswer answer = more ? reader.finish() : reader.stop();
    answer.unreadable_blocks = window.unreadable_blocks();
    return answer;
}

std::optional<StoredEvent> read_record(
    SegmentWindow& window, SegmentSalt salt, Candidate candidate
) {
    auto header = decode_record_header(
        window.at(candidate.position, kRecordHeaderBytes), salt, candidate.position
    );
    if (!header || header->offset != candidate.offset) {
        return std::nullopt;
    }
    Bytes whole = window.at(candidate.position, header->total_bytes());
    if (whole.size() != header->total_bytes()) {
        return std::nullopt;
    }
    Bytes padded = whole.subspan(kRecordHeaderBytes);
    if (!body_intact(*header, salt, padded)) {
        return std::nullopt;
    }
    auto stored = decode_record(padded.first(header->length), candidate.offset, window.owner());
    return stored ? std::optional(std::move(*stored)) : std::nullopt;
}

}  // namespace belfry
