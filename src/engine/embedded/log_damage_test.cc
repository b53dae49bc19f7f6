// Bit rot, truncation, zeroed and misplaced blocks. Everything proven that is not itself damaged is
// served, nothing wrong ever is, and what cannot be explained refuses to start.
#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/segment_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kFirstSegment = "data/log/00000000000000000000.segment";

// A directory as bytes, so that each case begins from the same disk.
using Disk = std::map<std::string, std::vector<std::byte>>;

Disk disk_of(LogTestBed& bed) {
    Disk disk;
    for (const std::string& name : bed.files_in_log()) {
        disk["data/log/" + name] = bed.files.contents("data/log/" + name);
    }
    return disk;
}

void put(LogTestBed& bed, const Disk& disk) {
    for (const auto& [path, bytes] : disk) {
        bed.files.set_contents(path, bytes);
    }
}

// Four batches and a watermark: events "one" … "seven".
Disk small_log() {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    EXPECT_TRUE(bed.open());
    EXPECT_TRUE(bed.append({{.data = "one", .id = "a"}, {.data = "two"}}));
    EXPECT_TRUE(bed.append({{.data = "three"}}));
    EXPECT_TRUE(bed.append({{.data = "four"}, {.data = "five", .id = "b"}, {.data = "six"}}));
    EXPECT_TRUE(bed.append({{.data = std::string(600, 'l')}}));
    EXPECT_TRUE(bed.stop());
    return disk_of(bed);
}
const std::vector<std::string> kSmallLog{
    "one", "two", "three", "four", "five", "six", std::string(600, 'l')
};

std::uint64_t end_of_data(const Disk& disk) {
    const auto& bytes = disk.at(kFirstSegment);
    std::uint64_t end = bytes.size();
    while (end > 0 && bytes[end - 1] == std::byte{0}) {
        --end;
    }
    return end;
}

struct Outcome {
    bool opened = false;
    std::string refusal;
    std::vector<std::string> texts;
    LogStatus status;
};
Outcome look_at(const Disk& disk, bool accept_data_loss = false, Offset min_next = {}) {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    bed.options.accept_data_loss = accept_data_loss;
    bed.options.min_next_offset = min_next;
    put(bed, disk);
    Outcome outcome;
    auto opened = bed.open();
    outcome.opened = opened.has_value();
    if (!opened) {
        outcome.refusal = opened.error().detail;
        return outcome;
    }
    bed.settle();
    auto entries = bed.read_all();
    EXPECT_TRUE(entries);
    outcome.texts = texts_of(*entries);
    outcome.status = bed.log->status();
    return outcome;
}

// How many of the small log's events are there, each right, and how many are gaps; -1 if one is
// wrong.
int intact(const Outcome& outcome) {
    std::size_t at = 0;
    int found = 0;
    for (const std::string& text : outcome.texts) {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        if (std::sscanf(text.c_str(), "gap %lu-%lu", &from, &to) == 2) {
            if (from != at) {
                return -1;
            }
            at = to;
        } else {
            if (at >= kSmallLog.size() || kSmallLog[at] != text) {
                return -1;
            }
            ++at;
            ++found;
        }
    }
    return found;
}

TEST(LogDamage, EveryFlippedByteOfProvenDataIsDetectedAndCostsAtMostItsRecord) {
    Disk disk = small_log();
    std::uint64_t end =
        end_of_data(disk) - kBatchHeaderBytes;  // the watermark proves; it is not data
    end = aligned(end);
    ASSERT_EQ(intact(look_at(disk)), 7);
    for (std::uint64_t position = 0; position < end; ++position) {
        // All of the header block is checked; its middle is zeros and one in 64 of them will do.
        if (position > 64 && position < kSegmentDataStart - 64 && position % 64 != 0) {
            continue;
        }
        Disk damaged = disk;
        damaged[kFirstSegment][position] ^= static_cast<std::byte>(1U << (position % 8));
        Outcome outcome = look_at(damaged);
        ASSERT_TRUE(outcome.opened) << outcome.refusal << " at " << position;
        ASSERT_GE(intact(outcome), 6) << "a neighbour is lost, or wrong, at " << position;
        ASSERT_GT(outcome.status.checksum_failures, 0U) << "not detected at " << position;
    }
}

