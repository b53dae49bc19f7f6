#include "engine/embedded/segment_scanner.h"

#include "base/byte_order.h"

#include <algorithm>

namespace belfry {

namespace {

constexpr std::size_t kSearchBytes = 64 * 1024;

}  // namespace

SegmentScanner::SegmentScanner(
    SegmentWindow& window, SegmentSalt salt, std::uint64_t position, Offset least
)
    : window_(window),
      salt_(salt),
      position_(position),
      least_(least),
      most_(least + window.end() / kRecordHeaderBytes) {}

ScanStep SegmentScanner::next() {
    ScanStep step;
    if (!try_header(step, position_)) {
        return skip_damage();
    }
    if (step.kind == ScanStep::Kind::batch) {
        least_ = step.batch.first;
    } else {
        Bytes whole = window_.at(position_, step.record.total_bytes());
        if (window_.stopped()) {
            return {};
        }
        Bytes padded =
            whole.size() > kRecordHeaderBytes ? whole.subspan(kRecordHeaderBytes) : Bytes();
        if (body_intact(step.record, salt_, padded)) {
            step.body = padded.first(step.record.length);
        } else {
            step.kind = ScanStep::Kind::damaged_record;
            step.bytes = std::min(step.bytes, window_.end() - position_);
        }
        least_ = step.record.offset.next();
    }
    position_ += step.bytes;
    return step;
}

// An intact header at `position`, of either kind, that names a possible offset.
bool SegmentScanner::try_header(ScanStep& step, std::uint64_t position) {
    Bytes bytes = window_.at(position, kBatchHeaderBytes);
    step.position = position;
    if (auto batch = decode_batch_header(bytes, salt_, position)) {
        step.kind = ScanStep::Kind::batch;
        step.bytes = kBatchHeaderBytes;
        step.batch = *batch;
        return batch->first >= least_ && batch->first <= most_;
    }
    if (auto record = decode_record_header(bytes, salt_, position)) {
        step.kind = ScanStep::Kind::record;
        step.bytes = record->total_bytes();
        step.record = *record;
        return record->offset >= least_ && record->offset <= most_;
    }
    return false;
}

ScanStep SegmentScanner::skip_damage() {
    ScanStep damage{.kind = ScanStep::Kind::damage, .position = position_};
    for (std::uint64_t from = position_;;) {
        Bytes bytes = window_.at(from, kSearchBytes);
        if (bytes.size() < kAlignment) {
            return {.kind = ScanStep::Kind::end, .position = position_};
        }
        for (std::size_t at = 0; at + kAlignment <= bytes.size(); at += kAlignment) {
            auto magic = load_le<std::uint32_t>(bytes.data() + at);
            if (magic != kBatchMagic && magic != kRecordMagic) {
                continue;
            }
            ScanStep found;
            if (try_header(found, from + at)) {
                damage.bytes = from + at - position_;
                position_ = from + at;
                return damage;
            }
            // That may have moved the window.
            bytes = window_.at(from, kSearchBytes);
            if (bytes.size() < kAlignment) {
                return {.kind = ScanStep::Kind::end, .position = position_};
            }
        }
        from += bytes.size() / kAlignment * kAlignment;
    }
}

}  // namespace belfry
