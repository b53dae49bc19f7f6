// list() and find(): the same answers from memory, from indexes and from summaries.
#include "engine/embedded/log_search.h"

#include "engine/embedded/log_test_bed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LogSearchTest : public testing::Test {
 protected:
    void SetUp() override {
        bed_.options.segment_bytes = 64 * 1024;
        ASSERT_TRUE(bed_.open());
        bed_.settle();
    }
    // `count` events, every third a "deploy.web", the others "build.<n>"; padded so that segments
    // roll.
    void fill(int count, bool ids = true) {
        for (int i = 0; i < count; ++i) {
            EventText text{
                .data = std::to_string(i) + " " + std::string(500, 'x'),
                .type = i % 3 == 0 ? "deploy.web" : "build." + std::to_string(i % 5),
                .source = i % 2 == 0 ? "/even" : "/odd",
                .subject = "s" + std::to_string(i % 7),
            };
            if (ids && i % 4 == 0) {
                text.id = "id-" + std::to_string(i);
            }
            ASSERT_TRUE(bed_.append({text}));
            bed_.clock.advance(std::chrono::seconds(1));
        }
    }
    // Follows `next` to the end; the offsets in the order they came.
    std::vector<std::uint64_t> all(ListQuery query) {
        std::vector<std::uint64_t> offsets;
        for (int pages = 0; pages < 10'000; ++pages) {
            auto page = bed_.list(query);
            EXPECT_TRUE(page) << page.error().detail;
            if (!page) {
                return {};
            }
            for (const StoredEvent& stored : page->events) {
                offsets.push_back(stored.offset.value);
            }
            if (!page->next) {
                return offsets;
            }
            (query.order == ListQuery::Order::ascending ? query.after : query.before) = page->next;
        }
        ADD_FAILURE() << "endless pages";
        return offsets;
    }
    template <typename Keep>
    std::vector<std::uint64_t> expected(std::uint64_t count, bool descending, Keep keep) {
        std::vector<std::uint64_t> offsets;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (keep(i)) {
                offsets.push_back(i);
            }
        }
        if (descending) {
            std::ranges::reverse(offsets);
        }
        return offsets;
    }
    // The same answers while memory has it, after a restart, and with no page cache.
    template <typename Check>
    void in_every_state(Check check) {
        check("live");
        bed_.kill();
        ASSERT_TRUE(bed_.open());
        check("restarted");
        bed_.files.set_cached(false);
        check("cold");
    }
    LogTestBed bed_;
    const WallTime start_ = bed_.clock.wall();
};

constexpr auto kAscending = ListQuery::Order::ascending;
constexpr auto kDescending = ListQuery::Order::descending;

TEST_F(LogSearchTest, ListsByTypeInBothOrdersOverManySegments) {
    fill(400);
    ASSERT_GE(bed_.log->segments().size(), 4U);
    in_every_state([&](const char* state) {
        for (auto order : {kAscending, kDescending}) {
            bool descending = order == kDescending;
            auto deploys =
                all({.type = TypePattern{.text = "deploy.web"}, .order = order, .limit = 7});
            EXPECT_EQ(deploys, expected(400, descending, [](auto i) { return i % 3 == 0; }))
                << state;
            auto builds = all({.type = TypePattern{"build.", true}, .order = order, .limit = 1000});
            EXPECT_EQ(builds, expected(400, descending, [](auto i) { return i % 3 != 0; }))
                << state;
            auto none = all({.type = TypePattern{.text = "other"}, .order = order});
            EXPECT_THAT(none, IsEmpty()) << state;
        }
    });
}