TEST(LogDamage, FlippedWatermarkIsCutAndLosesNothing) {
    Disk disk = small_log();
    std::uint64_t end = aligned(end_of_data(disk));
    for (std::uint64_t position = end - kBatchHeaderBytes; position < end; ++position) {
        Disk damaged = disk;
        damaged[kFirstSegment][position] ^= std::byte{0x10};
        Outcome outcome = look_at(damaged);
        ASSERT_TRUE(outcome.opened) << outcome.refusal;
        ASSERT_EQ(intact(outcome), 7) << position;
        ASSERT_EQ(outcome.texts.size(), 7U);
    }
}

TEST(LogDamage, DamageFoundWhileServingIsAGapToReaders) {
    Disk disk = small_log();
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    put(bed, disk);
    ASSERT_TRUE(bed.open());
    bed.settle();
    auto& bytes = disk[kFirstSegment];
    const std::string wanted = "five";
    auto at = std::search(
        bytes.begin(),
        bytes.end(),
        wanted.begin(),
        wanted.end(),
        [](std::byte a, char b) { return a == static_cast<std::byte>(b); }
    );
    ASSERT_NE(at, bytes.end());
    bed.files.flip(kFirstSegment, static_cast<std::uint64_t>(at - bytes.begin()), 1);
    auto entries = bed.read_all();
    ASSERT_TRUE(entries);
    EXPECT_THAT(
        texts_of(*entries),
        ElementsAre("one", "two", "three", "four", "gap 4-5", "six", std::string(600, 'l'))
    );
    EXPECT_EQ(std::get<Gap>(entries->at(4)).reason, Gap::Reason::damage);
    EXPECT_EQ(bed.log->status().gap_events, 1U);
    ASSERT_TRUE(bed.read_all());
    EXPECT_EQ(bed.log->status().gap_events, 1U) << "the same gap is counted once";
    EXPECT_FALSE(bed.find("b")) << "a damaged record is not found";
    EXPECT_TRUE(bed.find("a"));
}

TEST(LogDamage, TruncationNeverServesAnythingWrong) {
    Disk disk = small_log();
    std::uint64_t end = end_of_data(disk);
    for (std::uint64_t size = 0; size <= end; size += size < kSegmentDataStart ? 512 : 3) {
        Disk damaged = disk;
        damaged[kFirstSegment].resize(size);
        Outcome outcome = look_at(damaged);
        if (outcome.opened) {
            ASSERT_GE(intact(outcome), 0) << size;
        }
        // Whoever knows how far the log went is told that its end is missing.
        Outcome informed = look_at(damaged, false, Offset{7});
        if (informed.opened) {
            ASSERT_EQ(intact(informed), 7) << size;
        } else {
            ASSERT_THAT(informed.refusal, HasSubstr("--accept-data-loss")) << size;
        }
    }
}

TEST(LogDamage, MissingProvenEndRefusesAndNamesTheOffsets) {
    Disk disk = small_log();
    // The last batch is gone without trace, its watermark still stands.
    std::uint64_t end = end_of_data(disk);
    std::uint64_t watermark = aligned(end) - kBatchHeaderBytes;
    auto& bytes = disk[kFirstSegment];
    std::uint64_t batch = watermark - 600 - 8;
    while (std::memcmp(bytes.data() + batch, "BTCH", 4) != 0) {
        batch -= 8;
    }
    std::fill(
        bytes.begin() + static_cast<std::ptrdiff_t>(batch),
        bytes.begin() + static_cast<std::ptrdiff_t>(watermark),
        std::byte{0}
    );
    Outcome refused = look_at(disk);
    ASSERT_FALSE(refused.opened);
    EXPECT_THAT(refused.refusal, HasSubstr("events 6 to 6"));
    EXPECT_THAT(refused.refusal, HasSubstr("--accept-data-loss"));

    Outcome accepted = look_at(disk, true);
    ASSERT_TRUE(accepted.opened) << accepted.refusal;
    EXPECT_EQ(intact(accepted), 6);
    EXPECT_EQ(accepted.status.next, Offset{7});
}

