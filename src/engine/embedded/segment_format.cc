#include "engine/embedded/segment_format.h"

#include "base/byte_order.h"
#include "base/crc32c.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace belfry {

namespace {

constexpr std::uint32_t kLossAccepted = 1;
constexpr std::size_t kNameDigits = 20;

std::uint32_t header_seed(SegmentSalt salt, std::uint64_t position) {
    std::array<std::byte, 8> place{};
    store_le(place.data(), position);
    return crc32c(static_cast<std::uint32_t>(salt.value), place);
}

std::uint32_t body_seed(SegmentSalt salt) {
    return static_cast<std::uint32_t>(salt.value >> 32U);
}

}  // namespace

SegmentHeaderBlock encode_segment_header(const SegmentHeader& header, std::uint32_t copy) {
    SegmentHeaderBlock block{};
    std::memcpy(block.data(), kSegmentMagic.data(), kSegmentMagic.size());
    store_le(block.data() + 8, kSegmentVersion);
    store_le(block.data() + 12, copy);
    store_le(block.data() + 16, header.base.value);
    store_le(block.data() + 24, header.salt.value);
    auto created = header.created.time_since_epoch().count();
    store_le(block.data() + 32, static_cast<std::uint64_t>(created));
    store_le(block.data() + 40, header.loss_accepted ? kLossAccepted : 0U);
    Bytes covered = Bytes(block).first(kSegmentHeaderBytes - 4);
    store_le(block.data() + kSegmentHeaderBytes - 4, crc32c(0, covered));
    return block;
}

std::optional<SegmentHeader> decode_segment_header(Bytes block, std::uint32_t copy) {
    if (block.size() < kSegmentHeaderBytes ||
        std::memcmp(block.data(), kSegmentMagic.data(), kSegmentMagic.size()) != 0 ||
        load_le<std::uint32_t>(block.data() + 8) != kSegmentVersion ||
        load_le<std::uint32_t>(block.data() + 12) != copy) {
        return std::nullopt;
    }
    Bytes covered = block.first(kSegmentHeaderBytes - 4);
    if (load_le<std::uint32_t>(block.data() + kSegmentHeaderBytes - 4) != crc32c(0, covered)) {
        return std::nullopt;
    }
    auto created = static_cast<std::int64_t>(load_le<std::uint64_t>(block.data() + 32));
    return SegmentHeader{
        .base = Offset{load_le<std::uint64_t>(block.data() + 16)},
        .salt = SegmentSalt{load_le<std::uint64_t>(block.data() + 24)},
        .created = WallTime(std::chrono::microseconds(created)),
        .loss_accepted = (load_le<std::uint32_t>(block.data() + 40) & kLossAccepted) != 0,
    };
}

void encode_batch_header(
    const BatchHeader& header, SegmentSalt salt, std::uint64_t position, std::byte* to
) {
    store_le(to, kBatchMagic);
    store_le(to + 8, header.bytes);
    store_le(to + 12, header.count);
    store_le(to + 16, header.first.value);
    store_le(to + 24, header.durable.value);
    store_le(to + 4, crc32c(header_seed(salt, position), Bytes(to + 8, kBatchHeaderBytes - 8)));
}

std::optional<BatchHeader> decode_batch_header(
    Bytes bytes, SegmentSalt salt, std::uint64_t position
) {
    if (bytes.size() < kBatchHeaderBytes || load_le<std::uint32_t>(bytes.data()) != kBatchMagic) {
        return std::nullopt;
    }
    Bytes covered = bytes.subspan(8, kBatchHeaderBytes - 8);
    if (load_le<std::uint32_t>(bytes.data() + 4) != crc32c(header_seed(salt, position), covered)) {
        return std::nullopt;
    }
    return BatchHeader{
        .bytes = load_le<std::uint32_t>(bytes.data() + 8),
        .count = load_le<std::uint32_t>(bytes.data() + 12),
        .first = Offset{load_le<std::uint64_t>(bytes.data() + 16)},
        .durable = Offset{load_le<std::uint64_t>(bytes.data() + 24)},
    };
}

void seal_record(
    std::uint32_t length, Offset offset, SegmentSalt salt, std::uint64_t position, std::byte* to
) {
    store_le(to, kRecordMagic);
    store_le(to + 4, length);
    store_le(to + 8, offset.value);
    store_le(to + 16, crc32c(body_seed(salt), Bytes(to + kRecordHeaderBytes, aligned(length))));
    store_le(to + 20, crc32c(header_seed(salt, position), Bytes(to, 20)));
}

std::optional<RecordHeader> decode_record_header(
    Bytes bytes, SegmentSalt salt, std::uint64_t position
) {
    if (bytes.size() < kRecordHeaderBytes || load_le<std::uint32_t>(bytes.data()) != kRecordMagic) {
        return std::nullopt;
    }
    if (load_le<std::uint32_t>(bytes.data() + 20) !=
        crc32c(header_seed(salt, position), bytes.first(20))) {
        return std::nullopt;
    }
    return RecordHeader{
        .length = load_le<std::uint32_t>(bytes.data() + 4),
        .offset = Offset{load_le<std::uint64_t>(bytes.data() + 8)},
        .body_crc = load_le<std::uint32_t>(bytes.data() + 16),
    };
}

bool body_intact(const RecordHeader& header, SegmentSalt salt, Bytes padded_body) {
    return padded_body.size() == aligned(header.length) &&
           crc32c(body_seed(salt), padded_body) == header.body_crc;
}

std::string segment_file_name(Offset base, std::string_view suffix) {
    return fmt::format("{:020}{}", base.value, suffix);
}

std::optional<Offset> parse_segment_file_name(std::string_view name, std::string_view suffix) {
    if (name.size() != kNameDigits + suffix.size() || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    Offset base;
    auto [end, error] = std::from_chars(name.data(), name.data() + kNameDigits, base.value);
    if (error != std::errc() || end != name.data() + kNameDigits) {
        return std::nullopt;
    }
    return base;
}

}  // namespace belfry