TEST_F(LogSearchTest, ListsBySourceSubjectTimeAndBounds) {
    fill(300);
    in_every_state([&](const char* state) {
        for (auto order : {kAscending, kDescending}) {
            bool descending = order == kDescending;
            EXPECT_EQ(
                all({.source = "/odd", .subject = "s3", .order = order}),
                expected(300, descending, [](auto i) { return i % 2 == 1 && i % 7 == 3; })
            ) << state;
            EXPECT_EQ(
                all(
                    {.since = start_ + std::chrono::seconds(100),
                     .until = start_ + std::chrono::seconds(200),
                     .order = order,
                     .limit = 30}
                ),
                expected(300, descending, [](auto i) { return i >= 100 && i < 200; })
            ) << state;
            EXPECT_EQ(
                all(
                    {.type = TypePattern{.text = "deploy.web"},
                     .after = Offset{50},
                     .before = Offset{250},
                     .order = order,
                     .limit = 11}
                ),
                expected(300, descending, [](auto i) { return i % 3 == 0 && i > 50 && i < 250; })
            ) << state;
        }
    });
}

// A page must cost what is on it, not what is in the log: here 100,000 small events, 11 MiB in
// segments of more than 20,000 each, read from the disk.
class LogSearchOfManyTest : public LogSearchTest {
 protected:
    static constexpr std::uint64_t kEvents = 100'000;
    static constexpr std::uint64_t kBatch = 1'000;

    void SetUp() override {
        bed_.options.segment_bytes = 3 << 20;
        ASSERT_TRUE(bed_.open());
        for (std::uint64_t first = 0; first < kEvents; first += kBatch) {
            std::vector<EventText> texts(kBatch, {.data = std::string(20, 'x'), .type = "common"});
            if (first % 10'000 == 0) {
                texts[500].type = "rare";
            }
            ASSERT_TRUE(bed_.append(texts));
            bed_.clock.advance(std::chrono::seconds(1));
        }
        ASSERT_GE(bed_.log->segments().size(), 3U);
        ASSERT_GT(bed_.log->segments()[1].next - bed_.log->segments()[1].first, kListExaminedMax);
        bed_.kill();
        ASSERT_TRUE(bed_.open());
        bed_.files.set_cached(false);
        bed_.settle();
    }
    // When the event was recorded, a second for each batch.
    [[nodiscard]] WallTime time_of(std::uint64_t offset) const {
        return start_ + std::chrono::seconds(offset / kBatch);
    }
    // One page; what is read for it is at most `kib`.
    std::vector<std::uint64_t> page(ListQuery query, std::uint64_t kib) {
        bed_.files.reset_counts();
        query.limit = 5;
        auto page = bed_.list(query);
        EXPECT_TRUE(page) << page.error().detail;
        if (!page) {
            return {};
        }
        EXPECT_LE(bed_.files.bytes_read() / 1024, kib);
        std::vector<std::uint64_t> offsets;
        for (const StoredEvent& stored : page->events) {
            offsets.push_back(stored.offset.value);
        }
        EXPECT_TRUE(page->next || offsets.size() < query.limit);
        EXPECT_TRUE(!page->next || offsets.size() == query.limit) << "a short page is not the last";
        return offsets;
    }
};