TEST(LogDamage, AcceptedLossIsRememberedAndOffsetsAreNotReused) {
    Disk disk = small_log();
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    bed.options.min_next_offset = Offset{100};
    put(bed, disk);
    auto refused = bed.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_THAT(refused.error().detail, HasSubstr("events 7 to 99"));
    bed.options.accept_data_loss = true;
    ASSERT_TRUE(bed.open());
    auto stored = bed.append({{.data = "after"}});
    ASSERT_TRUE(stored) << stored.error().detail;
    EXPECT_EQ(stored->at(0).offset, Offset{100});
    // The next start needs no flag.
    ASSERT_TRUE(bed.stop());
    bed.options.accept_data_loss = false;
    auto again = bed.open();
    ASSERT_TRUE(again) << again.error().detail;
    auto entries = bed.read_all();
    ASSERT_TRUE(entries);
    ASSERT_EQ(entries->size(), 9U);
    EXPECT_EQ(text_of(entries->at(7)), "gap 7-100");
    EXPECT_EQ(std::get<Gap>(entries->at(7)).reason, Gap::Reason::data_loss);
    EXPECT_EQ(text_of(entries->at(8)), "after");
}

TEST(LogDamage, EmptyDirectoryBelowTheKnownOffsetIsALoss) {
    LogTestBed bed;
    bed.options.min_next_offset = Offset{50};
    ASSERT_FALSE(bed.open());
    bed.options.accept_data_loss = true;
    ASSERT_TRUE(bed.open());
    EXPECT_EQ(bed.append({{.data = "x"}}).value().at(0).offset, Offset{50});
}

TEST(LogDamage, TornLastBatchIsCutAsAWhole) {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.append({{.data = "kept"}}));
    ASSERT_TRUE(bed.append({{.data = "torn 1"}, {.data = "torn 2"}}));
    bed.kill();
    Disk disk = disk_of(bed);
    std::uint64_t end = end_of_data(disk);
    disk[kFirstSegment][end - 1] = std::byte{0};  // nothing proves that it was synced
    LogTestBed after;
    after.options.segment_bytes = 16 * 1024;
    put(after, disk);
    ASSERT_TRUE(after.open());
    EXPECT_EQ(texts_of(after.read_all().value()), std::vector<std::string>{"kept"});
    // Zeros stand where it was: nothing of it may ever be taken for a record behind a later,
    // shorter batch.
    EXPECT_EQ(aligned(end_of_data(disk_of(after))), after.log->segments().back().bytes);
    // Its offsets are given anew, and nothing of it comes back.
    EXPECT_EQ(after.append({{.data = "new"}}).value().at(0).offset, Offset{1});
    after.kill();
    ASSERT_TRUE(after.open());
    EXPECT_THAT(texts_of(after.read_all().value()), ElementsAre("kept", "new"));
}

TEST(LogDamage, DamageBeforeProvenDataIsNotATornTail) {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.append({{.data = "first"}, {.data = "second"}}));
    ASSERT_TRUE(bed.append({{.data = "third"}}));
    bed.kill();
    Disk disk = disk_of(bed);
    disk[kFirstSegment][kSegmentDataStart + kBatchHeaderBytes + kRecordHeaderBytes + 30] ^=
        std::byte{4};
    Outcome outcome = look_at(disk);
    ASSERT_TRUE(outcome.opened);
    EXPECT_THAT(outcome.texts, ElementsAre("gap 0-1", "second", "third"));
}

TEST(LogDamage, BytesBehindADamagedBatchProveThatItIsNotATornTail) {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    ASSERT_TRUE(bed.open());
    ASSERT_TRUE(bed.append({{.data = "first"}, {.data = "second"}}));
    std::uint64_t third = bed.log->segments().back().bytes;
    ASSERT_TRUE(bed.append({{.data = "third"}}));
    bed.kill();
    Disk disk = disk_of(bed);
    auto& bytes = disk[kFirstSegment];
    // The third batch was being written: its first sector did not arrive. That one was begun at all
    // says that the batch before it had been synced, so its damage is damage.
    std::fill_n(
        bytes.begin() + static_cast<std::ptrdiff_t>(third), kBatchHeaderBytes, std::byte{0}
    );
    bytes[kSegmentDataStart + kBatchHeaderBytes + kRecordHeaderBytes + 30] ^= std::byte{4};
    Outcome outcome = look_at(disk);
    ASSERT_TRUE(outcome.opened);
    EXPECT_THAT(outcome.texts, ElementsAre("gap 0-1", "second"));
}

