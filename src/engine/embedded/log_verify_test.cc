#include "engine/embedded/log_verify.h"

#include "engine/embedded/log_test_bed.h"
#include "engine/embedded/segment_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string kFirst = "data/log/00000000000000000000.segment";

class LogVerify : public testing::Test {
 protected:
    LogVerify() { bed_.options.segment_bytes = 16 * 1024; }

    // Four events in three batches, then one of 600 bytes.
    void publish() {
        ASSERT_TRUE(bed_.open());
        ASSERT_TRUE(bed_.append({{.data = "one", .id = "a"}, {.data = "two"}}));
        ASSERT_TRUE(bed_.append({{.data = "three"}}));
        ASSERT_TRUE(bed_.append({{.data = "four"}}));
        ASSERT_TRUE(bed_.append({{.data = std::string(600, 'l')}}));
    }
    void publish_and_stop() {
        publish();
        ASSERT_TRUE(bed_.stop());
        bed_.log.reset();
    }
    // Until there are so many segments; stopped.
    void fill_segments(std::size_t count) {
        ASSERT_TRUE(bed_.open());
        while (bed_.log->segments().size() < count) {
            ASSERT_TRUE(bed_.append({{.data = std::string(1000, 'x')}}));
        }
        ASSERT_TRUE(bed_.stop());
        bed_.log.reset();
    }
    LogReport verify() {
        auto report = verify_log(bed_.files, {.directory = "data"});
        EXPECT_TRUE(report) << report.error().detail;
        return report ? *report : LogReport();
    }
    [[nodiscard]] std::uint64_t end_of_data(const std::string& path) const {
        auto bytes = bed_.files.contents(path);
        while (!bytes.empty() && bytes.back() == std::byte{0}) {
            bytes.pop_back();
        }
        return aligned(bytes.size());
    }

    LogTestBed bed_;
};

TEST_F(LogVerify, CountsWhatASoundLogHolds) {
    publish_and_stop();
    LogReport report = verify();
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.segments, 1U);
    EXPECT_EQ(report.batches, 4U);
    EXPECT_EQ(report.watermarks, 1U);
    EXPECT_EQ(report.records, 5U);
    EXPECT_EQ(report.next, Offset{5});
    EXPECT_EQ(report.bytes, bed_.files.contents(kFirst).size());
    EXPECT_EQ(report.tail.kind, LogTail::Kind::none);
}

TEST_F(LogVerify, CountsOverSegmentsAndSaysHowFarItIs) {
    fill_segments(4);
    std::uint64_t shown = 0;
    std::uint64_t all = 0;
    auto report = verify_log(
        bed_.files,
        {.directory = "data",
         .progress =
             [&](std::uint64_t done, std::uint64_t total) {
                 EXPECT_GE(done, shown);
                 shown = done;
                 all = total;
             }}
    );
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->intact());
    EXPECT_EQ(report->segments, 4U);
    EXPECT_EQ(report->records, report->next.value);
    EXPECT_EQ(shown, all);
    EXPECT_EQ(shown, report->bytes);
}

TEST_F(LogVerify, ADamagedRecordIsNamedWithFileAndByte) {
    publish_and_stop();
    auto bytes = bed_.files.contents(kFirst);
    std::uint64_t body = kSegmentDataStart + kBatchHeaderBytes + kRecordHeaderBytes;
    bed_.files.flip(kFirst, body + 20, 1);
    LogReport report = verify();
    EXPECT_FALSE(report.intact());
    ASSERT_THAT(report.damage, SizeIs(1));
    EXPECT_EQ(report.damage[0].file, "00000000000000000000.segment");
    EXPECT_EQ(report.damage[0].position, kSegmentDataStart + kBatchHeaderBytes);
    EXPECT_THAT(report.damage[0].what, HasSubstr("event 0"));
    ASSERT_THAT(report.holes, SizeIs(1));
    EXPECT_EQ(report.holes[0].from, Offset{0});
    EXPECT_EQ(report.holes[0].to, Offset{1});
    EXPECT_EQ(report.records, 4U);
    EXPECT_EQ(report.missing_events, 1U);
}

TEST_F(LogVerify, ADamagedBatchHeaderCostsNoEventAndIsNamed) {
    publish_and_stop();
    bed_.files.flip(kFirst, kSegmentDataStart + 9, 4);
    LogReport report = verify();
    EXPECT_EQ(report.damaged_places, 1U);
    EXPECT_EQ(report.missing_events, 0U);
    EXPECT_EQ(report.records, 5U);
    EXPECT_FALSE(report.intact());
}

TEST_F(LogVerify, TheLastBatchBeforeAKillIsUnprovenAndNoDamage) {
    publish();
    bed_.kill();
    LogReport report = verify();
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.tail.kind, LogTail::Kind::whole);
    EXPECT_EQ(report.records, 5U);
    EXPECT_EQ(report.next, Offset{5});
}

TEST_F(LogVerify, ATornTailIsToldAndNoDamage) {
    publish();
    bed_.kill();
    std::uint64_t end = end_of_data(kFirst);
    bed_.files.zero(kFirst, end - 100, 100);
    LogReport report = verify();
    EXPECT_TRUE(report.intact());
    EXPECT_EQ(report.tail.kind, LogTail::Kind::torn);
    EXPECT_EQ(report.records, 4U);
    EXPECT_EQ(report.next, Offset{4});
}

