// The contract of engine/state.h, held by every engine: cursors, exceptions and attempts.
#include "engine/state_contract.h"

namespace belfry {
namespace {

TYPED_TEST(StateContract, StartsEmpty) {
    StateSnapshot snapshot = this->state().load().value();
    EXPECT_EQ(snapshot.live_mark, Offset{0});
    EXPECT_EQ(snapshot.next_offset, Offset{0});
    EXPECT_TRUE(snapshot.cursors.empty());
    EXPECT_TRUE(snapshot.exceptions.empty());
    EXPECT_EQ(this->ids({}), "");
    EXPECT_EQ(this->counts(), "");
    EXPECT_TRUE(this->attempts("default/a").empty());
}

TYPED_TEST(StateContract, RemembersCursorsAndExceptionsOverARestart) {
    StateChanges changes;
    changes.live_mark = Offset{9};
    changes.cursors = {{"default/a", Offset{5}, false}, {"default/b", Offset{9}, true}};
    changes.exceptions = {
        exception_row("default/a", 3), exception_row("default/a", 2), exception_row("acme/z", 4)
    };
    this->commit(changes);
    StateChanges second;
    second.cursors = {{"default/a", Offset{6}, true}};
    second.exceptions = {erased("default/a", 2), erased("default/a", 99)};
    this->commit(second);
    this->stores_.restart();

    StateSnapshot snapshot = this->state().load().value();
    EXPECT_EQ(snapshot.live_mark, Offset{9});
    ASSERT_EQ(snapshot.cursors.size(), 2U);
    EXPECT_EQ(snapshot.cursors[0].subscription, "default/a");
    EXPECT_EQ(snapshot.cursors[0].cursor, Offset{6});
    EXPECT_TRUE(snapshot.cursors[0].live);
    EXPECT_EQ(snapshot.cursors[1].subscription, "default/b");
    ASSERT_EQ(snapshot.exceptions.size(), 2U);
    EXPECT_EQ(snapshot.exceptions[0].subscription, "acme/z");
    const ExceptionRow& kept = snapshot.exceptions[1];
    ExceptionRow expected = exception_row("default/a", 3);
    EXPECT_EQ(kept.subscription, expected.subscription);
    EXPECT_EQ(kept.offset, expected.offset);
    EXPECT_EQ(kept.attempts, expected.attempts);
    EXPECT_EQ(kept.step, expected.step);
    EXPECT_EQ(kept.order_key, expected.order_key);
    EXPECT_EQ(kept.next_at, expected.next_at);
}

TYPED_TEST(StateContract, AppliesForgetFirstAndTheLastWordAboutAnException) {
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{5}, true}, {"default/b", Offset{5}, true}};
    changes.exceptions = {exception_row("default/a", 1), exception_row("default/b", 1)};
    changes.attempts = {attempt_row("default/a", 1, 1), attempt_row("default/b", 1, 1)};
    changes.dead_letters = {letter("x", "default/a", 2)};
    this->commit(changes);

    StateChanges second;
    second.forget = {"default/a"};
    second.cursors = {{"default/a", Offset{7}, false}};
    second.exceptions = {
        exception_row("default/a", 6),
        exception_row("default/b", 4),
        erased("default/b", 4),
        erased("default/b", 1),
        exception_row("default/b", 1)
    };
    second.attempts = {attempt_row("default/b", 4, 1)};
    second.dead_letters = {letter("y", "default/b", 3)};
    second.erase_dead_letters = {"y", "unknown"};
    this->commit(second);

    StateSnapshot snapshot = this->state().load().value();
    ASSERT_EQ(snapshot.cursors.size(), 2U);
    EXPECT_EQ(snapshot.cursors[0].cursor, Offset{7}) << "the new one stands";
    ASSERT_EQ(snapshot.exceptions.size(), 2U);
    EXPECT_EQ(snapshot.exceptions[0].offset, Offset{6});
    EXPECT_EQ(snapshot.exceptions[1].offset, Offset{1});
    EXPECT_TRUE(this->attempts("default/a").empty());
    EXPECT_EQ(this->attempts("default/b").size(), 2U);
    EXPECT_EQ(this->ids({}), "x ") << "dead letters outlive their subscription";
}

