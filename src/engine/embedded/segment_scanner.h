// Walks the batches and records of a segment and finds its way again after damage. Every checksum
// is checked. Used by recovery, by reads and by `belfry log verify`. Owned by one reader, one
// thread.
#pragma once

#include "engine/embedded/segment_format.h"
#include "engine/embedded/segment_window.h"

#include <cstdint>

namespace belfry {

struct ScanStep {
    enum class Kind : std::uint8_t {
        batch,           // an intact batch header
        record,          // an intact record
        damaged_record,  // an intact record header, but not its body
        damage,          // bytes that are none of these, up to the next that are
        end,             // nothing intact follows; also when the window stopped
    };
    Kind kind = Kind::end;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    BatchHeader batch;    // batch
    RecordHeader record;  // record and damaged_record
    Bytes body;           // record; valid as the window says
};

class SegmentScanner {
 public:
    // From `position` (8-aligned) to the window's end. Headers that name offsets below `least`, or
    // more than fit in the file, are damage.
    SegmentScanner(SegmentWindow& window, SegmentSalt salt, std::uint64_t position, Offset least);

    [[nodiscard]] ScanStep next();

 private:
    [[nodiscard]] bool try_header(ScanStep& step, std::uint64_t position);
    [[nodiscard]] ScanStep skip_damage();

    SegmentWindow& window_;
    const SegmentSalt salt_;
    std::uint64_t position_;
    Offset least_;
    const Offset most_;
};

}  // namespace belfry