TEST(LogDamage, SwappedBlocksAreDetectedAndNeighboursServed) {
    LogTestBed bed;
    bed.options.segment_bytes = 64 * 1024;
    ASSERT_TRUE(bed.open());
    std::vector<std::string> all;
    for (int i = 0; i < 100; ++i) {
        all.push_back("event " + std::to_string(i) + std::string(150, 'x'));
        ASSERT_TRUE(bed.append({{.data = all.back()}}));
    }
    ASSERT_TRUE(bed.stop());
    const Disk disk = disk_of(bed);
    std::uint64_t end = end_of_data(disk) / 512;
    for (std::uint64_t a = kSegmentDataStart / 512; a + 5 < end; a += 3) {
        Disk damaged = disk;
        auto& bytes = damaged[kFirstSegment];
        auto block = [&](std::uint64_t number) {
            return bytes.begin() + static_cast<std::ptrdiff_t>(number * 512);
        };
        std::swap_ranges(block(a), block(a + 1), block(a + 4));
        LogTestBed after;
        after.options.segment_bytes = 64 * 1024;
        put(after, damaged);
        ASSERT_TRUE(after.open());
        auto entries = after.read_all();
        ASSERT_TRUE(entries);
        std::size_t found = 0;
        for (const LogEntry& entry : *entries) {
            if (const auto* stored = std::get_if<StoredEvent>(&entry)) {
                ASSERT_EQ(stored->event.data, all[stored->offset.value]);
                ++found;
            }
        }
        // Two blocks of 512 bytes touch at most eight records of about 250 bytes.
        ASSERT_GE(found, 92U) << "blocks " << a << " and " << a + 4;
        ASSERT_LT(found, 100U);
    }
}

TEST(LogDamage, ZeroedSectorCostsOnlyTheRecordsInIt) {
    Disk disk = small_log();
    // In the middle: batches before and after.
    Disk damaged = disk;
    auto& bytes = damaged[kFirstSegment];
    std::fill_n(bytes.begin() + kSegmentDataStart, 64, std::byte{0});
    Outcome outcome = look_at(damaged);
    ASSERT_TRUE(outcome.opened) << outcome.refusal;
    EXPECT_GE(intact(outcome), 5);
    EXPECT_GT(outcome.status.gap_events, 0U);
}

// Three segments and their summaries.
Disk long_log(std::vector<std::string>& all) {
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    EXPECT_TRUE(bed.open());
    for (int i = 0; i < 24; ++i) {
        all.push_back(std::to_string(i) + std::string(1000, 'x'));
        EXPECT_TRUE(bed.append({{.data = all.back(), .id = "id-" + std::to_string(i)}}));
    }
    EXPECT_TRUE(bed.stop());
    EXPECT_GE(bed.log->segments().size(), 3U);
    return disk_of(bed);
}

std::vector<std::string> names_of(const Disk& disk, std::string_view suffix) {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : disk) {
        if (path.ends_with(suffix)) {
            names.push_back(path);
        }
    }
    return names;
}

TEST(LogDamage, MissingSegmentInTheMiddleIsAGap) {
    std::vector<std::string> all;
    Disk disk = long_log(all);
    disk.erase(names_of(disk, ".segment")[1]);
    Outcome outcome = look_at(disk);
    ASSERT_TRUE(outcome.opened) << outcome.refusal;
    ASSERT_GT(outcome.texts.size(), 10U);
    std::size_t gaps = 0;
    for (const std::string& text : outcome.texts) {
        gaps += text.starts_with("gap ") ? 1 : 0;
    }
    EXPECT_EQ(gaps, 1U);
    EXPECT_EQ(outcome.texts.front(), all.front());
    EXPECT_EQ(outcome.texts.back(), all.back());
}

TEST(LogDamage, MissingLastSegmentRefuses) {
    std::vector<std::string> all;
    Disk disk = long_log(all);
    disk.erase(names_of(disk, ".segment").back());
    Outcome refused = look_at(disk);
    ASSERT_FALSE(refused.opened);
    EXPECT_THAT(refused.refusal, HasSubstr("is missing"));
    Outcome accepted = look_at(disk, true);
    EXPECT_TRUE(accepted.opened) << accepted.refusal;
}

