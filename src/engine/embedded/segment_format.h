// The bytes of a segment: constants, headers and their checksums, shared by writer, scanner and
// tests. A segment is two copies of a 4 KiB header, then batches of records, then zeros. All
// integers are little-endian, everything is 8-aligned. Every checksum but that of the segment
// header begins with the segment's salt, and a header's also with its position in the file, so that
// old, forged or misplaced bytes do not pass. Pure functions, any thread. Format:
// docs/log_format.md.
#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "base/offset.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 4096;  // one copy
inline constexpr std::size_t kSegmentHeaderCopies = 2;
inline constexpr std::uint64_t kSegmentDataStart = kSegmentHeaderBytes * kSegmentHeaderCopies;

inline constexpr std::array<char, 8> kSegmentMagic{'B', 'E', 'L', 'F', 'R', 'Y', 'S', 'G'};
inline constexpr std::uint32_t kBatchMagic = 0x48435442U;   // "BTCH"
inline constexpr std::uint32_t kRecordMagic = 0x44524352U;  // "RCRD"
inline constexpr std::size_t kBatchHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 24;
inline constexpr std::size_t kAlignment = 8;

[[nodiscard]] constexpr std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Random, made with the segment, kept in its header. The low half seeds headers, the high half
// bodies.
struct SegmentSalt {
    std::uint64_t value = 0;
    bool operator==(const SegmentSalt&) const = default;
};

struct SegmentHeader {
    Offset base;  // of the first record, and the file's name
    SegmentSalt salt;
    WallTime created;
    bool loss_accepted = false;  // the offsets missing before `base` were given up by an operator
    bool operator==(const SegmentHeader&) const = default;
};
using SegmentHeaderBlock = std::array<std::byte, kSegmentHeaderBytes>;
[[nodiscard]] SegmentHeaderBlock encode_segment_header(
    const SegmentHeader& header, std::uint32_t copy
);
// nullopt if it is not an intact header of that copy.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(Bytes block, std::uint32_t copy);

// One synchronous write. A batch without records is a watermark.
struct BatchHeader {
    std::uint32_t bytes = 0;  // of the records that follow
    std::uint32_t count = 0;
    Offset first;    // of its first record; of a watermark, the next offset
    Offset durable;  // every event below it was durable when this was written
    bool operator==(const BatchHeader&) const = default;
};
// Writes kBatchHeaderBytes at `to`.
void encode_batch_header(
    const BatchHeader& header, SegmentSalt salt, std::uint64_t position, std::byte* to
);
// nullopt if `bytes` does not begin with an intact batch header that was written at `position`.
[[nodiscard]] std::optional<BatchHeader> decode_batch_header(
    Bytes bytes, SegmentSalt salt, std::uint64_t position
);

struct RecordHeader {
    std::uint32_t length = 0;  // of the body, which is padded with zeros to the next multiple of 8
    Offset offset;
    std::uint32_t body_crc = 0;  // of body and padding

    // Header, body and padding.
    [[nodiscard]] std::uint64_t total_bytes() const { return kRecordHeaderBytes + aligned(length); }
    bool operator==(const RecordHeader&) const = default;
};
// Completes the header at `to`, whose padded body already follows it: checksums both.
void seal_record(
    std::uint32_t length, Offset offset, SegmentSalt salt, std::uint64_t position, std::byte* to
);
// nullopt if `bytes` does not begin with an intact record header that was written at `position`.
[[nodiscard]] std::optional<RecordHeader> decode_record_header(
    Bytes bytes, SegmentSalt salt, std::uint64_t position
);
// Whether `padded_body` is what the header was made for.
[[nodiscard]] bool body_intact(const RecordHeader& header, SegmentSalt salt, Bytes padded_body);

// File names: 20 digits of the base offset, then a suffix.
inline constexpr std::string_view kSegmentSuffix = ".segment";
inline constexpr std::string_view kSummarySuffix = ".summary";
[[nodiscard]] std::string segment_file_name(Offset base, std::string_view suffix);
// The base offset if `name` is such a name.
[[nodiscard]] std::optional<Offset> parse_segment_file_name(
    std::string_view name, std::string_view suffix
);

}  // namespace belfry
