#include "engine/embedded/segment_lookup.h"

#include "base/memory_file_system.h"
#include "engine/embedded/batch.h"
#include "engine/embedded/segment_summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace belfry {
namespace {

TEST(MergeLocals, MatchesSortingEverything) {
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        CandidateQuery query;
        query.descending = random() % 2 == 0;
        query.max = random() % 60;
        std::vector<LocalRange> ranges;
        for (auto at = static_cast<std::uint32_t>(random() % 50); at < 100 && ranges.size() < 3;) {
            ranges.push_back({.from = at, .to = at + 1 + static_cast<std::uint32_t>(random() % 60)}
            );
            at = ranges.back().to + 1 + static_cast<std::uint32_t>(random() % 20);
        }
        std::vector<std::vector<std::uint32_t>> storage(random() % 6);
        std::vector<std::uint32_t> all;
        for (std::uint32_t number = 0; number < 100 && !storage.empty(); ++number) {
            storage[random() % storage.size()].push_back(number);
            if (std::ranges::any_of(ranges, [&](const LocalRange& range) {
                    return number >= range.from && number < range.to;
                })) {
                all.push_back(number);
            }
        }
        if (query.descending) {
            std::ranges::reverse(all);
            std::ranges::reverse(ranges);
        }
        all.resize(std::min(all.size(), query.max));
        std::vector<Locals> lists(storage.begin(), storage.end());
        ASSERT_EQ(merge_locals(lists, ranges, query), all);
    }
}

TEST(TypeKey, MatchesItsTenantAlone) {
    auto key = type_key("acme", "deploy.web");
    EXPECT_TRUE(type_key_matches(key, "acme", std::nullopt));
    EXPECT_TRUE(type_key_matches(key, "acme", TypePattern{"deploy.", true}));
    EXPECT_TRUE(type_key_matches(key, "acme", TypePattern{"deploy.web", false}));
    EXPECT_FALSE(type_key_matches(key, "acme", TypePattern{"deploy", false}));
    EXPECT_FALSE(type_key_matches(key, "acm", std::nullopt));
    EXPECT_FALSE(type_key_matches(key, "acme2", std::nullopt));
    EXPECT_TRUE(type_key_matches("", "anyone", TypePattern{"x", false})) << "the list of others";
}

// A clock that rises, but for one stretch in which it is late and one record of the future.
WallTime recorded_of(std::uint64_t i) {
    std::int64_t at = 1'000'000 + static_cast<std::int64_t>(i);
    at -= i >= 1500 && i < 1700 ? 1200 : 0;
    at += i == 2500 ? 100'000 : 0;
    return WallTime(std::chrono::microseconds(at));
}

// Two tenants, five types, gaps, ids that collide, several blocks.
SegmentIndex large_index(std::mt19937& random, std::vector<DedupRow>& rows) {
    SegmentIndex index({.base = Offset{1000}, .salt = SegmentSalt{77}, .created = {}});
    std::uint64_t position = kSegmentDataStart;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        position += 640 + random() % 20 * 8;
        if (i % 50 == 7) {
            continue;
        }
        std::string type = "type" + std::to_string(random() % 5);
        Offset offset{1000 + i};
        index.add({
            .offset = offset,
            .position = position,
            .type = index.type_number(type_key(i % 3 == 0 ? "a" : "b", type)),
            .id_hash = i % 2 == 0 ? random() % 900 + 1 : 0,
            .recorded = recorded_of(i),
        });
        rows.push_back(
            {.print = {.id = {i, i + 1}, .content = i + 2},
             .offset = offset,
             .recorded = WallTime(std::chrono::microseconds(i))}
        );
    }
    index.reach(Offset{4010}, position + 100);
    return index;
}

CandidateQuery random_query(std::mt19937& random) {
    CandidateQuery query{
        .tenant = random() % 2 == 0 ? "a" : "b",
        .type = std::nullopt,
        .from = Offset{990 + random() % 3000},
        .to = Offset{1000 + random() % 3100},
        .descending = random() % 2 == 0,
        .max = 1 + random() % 500,
    };
    if (random() % 4 == 0) {
        query.from = Offset{0};
        query.to = Offset{9000};
    }
    if (random() % 3 == 0) {
        query.since = recorded_of(random() % 3000);
    }
    if (random() % 3 == 0) {
        query.until = recorded_of(random() % 3000);
    }
    if (random() % 3 > 0) {
        query.type = TypePattern{random() % 2 == 0 ? "type" : "type3", random() % 2 == 0};
    }
    return query;
}

