#include "eventkit/dedup_window.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace belfry::eventkit {
namespace {

using Seen = DedupWindow::Seen;
using namespace std::chrono_literals;

constexpr std::string_view kId = "da059724-a8ae-4b4b-b4f0-ee01898232d2";
constexpr MonoTime kNow{1h};

std::string id(int number) {
    return fmt::format("00000000-0000-0000-0000-{:012}", number);
}

void handle(DedupWindow& window, std::string_view event, MonoTime when = kNow) {
    ASSERT_EQ(window.begin(1, event, when), Seen::fresh) << event;
    window.end(1, event, true, when);
}

TEST(DedupWindow, AnEventThatWasHandledIsNotFreshAgain) {
    DedupWindow window({});
    handle(window, kId);
    EXPECT_EQ(window.begin(1, kId, kNow), Seen::handled);
    EXPECT_EQ(window.begin(1, kId, kNow + 9min), Seen::handled);
    EXPECT_EQ(window.begin(1, id(1), kNow), Seen::fresh);
}

TEST(DedupWindow, EverySpellingIsTheSameEvent) {
    DedupWindow window({});
    handle(window, kId);
    for (const std::string_view spelt :
         {"DA059724-A8AE-4B4B-B4F0-EE01898232D2",
          "da059724a8ae4b4bb4f0ee01898232d2",
          "urn:uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2"}) {
        EXPECT_EQ(window.begin(1, spelt, kNow), Seen::handled) << spelt;
    }
}

TEST(DedupWindow, EachListenerHasIdsOfItsOwn) {
    DedupWindow window({});
    handle(window, kId);
    EXPECT_EQ(window.begin(2, kId, kNow), Seen::fresh);
    window.end(2, kId, false, kNow);
    EXPECT_EQ(window.begin(1, kId, kNow), Seen::handled);
    EXPECT_EQ(window.begin(2, kId, kNow), Seen::fresh);
}

TEST(DedupWindow, AFailureIsForgotten) {
    DedupWindow window({});
    ASSERT_EQ(window.begin(1, kId, kNow), Seen::fresh);
    window.end(1, kId, false, kNow);
    EXPECT_EQ(window.size(), 0);
    handle(window, kId);
    EXPECT_EQ(window.size(), 1);
}

TEST(DedupWindow, AnAttemptUnderWayIsNeitherFreshNorHandled) {
    DedupWindow window({.count_max = 1, .age_max = 1s});
    ASSERT_EQ(window.begin(1, kId, kNow), Seen::fresh);
    EXPECT_EQ(window.begin(1, kId, kNow), Seen::under_way);
    handle(window, id(1));
    handle(window, id(2));
    EXPECT_EQ(window.begin(1, kId, kNow + 1h), Seen::under_way) << "however long it takes";
    window.end(1, kId, true, kNow + 1h);
    EXPECT_EQ(window.begin(1, kId, kNow + 1h), Seen::handled) << "its age begins at its end";
}

TEST(DedupWindow, TheOldestGoesWhenTheWindowIsFull) {
    DedupWindow window({.count_max = 3, .age_max = 1h});
    for (int i = 0; i < 5; ++i) {
        handle(window, id(i));
    }
    EXPECT_EQ(window.size(), 3);
    for (int i = 2; i < 5; ++i) {
        EXPECT_EQ(window.begin(1, id(i), kNow), Seen::handled) << i;
    }
    EXPECT_EQ(window.begin(1, id(1), kNow), Seen::fresh);
}

TEST(DedupWindow, WhatIsTooOldGoes) {
    DedupWindow window({.count_max = 10, .age_max = 10s});
    handle(window, id(1), kNow);
    handle(window, id(2), kNow + 1s);
    EXPECT_EQ(window.begin(1, id(1), kNow + 10s - 1ns), Seen::handled);
    EXPECT_EQ(window.begin(1, id(1), kNow + 10s), Seen::fresh);
    EXPECT_EQ(window.begin(1, id(2), kNow + 10s), Seen::handled);
}

TEST(DedupWindow, OfNoSizeRemembersNothing) {
    DedupWindow window({.count_max = 0, .age_max = 1h});
    handle(window, kId);
    handle(window, kId);
    EXPECT_EQ(window.size(), 0);
}

TEST(DedupWindow, WhatIsNoUuidIsAlwaysFresh) {
    DedupWindow window({});
    handle(window, "7");
    handle(window, "7");
    EXPECT_EQ(window.size(), 0);
}

}  // namespace
}  // namespace belfry::eventkit
