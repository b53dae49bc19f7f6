// The bytes on disk are a contract: these tests change only with kSegmentVersion.
#include "engine/embedded/segment_format.h"

#include "base/memory_file_system.h"
#include "engine/embedded/batch.h"
#include "engine/embedded/segment_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry {
namespace {

constexpr SegmentSalt kSalt{0x1122334455667788ULL};

std::string hex(Bytes bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::byte byte : bytes) {
        text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
        text += kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
    return text;
}

TEST(SegmentFormat, SegmentHeaderIsTheseBytes) {
    SegmentHeader header{
        .base = Offset{0x0102},
        .salt = kSalt,
        .created = WallTime(std::chrono::microseconds(0x0a0b0c)),
        .loss_accepted = true,
    };
    auto block = encode_segment_header(header, 1);
    EXPECT_EQ(
        hex(Bytes(block).first(48)),
        "42454c4652595347"  // BELFRYSG
        "01000000"          // version
        "01000000"          // copy
        "0201000000000000"  // base
        "8877665544332211"  // salt
        "0c0b0a0000000000"  // created
        "0100000000000000"  // flags
    );
    EXPECT_EQ(hex(Bytes(block).last(4)), "890d4fa1");
    EXPECT_EQ(decode_segment_header(block, 1), header);
    EXPECT_FALSE(decode_segment_header(block, 0)) << "a copy in the other's place";
}

TEST(SegmentFormat, BatchIsTheseBytes) {
    Batch batch(Offset{5});
    Event event;
    event.type = "t";
    event.source = "/s";
    event.data = "d";
    batch.add(event, WallTime(std::chrono::microseconds(1)), 0xaabb);
    batch.seal(kSalt, kSegmentDataStart, Offset{5});
    EXPECT_EQ(
        hex(batch.bytes().first(kBatchHeaderBytes)),
        "42544348"          // BTCH
        "ac0931bd"          // CRC
        "38000000"          // bytes
        "01000000"          // count
        "0500000000000000"  // first
        "0500000000000000"  // durable
    );
    EXPECT_EQ(
        hex(batch.bytes().subspan(kBatchHeaderBytes, kRecordHeaderBytes)),
        "52435244"          // RCRD
        "1c000000"          // length
        "0500000000000000"  // offset
        "c02545ea"          // CRC of the body
        "fcbea90e"          // CRC of the header
    );
    EXPECT_EQ(batch.bytes().size(), kBatchHeaderBytes + kRecordHeaderBytes + 32);
}

TEST(SegmentFormat, HeadersPassOnlyInTheirPlaceAndUnderTheirSalt) {
    Batch batch(Offset{0});
    Event event;
    event.type = "t";
    event.source = "/s";
    batch.add(event, WallTime(), 1);
    batch.seal(kSalt, 8192, Offset{0});
    Bytes record = batch.bytes().subspan(kBatchHeaderBytes);
    EXPECT_TRUE(decode_batch_header(batch.bytes(), kSalt, 8192));
    EXPECT_FALSE(decode_batch_header(batch.bytes(), kSalt, 8200));
    EXPECT_FALSE(decode_batch_header(batch.bytes(), SegmentSalt{kSalt.value + 1}, 8192));
    auto header = decode_record_header(record, kSalt, 8192 + kBatchHeaderBytes);
    ASSERT_TRUE(header);
    EXPECT_FALSE(decode_record_header(record, kSalt, 8192));
    Bytes body = record.subspan(kRecordHeaderBytes);
    EXPECT_TRUE(body_intact(*header, kSalt, body));
    EXPECT_FALSE(body_intact(*header, SegmentSalt{~kSalt.value}, body));
    EXPECT_FALSE(body_intact(*header, kSalt, body.first(body.size() - 8)));
    EXPECT_FALSE(decode_record_header(record.first(20), kSalt, 8192 + kBatchHeaderBytes));
}

TEST(SegmentFormat, FileNamesSortByOffset) {
    EXPECT_EQ(segment_file_name(Offset{42}, kSegmentSuffix), "00000000000000000042.segment");
    EXPECT_EQ(parse_segment_file_name("00000000000000000042.segment", kSegmentSuffix), Offset{42});
    EXPECT_FALSE(parse_segment_file_name("00000000000000000042.summary", kSegmentSuffix));
    EXPECT_FALSE(parse_segment_file_name("42.segment", kSegmentSuffix));
    EXPECT_FALSE(parse_segment_file_name("0000000000000000004x.segment", kSegmentSuffix));
    EXPECT_FALSE(parse_segment_file_name("99999999999999999999.segment", kSegmentSuffix));
}

TEST(SegmentWriter, NewSegmentIsHeadersAndZerosAllSynced) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directory("log"));
    SegmentHeader header{.base = Offset{9}, .salt = kSalt, .created = {}};
    auto made = create_segment(files, {.directory = "log", .header = header, .capacity = 1 << 20});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->filled, kFirstFillBytes);
    files.crash(1);
    auto bytes = files.contents("log/00000000000000000009.segment");
    ASSERT_EQ(bytes.size(), kFirstFillBytes);
    EXPECT_EQ(decode_segment_header(Bytes(bytes), 0), header);
    EXPECT_EQ(decode_segment_header(Bytes(bytes).subspan(kSegmentHeaderBytes), 1), header);
    EXPECT_TRUE(std::ranges::all_of(Bytes(bytes).subspan(kSegmentDataStart), [](std::byte byte) {
        return byte == std::byte{0};
    }));
}

TEST(SegmentWriter, SegmentThatCannotBeMadeLeavesNothing) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directory("log"));
    files.set_capacity(100 * 1024);
    SegmentHeader header{.base = Offset{9}, .salt = kSalt, .created = {}};
    auto made = create_segment(files, {.directory = "log", .header = header, .capacity = 1 << 20});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::disk_full);
    EXPECT_FALSE(files.exists("log/00000000000000000009.segment"));
}

}  // namespace
}  // namespace belfry
