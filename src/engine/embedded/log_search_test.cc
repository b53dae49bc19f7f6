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
    void fill(int count) {
        for (int i = 0; i < count; ++i) {
            EventText text{
                .data = std::to_string(i) + " " + std::string(500, 'x'),
                .type = i % 3 == 0 ? "deploy.web" : "build." + std::to_string(i % 5),
                .source = i % 2 == 0 ? "/even" : "/odd",
                .subject = "s" + std::to_string(i % 7),
            };
            if (i % 4 == 0) {
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
    WallTime start = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
    in_every_state([&](const char* state) {
        for (auto order : {kAscending, kDescending}) {
            bool descending = order == kDescending;
            EXPECT_EQ(
                all({.source = "/odd", .subject = "s3", .order = order}),
                expected(300, descending, [](auto i) { return i % 2 == 1 && i % 7 == 3; })
            ) << state;
            EXPECT_EQ(
                all(
                    {.since = start + std::chrono::seconds(100),
                     .until = start + std::chrono::seconds(200),
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