TEST(LogDamage, BothHeadersOfASealedSegmentComeBackFromItsSummary) {
    std::vector<std::string> all;
    Disk disk = long_log(all);
    std::string victim = names_of(disk, ".segment")[1];
    std::fill_n(disk[victim].begin(), kSegmentDataStart, std::byte{0xaa});
    Outcome outcome = look_at(disk);
    ASSERT_TRUE(outcome.opened) << outcome.refusal;
    EXPECT_EQ(outcome.texts, all);
    EXPECT_GT(outcome.status.checksum_failures, 0U);
}

TEST(LogDamage, SegmentWithoutHeadersAndSummaryIsAGapAndNotTouched) {
    std::vector<std::string> all;
    Disk disk = long_log(all);
    std::string victim = names_of(disk, ".segment")[1];
    std::fill_n(disk[victim].begin(), kSegmentDataStart, std::byte{0xaa});
    disk.erase(names_of(disk, ".summary")[1]);
    Outcome outcome = look_at(disk);
    ASSERT_TRUE(outcome.opened) << outcome.refusal;
    EXPECT_EQ(outcome.texts.front(), all.front());
    EXPECT_EQ(outcome.texts.back(), all.back());
    EXPECT_GT(outcome.status.gap_events, 5U);
}

TEST(LogDamage, LastSegmentWithoutHeadersRefusesAndReusesNoOffset) {
    std::vector<std::string> all;
    Disk disk = long_log(all);
    std::string victim = names_of(disk, ".segment").back();
    std::fill_n(disk[victim].begin(), kSegmentDataStart, std::byte{0xaa});
    Outcome refused = look_at(disk);
    ASSERT_FALSE(refused.opened);
    EXPECT_THAT(refused.refusal, HasSubstr("both headers"));
    Outcome accepted = look_at(disk, true);
    ASSERT_TRUE(accepted.opened) << accepted.refusal;
    EXPECT_GE(accepted.status.next, Offset{all.size()});
}

TEST(LogDamage, EveryFlippedByteOfASummaryIsRepairedFromTheSegment) {
    std::vector<std::string> all;
    const Disk disk = long_log(all);
    std::string victim = names_of(disk, ".summary")[0];
    for (std::size_t position = 0; position < disk.at(victim).size(); position += 61) {
        Disk damaged = disk;
        damaged[victim][position] ^= std::byte{0x20};
        LogTestBed bed;
        bed.options.segment_bytes = 16 * 1024;
        put(bed, damaged);
        ASSERT_TRUE(bed.open());
        bed.settle();
        ASSERT_EQ(texts_of(bed.read_all().value()), all) << position;
        auto page = bed.list({.type = TypePattern{.text = "deploy"}, .limit = 1000});
        ASSERT_TRUE(page) << page.error().detail;
        ASSERT_EQ(page->events.size(), all.size()) << position;
        ASSERT_TRUE(bed.find("id-3")) << position;
    }
}

TEST(LogDamage, UnreadableBlockIsAGapAndItsNeighboursAreServed) {
    std::vector<std::string> all;
    const Disk disk = long_log(all);
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    put(bed, disk);
    ASSERT_TRUE(bed.open());
    bed.files.fail_reads(kFirstSegment, 10'000, 10'100);
    auto entries = bed.read_all();
    ASSERT_TRUE(entries) << entries.error().detail;
    std::size_t found = 0;
    for (const LogEntry& entry : *entries) {
        if (const auto* stored = std::get_if<StoredEvent>(&entry)) {
            ASSERT_EQ(stored->event.data, all[stored->offset.value]);
            ++found;
        }
    }
    // One block of 4 KiB holds four of these events and cuts two.
    EXPECT_GE(found, all.size() - 6);
    EXPECT_LT(found, all.size());
}

TEST(LogDamage, DeadDiskIsAnErrorAndNotAGap) {
    std::vector<std::string> all;
    const Disk disk = long_log(all);
    LogTestBed bed;
    bed.options.segment_bytes = 16 * 1024;
    put(bed, disk);
    ASSERT_TRUE(bed.open());
    bed.files.fail_reads(kFirstSegment, 0, 1 << 20);
    auto read = bed.read(Offset{0});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::internal);
}

}  // namespace
}  // namespace belfry