TEST(SegmentSummary, AnswersLikeItsIndex) {
    std::mt19937 random(2);
    std::vector<DedupRow> rows;
    SegmentIndex index = large_index(random, rows);
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directory("log"));
    ASSERT_TRUE(write_summary(files, "log", Offset{1000}, encode_summary(index, rows, 5)));
    auto opened = SegmentSummary::open(files, "log", Offset{1000});
    ASSERT_TRUE(opened) << opened.error().detail;
    const SegmentSummary& summary = **opened;

    EXPECT_EQ(summary.facts().header, index.facts().header);
    EXPECT_EQ(summary.facts().next, Offset{4010});
    EXPECT_EQ(summary.facts().end, index.facts().end);
    EXPECT_EQ(summary.facts().oldest, index.facts().oldest);
    EXPECT_EQ(summary.facts().newest, index.facts().newest);
    EXPECT_EQ(summary.key_check(), 5U);
    EXPECT_EQ(summary.dedup_rows().value(), rows);
    for (int round = 0; round < 300; ++round) {
        CandidateQuery query = random_query(random);
        auto expected = index.candidates(query).value();
        auto got = summary.candidates(query).value();
        if (!query.type) {  // gaps count against the summary's maximum
            expected.resize(std::min(expected.size(), got.size()));
        }
        ASSERT_EQ(got, expected);
        std::uint64_t hash = random() % 950;
        ASSERT_EQ(summary.with_id(hash, 100).value(), index.with_id(hash, 100).value());
        Offset offset{1000 + random() % 3000};
        ASSERT_LE(summary.position_before(offset), index.position_before(offset));
    }
    EXPECT_EQ(summary.with_id(~0ULL, 9).value().size(), 0U);
    EXPECT_TRUE(summary.may_hold("a", TypePattern{"type1", false}));
    EXPECT_FALSE(summary.may_hold("a", TypePattern{"other", false}));
    EXPECT_FALSE(summary.may_hold("c", std::nullopt));
}

// 200,000 records, all but each thousandth of one type: its list has 800 KB. The clock was put back
// for a while.
class SegmentSummaryOfManyTest : public testing::Test {
 protected:
    static constexpr std::uint64_t kRecords = 200'000;
    static constexpr std::size_t kPage = 20'000;  // that a list examines

    void SetUp() override {
        for (std::uint64_t i = 0; i < kRecords; ++i) {
            index_.add({
                .offset = Offset{i},
                .position = kSegmentDataStart + i * 112,
                .type = index_.type_number(type_key("a", i % 1000 == 500 ? "rare" : "common")),
                .recorded = recorded(i),
            });
        }
        index_.reach(Offset{kRecords}, kSegmentDataStart + kRecords * 112);
        ASSERT_TRUE(files_.make_directory("log"));
        ASSERT_TRUE(write_summary(files_, "log", Offset{0}, encode_summary(index_, {}, 0)));
        auto opened = SegmentSummary::open(files_, "log", Offset{0});
        ASSERT_TRUE(opened) << opened.error().detail;
        summary_ = std::move(*opened);
    }
    static WallTime recorded(std::uint64_t i) {
        const std::uint64_t back = i >= 150'000 && i < 160'000 ? 50'000 : 0;
        return WallTime(std::chrono::microseconds(i - back));
    }
    static CandidateQuery query(const char* type, std::size_t max, bool descending = false) {
        return {
            .tenant = "a",
            .type = TypePattern{.text = type},
            .from = Offset{0},
            .to = Offset{kRecords},
            .descending = descending,
            .max = max,
        };
    }
    // What was read for the answer, which is the index's.
    std::uint64_t kib_read(const CandidateQuery& query) {
        files_.reset_counts();
        auto found = summary_->candidates(query);
        EXPECT_TRUE(found) << found.error().detail;
        EXPECT_TRUE(found && *found == index_.candidates(query).value());
        return files_.bytes_read() / 1024;
    }
    SegmentIndex index_{{.base = Offset{0}, .salt = SegmentSalt{7}, .created = {}}};
    MemoryFileSystem files_;
    std::unique_ptr<SegmentSummary> summary_;
};