TEST_F(LogVerify, ASegmentThatWasBeingMadeIsNoDamage) {
    publish_and_stop();
    std::string next = "data/log/00000000000000000005.segment";
    bed_.files.set_contents(next, std::vector<std::byte>(9'000));
    EXPECT_TRUE(verify().intact());
    SegmentHeader header{.base = Offset{5}, .salt = SegmentSalt{7}, .created = {}};
    auto block = encode_segment_header(header, 0);
    bed_.files.set_contents(next, std::vector<std::byte>(block.begin(), block.end()));
    EXPECT_TRUE(verify().intact());
    EXPECT_EQ(verify().segments, 2U);
}

TEST_F(LogVerify, EventsThatAWatermarkProvesAreMissed) {
    publish_and_stop();
    std::uint64_t watermark = end_of_data(kFirst) - kBatchHeaderBytes;
    bed_.files.zero(kFirst, watermark - 200, 200);
    LogReport report = verify();
    EXPECT_FALSE(report.intact());
    EXPECT_EQ(report.missing_events, 1U);
    EXPECT_EQ(report.next, Offset{5});
}

TEST_F(LogVerify, AMissingSegmentIsAHole) {
    fill_segments(4);
    std::vector<std::string> names = bed_.files_in_log();
    std::vector<std::string> segments;
    for (const std::string& name : names) {
        if (name.ends_with(kSegmentSuffix)) {
            segments.push_back(name);
        }
    }
    ASSERT_THAT(segments, SizeIs(4));
    ASSERT_TRUE(bed_.files.remove("data/log/" + segments[1]));
    LogReport report = verify();
    EXPECT_FALSE(report.intact());
    ASSERT_THAT(report.holes, SizeIs(1));
    EXPECT_EQ(report.holes[0].from, *parse_segment_file_name(segments[1], kSegmentSuffix));
    EXPECT_EQ(report.holes[0].to, *parse_segment_file_name(segments[2], kSegmentSuffix));
}

TEST_F(LogVerify, AMissingLastSegmentIsToldByTheSummaryBeforeIt) {
    fill_segments(3);
    auto names = bed_.files_in_log();
    auto last = std::ranges::max(names, {}, [](const std::string& name) {
        return name.ends_with(kSegmentSuffix) ? name : std::string();
    });
    ASSERT_TRUE(bed_.files.remove("data/log/" + last));
    EXPECT_FALSE(verify().intact());
}

TEST_F(LogVerify, LossThatWasAcceptedIsAHoleAndNoDamage) {
    publish_and_stop();
    std::uint64_t watermark = end_of_data(kFirst) - kBatchHeaderBytes;
    bed_.files.zero(kFirst, watermark - 200, 200);
    bed_.options.accept_data_loss = true;
    bed_.options.min_next_offset = Offset{9};
    ASSERT_TRUE(bed_.open());
    ASSERT_TRUE(bed_.append({{.data = "after"}}));
    ASSERT_TRUE(bed_.stop());
    bed_.log.reset();
    LogReport report = verify();
    bool accepted = std::ranges::any_of(report.holes, [](const LogHole& hole) {
        return hole.accepted && hole.to == Offset{9};
    });
    EXPECT_TRUE(accepted);
    EXPECT_EQ(report.next, Offset{10});
}

TEST_F(LogVerify, SummariesAndTheDedupKeyAreChecked) {
    fill_segments(3);
    bed_.files.flip("data/log/00000000000000000000.summary", 5000, 1);
    bed_.files.flip("data/log/dedup.key", 12, 1);
    LogReport report = verify();
    EXPECT_EQ(report.damaged_places, 2U);
    EXPECT_EQ(report.missing_events, 0U);
}

TEST_F(LogVerify, ListsOnlySoManyPlacesButCountsAll) {
    fill_segments(2);
    for (std::uint64_t at = kSegmentDataStart; at < kSegmentDataStart + 6'000; at += 1'000) {
        bed_.files.flip(kFirst, at + 500, 1);
    }
    auto report = verify_log(bed_.files, {.directory = "data", .damage_max = 2});
    ASSERT_TRUE(report);
    EXPECT_THAT(report->damage, SizeIs(2));
    EXPECT_GT(report->damaged_places, 4U);
}

TEST_F(LogVerify, ChangesNothing) {
    publish();
    bed_.kill();
    bed_.files.reset_counts();
    (void)verify();
    EXPECT_EQ(bed_.files.changes(), 0U);
}

TEST_F(LogVerify, RefusesADirectoryThatAHubUses) {
    publish();
    auto report = verify_log(bed_.files, {.directory = "data"});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::conflict);
    EXPECT_THAT(report.error().detail, HasSubstr("stop it"));
}

TEST_F(LogVerify, SaysThatThereIsNoLog) {
    auto report = verify_log(bed_.files, {.directory = "elsewhere"});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::not_found);
    EXPECT_THAT(report.error().detail, HasSubstr("elsewhere"));
}

}  // namespace
}  // namespace belfry