TYPED_TEST(StateContract, KnowsTheHighestOffsetItEverHeard) {
    auto next = [&] { return this->state().load().value().next_offset; };
    StateChanges cursor;
    cursor.cursors = {{"default/a", Offset{5}, true}};
    this->commit(cursor);
    EXPECT_EQ(next(), Offset{5}) << "a cursor is the next offset already";
    StateChanges exception;
    exception.exceptions = {exception_row("default/a", 7)};
    this->commit(exception);
    EXPECT_EQ(next(), Offset{8});
    StateChanges dead;
    dead.dead_letters = {letter("x", "default/a", 10)};
    this->commit(dead);
    EXPECT_EQ(next(), Offset{11});
    StateChanges tried;
    tried.attempts = {attempt_row("default/a", 12, 1)};
    this->commit(tried);
    EXPECT_EQ(next(), Offset{13});
    StateChanges live;
    live.live_mark = Offset{20};
    this->commit(live);
    EXPECT_EQ(next(), Offset{20});
    StateChanges gone;
    gone.forget = {"default/a"};
    gone.erase_dead_letters = {"x"};
    gone.live_mark = Offset{3};
    this->commit(gone);
    this->stores_.restart();
    EXPECT_EQ(next(), Offset{20}) << "whatever was forgotten since";
    EXPECT_EQ(this->state().load().value().live_mark, Offset{3});
}

TYPED_TEST(StateContract, KeepsTheLastTwentyAttemptsOfAnEvent) {
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{3}, false}, {"default/ab", Offset{3}, false}};
    for (std::uint32_t number = 1; number <= 25; ++number) {
        changes.attempts.push_back(attempt_row("default/a", 1, number));
    }
    changes.attempts.push_back(attempt_row("default/a", 2, 1));
    changes.attempts.push_back(attempt_row("default/ab", 1, 1));
    this->commit(changes);
    this->stores_.restart();

    std::vector<AttemptRow> all = this->attempts("default/a");
    ASSERT_EQ(all.size(), 21U);
    EXPECT_TRUE(same(all[0], attempt_row("default/a", 2, 1))) << "newest first";
    for (std::uint32_t i = 1; i < 21; ++i) {
        EXPECT_TRUE(same(all[i], attempt_row("default/a", 1, 26 - i))) << i;
    }
    EXPECT_EQ(this->attempts("default/a", Offset{1}).size(), 20U);
    EXPECT_EQ(this->attempts("default/a", Offset{2}).size(), 1U);
    EXPECT_EQ(this->attempts("default/a", Offset{3}).size(), 0U);
    EXPECT_EQ(this->attempts("default/ab").size(), 1U);
}

TYPED_TEST(StateContract, ListsAThousandAttemptsAtMost) {
    StateChanges changes;
    for (std::uint64_t offset = 0; offset < 1005; ++offset) {
        changes.attempts.push_back(attempt_row("default/a", offset, 1));
        changes.exceptions.push_back(exception_row("default/a", offset));
    }
    this->commit(changes);
    std::vector<AttemptRow> rows = this->attempts("default/a");
    ASSERT_EQ(rows.size(), kAttemptsPerList);
    EXPECT_EQ(rows.front().offset, Offset{1004});
    EXPECT_EQ(rows.back().offset, Offset{5});
    EXPECT_EQ(this->attempts("default/a", Offset{0}).size(), 1U) << "kept all the same";
}

// Event 0 is a dead letter, event 1 is retried; those from 2 on failed once and are settled.
StateChanges many_settled(std::uint64_t from, std::uint64_t to) {
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{to}, false}, {"default/b", Offset{to}, false}};
    for (std::uint64_t offset = from; offset < to; ++offset) {
        changes.attempts.push_back(attempt_row("default/a", offset, 1));
        changes.exceptions.push_back(exception_row("default/a", offset));
        if (offset > 1) {
            changes.exceptions.push_back(erased("default/a", offset));
        }
    }
    return changes;
}