TEST_F(LogSearchOfManyTest, APageOfATypeReadsLittle) {
    const TypePattern rare{.text = "rare"};
    EXPECT_THAT(page({.type = rare}, 500), ElementsAre(500, 10'500, 20'500, 30'500, 40'500));
    EXPECT_THAT(
        page({.type = rare, .order = kDescending}, 500),
        ElementsAre(90'500, 80'500, 70'500, 60'500, 50'500)
    );
    EXPECT_THAT(page({.type = TypePattern{.text = "absent"}}, 0), IsEmpty());
    EXPECT_THAT(page({.type = TypePattern{.text = "common"}}, 500), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LogSearchOfManyTest, APageOfATimeReadsLittle) {
    for (std::uint64_t offset : {3'000U, 35'000U, 66'000U, 98'000U}) {
        const WallTime time = time_of(offset);
        EXPECT_THAT(
            page({.since = time}, 500),
            ElementsAre(offset, offset + 1, offset + 2, offset + 3, offset + 4)
        );
        EXPECT_THAT(
            page({.until = time, .order = kDescending}, 500),
            ElementsAre(offset - 1, offset - 2, offset - 3, offset - 4, offset - 5)
        );
        EXPECT_THAT(
            page({.since = time, .until = time + std::chrono::microseconds(1)}, 500),
            ElementsAre(offset, offset + 1, offset + 2, offset + 3, offset + 4)
        );
    }
    EXPECT_THAT(page({.since = time_of(kEvents)}, 0), IsEmpty());
}

TEST_F(LogSearchOfManyTest, APageOfATypeAndATimeReadsLittle) {
    EXPECT_THAT(
        page({.type = TypePattern{.text = "rare"}, .since = time_of(47'000)}, 500),
        ElementsAre(50'500, 60'500, 70'500, 80'500, 90'500)
    );
}

// The measure itself: a subject has no index.
TEST_F(LogSearchOfManyTest, APageThatMustExamineEveryEventReadsMuch) {
    bed_.files.reset_counts();
    auto page = bed_.list({.subject = "none"});
    ASSERT_TRUE(page);
    EXPECT_EQ(page->next, Offset{kListExaminedMax - 1});
    EXPECT_GT(bed_.files.bytes_read() / 1024, 1'600U);
}

TEST_F(LogSearchTest, ATimeIsFoundThoughTheClockWasPutBack) {
    fill(100, false);
    bed_.clock.jump_wall(-std::chrono::seconds(80));
    fill(100, false);
    bed_.clock.jump_wall(std::chrono::seconds(500));
    fill(100, false);
    auto recorded = [this](std::uint64_t offset) {
        const std::int64_t jumped = offset < 100 ? 0 : offset < 200 ? -80 : 420;
        return start_ + std::chrono::seconds(static_cast<std::int64_t>(offset) + jumped);
    };
    in_every_state([&](const char* state) {
        for (int from = 0; from < 720; from += 30) {
            const WallTime since = start_ + std::chrono::seconds(from);
            const WallTime until = since + std::chrono::seconds(45);
            EXPECT_EQ(
                all({.since = since, .until = until}),
                expected(
                    300, false, [&](auto i) { return recorded(i) >= since && recorded(i) < until; }
                )
            ) << state
              << " " << from;
        }
    });
}

TEST_F(LogSearchTest, TenantsDoNotSeeOneAnother) {
    ASSERT_TRUE(bed_.append({{.data = "a", .id = "x"}, {.data = "b", .id = "x", .tenant = "other"}})
    );
    in_every_state([&](const char* state) {
        EXPECT_THAT(all({.tenant = "default"}), ElementsAre(0)) << state;
        EXPECT_THAT(all({.tenant = "other"}), ElementsAre(1)) << state;
        EXPECT_THAT(all({.tenant = "oth"}), IsEmpty()) << state;
        EXPECT_EQ(bed_.find("x")->event.data, "a") << state;
        EXPECT_EQ(bed_.find("x", "", "other")->event.data, "b") << state;
        EXPECT_FALSE(bed_.find("x", "", "third")) << state;
    });
}

TEST_F(LogSearchTest, PageStopsAfterTwentyThousandExaminedAndSaysWhereToGoOn) {
    bed_.options.segment_bytes = 1 << 20;
    bed_.kill();
    ASSERT_TRUE(bed_.open());
    std::vector<EventText> texts(1000, {.data = "x"});
    texts[0].subject = "rare";
    for (int i = 0; i < 45; ++i) {
        ASSERT_TRUE(bed_.append(texts));
    }
    ASSERT_GE(bed_.log->segments().size(), 3U);
    in_every_state([&](const char* state) {
        auto page = bed_.list({.subject = "none"});
        ASSERT_TRUE(page);
        EXPECT_THAT(page->events, IsEmpty()) << state;
        EXPECT_EQ(page->next, Offset{19'999}) << state;
        auto back = bed_.list({.subject = "none", .order = kDescending});
        EXPECT_EQ(back->next, Offset{25'000}) << state;
        EXPECT_EQ(all({.subject = "rare"}).size(), 45U) << state;
        EXPECT_EQ(all({.subject = "rare", .order = kDescending}).size(), 45U) << state;
    });
}

TEST_F(LogSearchTest, PageOfLargeEventsEndsAfterAMebibyteAndSaysWhereToGoOn) {
    bed_.options.segment_bytes = 64UL * 1024 * 1024;
    ASSERT_TRUE(bed_.open());
    for (int i = 0; i < 9; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(400UL * 1024, 'x')}}));
    }
    auto page = bed_.list({.limit = 1000});
    ASSERT_TRUE(page);
    EXPECT_EQ(page->events.size(), 3U);
    ASSERT_TRUE(page->next);
    EXPECT_EQ(page->next->value, 2U);
    EXPECT_EQ(all({.limit = 1000}).size(), 9U);
    EXPECT_EQ(all({.order = ListQuery::Order::descending, .limit = 1000}).size(), 9U);
}

TEST_F(LogSearchTest, TypesPastTheTableAreFoundToo) {
    std::vector<EventText> texts;
    for (int i = 0; i < 1200; ++i) {
        texts.push_back({.data = "x", .type = "type-" + std::to_string(i)});
    }
    bed_.options.segment_bytes = 1 << 20;
    bed_.kill();
    ASSERT_TRUE(bed_.open());
    ASSERT_TRUE(bed_.append(texts));
    for (int i = 0; i < 20; ++i) {  // rolls, so that there is a summary
        ASSERT_TRUE(bed_.append({{.data = std::string(100'000, 'x'), .type = "large"}}));
    }
    ASSERT_GE(bed_.log->segments().size(), 2U);
    in_every_state([&](const char* state) {
        EXPECT_THAT(all({.type = TypePattern{.text = "type-3"}}), ElementsAre(3)) << state;
        EXPECT_THAT(all({.type = TypePattern{.text = "type-1199"}}), ElementsAre(1199)) << state;
    });
}

TEST_F(LogSearchTest, LastPageHasNoNext) {
    ASSERT_TRUE(bed_.append({{.data = "a"}, {.data = "b"}, {.data = "c"}}));
    EXPECT_EQ(bed_.list({.limit = 2})->next, Offset{1});
    EXPECT_FALSE(bed_.list({.limit = 3})->next);
    EXPECT_EQ(bed_.list({.order = kDescending, .limit = 2})->next, Offset{1});
    EXPECT_FALSE(bed_.list({.order = kDescending, .limit = 3})->next);
    EXPECT_FALSE(bed_.list({.before = Offset{0}})->next);
}

TEST_F(LogSearchTest, NewestEventsComeFromMemoryWithoutAnotherThread) {
    bed_.options.segment_bytes = 1 << 20;
    bed_.kill();
    ASSERT_TRUE(bed_.open());
    fill(200);
    bool done = false;
    bed_.log->list(
        {.type = TypePattern{.text = "deploy.web"}, .order = kDescending, .limit = 10},
        [&](const auto& page) { done = page.has_value() && page->events.size() == 10; }
    );
    EXPECT_TRUE(done);
    EXPECT_EQ(bed_.read_thread.size(), 0U);
}

// Else each of a crowd would hold the candidates of its segments while it waits.
TEST_F(LogSearchTest, AListThatWaitsForOthersIsPlannedWhenItsTurnComes) {
    fill(200);
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 8; ++i) {
        bed_.log->list({.limit = 1000}, [&sizes](Result<ListResult> page) {
            sizes.push_back(page ? page->events.size() : 0);
        });
    }
    EXPECT_THAT(sizes, IsEmpty());
    auto appended = bed_.start_append({{.data = "later"}});
    do {
        bed_.loop.run_all();
        bed_.log->end_turn();
    } while (bed_.log_thread.run_one());
    ASSERT_TRUE(appended->done);
    bed_.settle();
    EXPECT_THAT(sizes, ElementsAre(200, 200, 200, 200, 201, 201, 201, 201));
}

TEST_F(LogSearchTest, FindsByIdAndByUuidEverywhere) {
    fill(400);
    std::vector<std::pair<std::uint64_t, std::string>> uuids;
    for (std::uint64_t offset : {0ULL, 1ULL, 77ULL, 200ULL, 399ULL}) {
        auto entry = bed_.read(Offset{offset}, {.events = 1})->entries.at(0);
        UuidText text = uuid_text(std::get<StoredEvent>(entry).uuid());
        uuids.emplace_back(offset, std::string(text.begin(), text.end()));
    }
    in_every_state([&](const char* state) {
        for (const auto& [offset, uuid] : uuids) {
            auto found = bed_.find(uuid);
            ASSERT_TRUE(found) << state << " " << offset;
            EXPECT_EQ(found->offset, Offset{offset});
            EXPECT_FALSE(bed_.find(uuid, "", "other"));
        }
        for (std::uint64_t i : {0U, 4U, 200U, 396U}) {
            auto found = bed_.find("id-" + std::to_string(i));
            ASSERT_TRUE(found) << state << " " << i;
            EXPECT_EQ(found->offset, Offset{i});
        }
        EXPECT_EQ(bed_.find("id-1").error().code, Errc::not_found) << state;
        EXPECT_EQ(bed_.find("id-4", "/odd").error().code, Errc::not_found) << state;
        EXPECT_TRUE(bed_.find("id-4", "/even")) << state;
        EXPECT_FALSE(bed_.find("00000000-0000-0000-0000-000000000002")) << state;
    });
}

TEST_F(LogSearchTest, FindGivesTheNewestOfOneId) {
    ASSERT_TRUE(bed_.append({{.data = "old", .id = "same", .source = "/a"}}));
    fill(200);
    ASSERT_TRUE(bed_.append({{.data = "new", .id = "same", .source = "/b"}}));
    in_every_state([&](const char* state) {
        EXPECT_EQ(bed_.find("same")->event.data, "new") << state;
        EXPECT_EQ(bed_.find("same", "/a")->event.data, "old") << state;
    });
}

TEST_F(LogSearchTest, IdThatLooksLikeAUuidIsFoundAsAnId) {
    std::string id = "0f0e0d0c-0b0a-0908-0706-050403020100";
    ASSERT_TRUE(bed_.append({{.data = "a", .id = id}}));
    EXPECT_EQ(bed_.find(id)->event.data, "a");
    // Its halves name an offset that exists and is another event's.
    Uuid other = event_uuid(77, Offset{0});
    UuidText text = uuid_text(other);
    ASSERT_TRUE(bed_.append({{.data = "b", .id = std::string(text.begin(), text.end())}}));
    EXPECT_EQ(bed_.find(std::string(text.begin(), text.end()))->event.data, "b");
}

TEST_F(LogSearchTest, ManyIdsInOneSegmentAreAllFound) {
    bed_.options.segment_bytes = 8 << 20;
    bed_.kill();
    ASSERT_TRUE(bed_.open());
    std::vector<EventText> texts;
    for (int i = 0; i < 9000; ++i) {
        texts.push_back({.data = "x", .id = "n" + std::to_string(i)});
    }
    ASSERT_TRUE(bed_.append(texts));
    for (int i = 0; i < 9000; i += 401) {
        ASSERT_EQ(
            bed_.find("n" + std::to_string(i))->offset, Offset{static_cast<std::uint64_t>(i)}
        );
    }
    EXPECT_FALSE(bed_.find("n9000"));
    // Sealed: from the table in the file.
    for (int i = 0; i < 9; ++i) {
        ASSERT_TRUE(bed_.append({{.data = std::string(1 << 20, 'x')}}));
    }
    ASSERT_GE(bed_.log->segments().size(), 2U);
    for (int i = 0; i < 9000; i += 401) {
        ASSERT_EQ(
            bed_.find("n" + std::to_string(i))->offset, Offset{static_cast<std::uint64_t>(i)}
        );
    }
    EXPECT_FALSE(bed_.find("n9000"));
}

}  // namespace
}  // namespace belfry
