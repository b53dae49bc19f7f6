#include "engine/embedded/dedup_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace belfry {
namespace {

constexpr DedupKey kKey{1, 2, 3};
const MonoTime kStart{std::chrono::hours(1)};

Event event(std::string_view id, std::string_view data = "data") {
    Event made;
    made.id = id;
    made.source = "/s";
    made.type = "t";
    made.data = data;
    return made;
}

TEST(DedupFingerprint, TellsContentFromTime) {
    Event a = event("1");
    Event b = a;
    b.time = "2026-01-01T00:00:00Z";
    EXPECT_EQ(fingerprint(a, kKey), fingerprint(b, kKey)) << "a retry may carry another time";
    for (auto member :
         {&Event::type, &Event::subject, &Event::datacontenttype, &Event::dataschema}) {
        Event other = a;
        other.*member = "other";
        EXPECT_NE(fingerprint(other, kKey).content, fingerprint(a, kKey).content);
        EXPECT_EQ(fingerprint(other, kKey).id, fingerprint(a, kKey).id);
    }
    for (auto member : {&Event::tenant, &Event::source, &Event::id}) {
        Event other = a;
        other.*member = "other";
        EXPECT_NE(fingerprint(other, kKey).id, fingerprint(a, kKey).id);
    }
}

TEST(DedupFingerprint, AbsentDataIsNotEmptyData) {
    Event absent = event("1");
    absent.data.reset();
    EXPECT_NE(fingerprint(absent, kKey), fingerprint(event("1", ""), kKey));
}

TEST(DedupFingerprint, OrderOfExtensionsMeansNothing) {
    Event a = event("1");
    a.extensions = {{"x", "1"}, {"y", "2"}};
    Event b = event("1");
    b.extensions = {{"y", "2"}, {"x", "1"}};
    Event c = event("1");
    c.extensions = {{"x", "2"}, {"y", "1"}};
    EXPECT_EQ(fingerprint(a, kKey), fingerprint(b, kKey));
    EXPECT_NE(fingerprint(a, kKey), fingerprint(c, kKey));
}

TEST(DedupFingerprint, BoundariesBetweenTextsCount) {
    Event a = event("bc");
    a.source = "a";
    Event b = event("c");
    b.source = "ab";
    EXPECT_NE(fingerprint(a, kKey).id, fingerprint(b, kKey).id);
    EXPECT_NE(fingerprint(a, kKey), fingerprint(a, DedupKey{9}));
}

TEST(DedupWindow, ForgetsAfterItsLength) {
    DedupWindow window(std::chrono::minutes(10), 100);
    auto print = fingerprint(event("1"), kKey);
    window.add(print, Offset{7}, kStart, {});
    EXPECT_EQ(window.find(print, kStart + std::chrono::minutes(10))->offset, Offset{7});
    EXPECT_FALSE(window.find(print, kStart + std::chrono::minutes(10) + Duration(1)));
    EXPECT_EQ(window.size(), 0U);
}

TEST(DedupWindow, KeepsTheYoungestWhenFull) {
    DedupWindow window(std::chrono::minutes(10), 3);
    for (std::uint64_t i = 0; i < 5; ++i) {
        window.add(fingerprint(event(std::to_string(i)), kKey), Offset{i}, kStart, {});
    }
    EXPECT_EQ(window.size(), 3U);
    EXPECT_FALSE(window.find(fingerprint(event("1"), kKey), kStart));
    EXPECT_TRUE(window.find(fingerprint(event("2"), kKey), kStart));
}

TEST(DedupWindow, ForgetsFromAnOffsetOn) {
    DedupWindow window(std::chrono::minutes(10), 100);
    for (std::uint64_t i = 0; i < 5; ++i) {
        window.add(fingerprint(event(std::to_string(i)), kKey), Offset{i}, kStart, {});
    }
    window.forget_from(Offset{3});
    EXPECT_TRUE(window.find(fingerprint(event("2"), kKey), kStart));
    EXPECT_FALSE(window.find(fingerprint(event("3"), kKey), kStart));
    EXPECT_EQ(window.rows(Offset{1}, Offset{9}).size(), 2U);
}

// Against a plain map: few slots, so that probes collide and every removal moves something.
TEST(DedupWindow, MatchesAModel) {
    std::mt19937_64 random(3);
    DedupWindow window(std::chrono::seconds(50), 40);
    std::deque<std::pair<EventFingerprint, MonoTime>> model;
    MonoTime now = kStart;
    Offset next;
    for (int step = 0; step < 20'000; ++step) {
        now += std::chrono::milliseconds(random() % 2'000);
        while (!model.empty() && now - model.front().second > std::chrono::seconds(50)) {
            model.pop_front();
        }
        EventFingerprint print{.id = {random() % 16, random() % 8}, .content = 1};
        auto known = std::ranges::find(model, print, [](const auto& entry) { return entry.first; });
        ASSERT_EQ(window.find(print, now).has_value(), known != model.end()) << step;
        if (known == model.end()) {
            window.add(print, next, now, {});
            next = next.next();
            model.emplace_back(print, now);
            if (model.size() > 40) {
                model.pop_front();
            }
        }
        if (random() % 50 == 0) {
            std::size_t count = std::min<std::size_t>(random() % 5, model.size());
            next = Offset{next.value - count};
            window.forget_from(next);
            model.erase(model.end() - static_cast<std::ptrdiff_t>(count), model.end());
        }
        ASSERT_EQ(window.size(), model.size());
    }
}

TEST(DedupWindow, SaysWhetherTheContentIsTheSame) {
    DedupWindow window(std::chrono::minutes(10), 100);
    window.add(fingerprint(event("1"), kKey), Offset{0}, kStart, {});
    EXPECT_TRUE(window.find(fingerprint(event("1"), kKey), kStart)->same_content);
    EXPECT_FALSE(window.find(fingerprint(event("1", "other"), kKey), kStart)->same_content);
}

}  // namespace
}  // namespace belfry