TYPED_TEST(StateContract, KeepsTheNewestThousandAttemptsOfSettledEvents) {
    StateChanges first = many_settled(0, 500);
    first.dead_letters = {letter("x", "default/a", 0)};
    first.exceptions.push_back(erased("default/a", 0));
    first.attempts.push_back(attempt_row("default/b", 2, 1));
    this->commit(first);
    EXPECT_EQ(this->attempts("default/a").size(), 500U) << "settling takes none";
    this->stores_.restart();
    EXPECT_EQ(this->attempts("default/a").size(), 500U);

    this->commit(many_settled(500, 1002));
    EXPECT_EQ(this->attempts("default/a", Offset{2}).size(), 1U) << "the thousandth";
    this->commit(many_settled(1002, 1012));
    this->stores_.restart();
    for (std::uint64_t gone = 2; gone < 12; ++gone) {
        EXPECT_EQ(this->attempts("default/a", Offset{gone}).size(), 0U) << gone;
    }
    EXPECT_EQ(this->attempts("default/a", Offset{12}).size(), 1U);
    EXPECT_EQ(this->attempts("default/a", Offset{0}).size(), 1U) << "of a dead letter";
    EXPECT_EQ(this->attempts("default/a", Offset{1}).size(), 1U) << "of a retried event";
    EXPECT_EQ(this->attempts("default/b").size(), 1U) << "each subscription has its own thousand";

    // What was held is settled now, and the oldest.
    StateChanges released;
    released.erase_dead_letters = {"x"};
    released.exceptions = {erased("default/a", 1)};
    this->commit(released);
    EXPECT_EQ(this->attempts("default/a", Offset{0}).size(), 0U);
    EXPECT_EQ(this->attempts("default/a", Offset{1}).size(), 0U);
    EXPECT_EQ(this->attempts("default/a").size(), kSettledAttempts);

    StateChanges removed;
    removed.forget = {"default/a"};
    this->commit(removed);
    EXPECT_TRUE(this->attempts("default/a").empty());
    EXPECT_EQ(this->attempts("default/b").size(), 1U);
}

TYPED_TEST(StateContract, KeepsTheAttemptsOfASettledEventThatIsAnExceptionAgain) {
    this->commit(many_settled(2, 4));
    StateChanges again;
    again.exceptions = {exception_row("default/a", 2)};
    this->commit(again);
    this->commit(many_settled(4, 1010));
    EXPECT_EQ(this->attempts("default/a", Offset{2}).size(), 1U);
    EXPECT_EQ(this->attempts("default/a", Offset{3}).size(), 0U);
}

TYPED_TEST(StateContract, KeepsTheAttemptsOfAReplayedDeadLetter) {
    StateChanges changes = many_settled(0, 1);
    changes.dead_letters = {letter("x", "default/a", 0)};
    changes.exceptions.push_back(erased("default/a", 0));
    this->commit(changes);
    StateChanges replayed;
    replayed.erase_dead_letters = {"x"};
    this->commit(replayed);
    EXPECT_EQ(this->attempts("default/a").size(), 1U);
    this->stores_.restart();
    EXPECT_EQ(this->attempts("default/a", Offset{0}).size(), 1U);
}

TYPED_TEST(StateContract, CommitsInCallOrder) {
    std::string order;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        StateChanges changes;
        changes.cursors = {{"default/a", Offset{i}, true}};
        this->state().commit(changes, [&order, i](Result<void> result) {
            order += result.has_value() ? std::to_string(i) : "x";
        });
    }
    this->stores_.settle();
    EXPECT_EQ(order, "123");
    EXPECT_EQ(this->state().load().value().cursors[0].cursor, Offset{3});
}

TEST(StateChanges, CountsItsRows) {
    StateChanges changes;
    EXPECT_TRUE(changes.empty());
    changes.live_mark = Offset{0};
    EXPECT_EQ(changes.size(), 1U);
    changes.forget = {"a"};
    changes.cursors.resize(2);
    changes.exceptions.resize(3);
    changes.attempts.resize(5);
    changes.dead_letters.resize(6);
    changes.erase_dead_letters.resize(7);
    EXPECT_EQ(changes.size(), 25U);
    EXPECT_FALSE(changes.empty());
}

}  // namespace
}  // namespace belfry