TEST_F(SegmentSummaryOfManyTest, APageReadsLittleOfALongList) {
    for (const std::uint64_t at : {100U, 70'000U, 98'000U, 170'000U, 199'900U}) {
        for (const bool descending : {false, true}) {
            for (const auto& [max, kib] : {std::pair(kPage, 256U), std::pair(5UL, 64U)}) {
                CandidateQuery bounded = query("common", max, descending);
                (descending ? bounded.to : bounded.from) = Offset{at};
                EXPECT_LE(kib_read(bounded), kib) << at;
                CandidateQuery timed = query("common", max, descending);
                (descending ? timed.until : timed.since) = recorded(at);
                EXPECT_LE(kib_read(timed), kib) << at;
            }
        }
        CandidateQuery moment = query("common", kPage);
        moment.since = recorded(at);
        moment.until = *moment.since + std::chrono::microseconds(1);
        EXPECT_LE(kib_read(moment), 128U) << at;
    }
    CandidateQuery later = query("common", kPage);
    later.since = recorded(kRecords);
    EXPECT_EQ(kib_read(later), 0U);
    // The measure itself: all that there is of the list, and where it is.
    EXPECT_GT(kib_read(query("common", kRecords)), 1'500U);
}

TEST_F(SegmentSummaryOfManyTest, AnswersLikeItsIndexWhereverAPageBegins) {
    std::mt19937 random(4);
    for (int round = 0; round < 300; ++round) {
        CandidateQuery asked =
            query(random() % 4 == 0 ? "rare" : "common", 1 + random() % kPage, random() % 2 == 0);
        asked.from = Offset{random() % 3 == 0 ? 0 : random() % kRecords};
        asked.to = Offset{random() % 3 == 0 ? kRecords : random() % kRecords};
        if (random() % 2 == 0) {
            asked.since = recorded(random() % kRecords);
        }
        if (random() % 2 == 0) {
            asked.until = recorded(random() % kRecords);
        }
        if (random() % 8 == 0) {
            asked.type = TypePattern{.text = "", .prefix = true};
        }
        auto found = summary_->candidates(asked);
        ASSERT_TRUE(found) << found.error().detail;
        ASSERT_EQ(*found, index_.candidates(asked).value()) << round;
    }
}

TEST(SegmentIndex, LeavesOutOnlyBlocksWithoutTheTimesThatAreAskedFor) {
    std::mt19937 random(3);
    std::vector<DedupRow> rows;
    const SegmentIndex index = large_index(random, rows);
    ASSERT_GT(index.blocks().size(), 20U);
    std::size_t left_out = 0;
    for (int round = 0; round < 300; ++round) {
        CandidateQuery query = random_query(random);
        query.max = 10'000;
        auto narrowed = index.candidates(query).value();
        CandidateQuery any_time = query;
        any_time.since.reset();
        any_time.until.reset();
        auto next = narrowed.begin();
        for (const Candidate& candidate : index.candidates(any_time).value()) {
            if (next != narrowed.end() && *next == candidate) {
                ++next;
                continue;
            }
            ++left_out;
            const WallTime recorded = recorded_of(candidate.offset.value - 1000);
            ASSERT_TRUE(
                (query.since && recorded < *query.since) ||
                (query.until && recorded >= *query.until)
            ) << candidate.offset.value;
        }
        ASSERT_EQ(next, narrowed.end()) << "in another order";
    }
    EXPECT_GT(left_out, 10'000U) << "or nothing is proved";
}

TEST(SegmentSummary, OfAnEmptySegment) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directory("log"));
    SegmentIndex index({.base = Offset{5}, .salt = SegmentSalt{1}, .created = {}});
    ASSERT_TRUE(write_summary(files, "log", Offset{5}, encode_summary(index, {}, 0)));
    auto summary = SegmentSummary::open(files, "log", Offset{5});
    ASSERT_TRUE(summary) << summary.error().detail;
    EXPECT_TRUE((*summary)->with_id(1, 9).value().empty());
    EXPECT_TRUE((*summary)
                    ->candidates({.tenant = "a", .from = {}, .to = Offset{99}, .max = 9})
                    .value()
                    .empty());
    EXPECT_FALSE(SegmentSummary::open(files, "log", Offset{6}));
}

}  // namespace
}  // namespace belfry
