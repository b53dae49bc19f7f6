// The contract of engine/state.h, held by every engine.
#include "engine/test_stores.h"

#include <gtest/gtest.h>

#include <set>

namespace belfry {
namespace {

WallTime at(std::int64_t seconds) {
    return WallTime(std::chrono::seconds(seconds));
}

AttemptRow attempt_row(
    const std::string& subscription, std::uint64_t offset, std::uint32_t number
) {
    AttemptRow row;
    row.subscription = subscription;
    row.offset = Offset{offset};
    row.uuid_low = 0x8000000000000001 + number;
    row.attempt = number;
    row.at = at(1000 + number);
    row.duration_ms = 12;
    row.status = 500;
    row.error = "answered 500";
    row.response = "oh \"no\" é";
    if (number % 2 == 0) {
        row.next_at = at(2000 + number);
    }
    return row;
}

ExceptionRow exception_row(const std::string& subscription, std::uint64_t offset) {
    ExceptionRow row;
    row.subscription = subscription;
    row.offset = Offset{offset};
    row.attempts = 3;
    row.step = 2;
    row.order_key = 0xfedcba9876543210;  // more than a signed number holds
    row.next_at = at(77);
    return row;
}

DeadLetterRow letter(const std::string& id, const std::string& subscription, std::uint64_t offset) {
    DeadLetterRow row;
    row.id = id;
    row.tenant = subscription.substr(0, subscription.find('/'));
    row.subscription = subscription;
    row.reason = "exhausted";
    row.at = at(static_cast<std::int64_t>(offset));
    row.offset = Offset{offset};
    row.type = "deploy.web";
    row.record = {std::byte{0}, std::byte{0xff}, std::byte{7}};
    return row;
}

ExceptionRow erased(const std::string& subscription, std::uint64_t offset) {
    ExceptionRow row = exception_row(subscription, offset);
    row.erased = true;
    return row;
}

bool same(const AttemptRow& a, const AttemptRow& b) {
    return a.subscription == b.subscription && a.offset == b.offset && a.uuid_low == b.uuid_low &&
           a.attempt == b.attempt && a.at == b.at && a.duration_ms == b.duration_ms &&
           a.status == b.status && a.error == b.error && a.response == b.response &&
           a.next_at == b.next_at;
}

template <typename Stores>
class StateContract : public testing::Test {
 protected:
    State& state() { return stores_.state(); }
    void commit(StateChanges changes) {
        std::optional<Result<void>> result;
        state().commit(std::move(changes), [&](Result<void> done) { result = std::move(done); });
        stores_.settle();
        ASSERT_TRUE(result.has_value()) << "no answer";
        ASSERT_TRUE(result->has_value()) << result->error().detail;
    }
    Result<DeadLetterPage> page(DeadLetterQuery query) {
        Result<DeadLetterPage> result = fail(Errc::internal, "no answer");
        state().list_dead_letters(std::move(query), [&](Result<DeadLetterPage> done) {
            result = std::move(done);
        });
        stores_.settle();
        return result;
    }
    // The ids of a page, then `…` if there is another.
    std::string ids(DeadLetterQuery query) {
        std::string text;
        Result<DeadLetterPage> found = page(std::move(query));
        for (const DeadLetterRow& row : found.value().rows) {
            text += row.id + " ";
        }
        return text + (found->next ? "…" : "");
    }
    Result<DeadLetterRow> get(const std::string& tenant, const std::string& id) {
        Result<DeadLetterRow> result = fail(Errc::internal, "no answer");
        state().get_dead_letter(tenant, id, [&](Result<DeadLetterRow> done) {
            result = std::move(done);
        });
        stores_.settle();
        return result;
    }
    std::string counts() {
        std::string text = "no answer";
        state().count_dead_letters([&](auto result) {
            text.clear();
            for (const auto& [subscription, count] : result.value()) {
                text += subscription + "=" + std::to_string(count) + " ";
            }
        });
        stores_.settle();
        return text;
    }
    std::optional<WallTime> oldest() {
        std::optional<WallTime> oldest;
        state().oldest_dead_letter([&](auto result) { oldest = result.value(); });
        stores_.settle();
        return oldest;
    }
    std::vector<AttemptRow> attempts(
        const std::string& subscription, std::optional<Offset> offset = {}
    ) {
        std::vector<AttemptRow> rows;
        state().list_attempts(subscription, offset, [&](Result<std::vector<AttemptRow>> result) {
            rows = std::move(result.value());
        });
        stores_.settle();
        return rows;
    }

    Stores stores_;
};

using Engines = testing::Types<MemoryStores, EmbeddedStores>;
TYPED_TEST_SUITE(StateContract, Engines);

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

TYPED_TEST(StateContract, GivesADeadLetterBackWhole) {
    DeadLetterRow row = letter("one", "default/a", 3);
    row.listener = "POST /hook";
    StateChanges changes;
    for (std::uint32_t number = 1; number <= 22; ++number) {
        changes.attempts.push_back(attempt_row("default/a", 3, number));
    }
    DeadLetterRow range = letter("range", "default/a", 10);
    range.type.clear();
    range.record.clear();
    range.reason = "expired";
    range.range = DeadLetterRange{Offset{10}, Offset{40}, 25};
    changes.dead_letters = {row, range};
    this->commit(changes);
    this->stores_.restart();

    DeadLetterRow kept = this->get("default", "one").value();
    EXPECT_EQ(kept.id, "one");
    EXPECT_EQ(kept.tenant, "default");
    EXPECT_EQ(kept.subscription, "default/a");
    EXPECT_EQ(kept.listener, "POST /hook");
    EXPECT_EQ(kept.reason, "exhausted");
    EXPECT_EQ(kept.at, at(3));
    EXPECT_EQ(kept.offset, Offset{3});
    EXPECT_EQ(kept.type, "deploy.web");
    EXPECT_EQ(kept.record, row.record);
    EXPECT_FALSE(kept.range.has_value());
    ASSERT_EQ(kept.attempts.size(), kAttemptsPerEvent);
    EXPECT_TRUE(same(kept.attempts.front(), attempt_row("default/a", 3, 3)))
        << "oldest first, the last twenty";
    EXPECT_TRUE(same(kept.attempts.back(), attempt_row("default/a", 3, 22)));

    kept = this->get("default", "range").value();
    ASSERT_TRUE(kept.range.has_value());
    EXPECT_EQ(kept.range->from, Offset{10});
    EXPECT_EQ(kept.range->to, Offset{40});
    EXPECT_EQ(kept.range->count, 25U);
    EXPECT_TRUE(kept.record.empty());
    EXPECT_EQ(this->counts(), "default/a=26 ") << "a range counts its events";
    EXPECT_EQ(this->state().load().value().next_offset, Offset{40});
}

TYPED_TEST(StateContract, HidesDeadLettersFromOtherTenants) {
    StateChanges changes;
    changes.dead_letters = {letter("a", "acme/s", 1), letter("b", "default/s", 2)};
    this->commit(changes);
    EXPECT_TRUE(this->get("acme", "a").has_value());
    EXPECT_EQ(this->get("default", "a").error().code, Errc::not_found);
    EXPECT_EQ(this->get("acme", "nothing").error().code, Errc::not_found);
    EXPECT_EQ(this->ids({.tenant = "acme"}), "a ");
    EXPECT_EQ(this->ids({}), "b ");
    EXPECT_EQ(this->ids({.tenant = "acme", .subscription = "default/s"}), "");
}

TYPED_TEST(StateContract, FiltersDeadLetters) {
    StateChanges changes;
    changes.dead_letters = {
        letter("a", "default/s", 10),
        letter("b", "default/t", 20),
        letter("c", "default/s", 30),
        letter("r", "default/s", 40)
    };
    changes.dead_letters[1].type = "deploy.worker";
    changes.dead_letters[2].type = "deploy";
    changes.dead_letters[3].type = "";
    changes.dead_letters[3].range = DeadLetterRange{Offset{40}, Offset{41}, 1};
    this->commit(changes);
    EXPECT_EQ(this->ids({}), "a b c r ");
    EXPECT_EQ(this->ids({.subscription = "default/s"}), "a c r ");
    EXPECT_EQ(this->ids({.type = "deploy"}), "c ");
    EXPECT_EQ(this->ids({.type = "deploy.*"}), "a b ");
    EXPECT_EQ(this->ids({.type = "*"}), "a b c ") << "a range has no type";
    EXPECT_EQ(this->ids({.type = "%"}), "") << "a pattern is not SQL";
    EXPECT_EQ(this->ids({.since = at(20)}), "b c r ");
    EXPECT_EQ(this->ids({.subscription = "default/s", .type = "deploy*", .since = at(11)}), "c ");
    EXPECT_EQ(this->counts(), "default/s=3 default/t=1 ");
}

TYPED_TEST(StateContract, TellsWhenTheOldestDeadLetterWasMade) {
    StateChanges changes;
    changes.dead_letters = {letter("a", "default/s", 10), letter("b", "other/t", 20)};
    this->commit(changes);
    EXPECT_EQ(this->oldest(), at(10));
    changes = {};
    changes.erase_dead_letters = {"a"};
    this->commit(changes);
    EXPECT_EQ(this->oldest(), at(20)) << "whoever's it is";
    changes.erase_dead_letters = {"b"};
    this->commit(changes);
    EXPECT_EQ(this->oldest(), std::nullopt);
}

TYPED_TEST(StateContract, PagesDeadLettersInOrderOfInsertion) {
    StateChanges changes;
    std::string everything;
    for (int i = 0; i < 25; ++i) {
        std::string id = std::to_string(1000 - i);  // neither sorted by id nor by offset
        changes.dead_letters.push_back(letter(id, "default/a", static_cast<std::uint64_t>(99 - i)));
        everything += id + " ";
    }
    this->commit(changes);
    std::string seen;
    DeadLetterQuery query{.limit = 10};
    std::vector<std::size_t> sizes;
    while (true) {
        DeadLetterPage page = this->page(query).value();
        sizes.push_back(page.rows.size());
        for (const DeadLetterRow& row : page.rows) {
            seen += row.id + " ";
        }
        if (!page.next) {
            break;
        }
        query.after = *page.next;
        // What was shown may go, also the row that `next` stands for.
        StateChanges purge;
        purge.erase_dead_letters = {page.rows.back().id};
        this->commit(purge);
    }
    EXPECT_EQ(seen, everything);
    EXPECT_EQ(sizes, (std::vector<std::size_t>{10, 10, 5}));
    EXPECT_EQ(this->page({.limit = 0}).value().rows.size(), 1U);
    EXPECT_EQ(this->page({.limit = 23}).value().next, std::nullopt) << "exactly all that are left";
}

TYPED_TEST(StateContract, APageAfterTheNewestWasPurgedSeesWhatCameLater) {
    StateChanges changes;
    changes.dead_letters = {letter("a", "default/s", 1), letter("b", "default/s", 2)};
    this->commit(changes);
    StateChanges more;
    more.dead_letters = {letter("c", "default/s", 3)};
    std::string next;
    {
        DeadLetterPage first = this->page({.limit = 1}).value();
        DeadLetterPage second = this->page({.after = *first.next, .limit = 1}).value();
        EXPECT_EQ(second.rows[0].id, "b");
        next = *first.next;
    }
    StateChanges purge;
    purge.erase_dead_letters = {"a", "b"};
    this->commit(purge);
    this->stores_.restart();
    this->commit(more);
    EXPECT_EQ(this->ids({.after = next}), "c ");
}

TYPED_TEST(StateContract, RefusesAPageTokenThatItDidNotWrite) {
    for (const char* bad :
         {"x",
          "1",
          "000000000000000g",
          "00000000000000001",
          "000000000000000A",
          "+000000000000001",
          "-000000000000001",
          "ffffffffffffffff",
          "0000000000000001 ",
          "' OR 1=1 --"}) {
        Result<DeadLetterPage> result = this->page({.after = bad});
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_EQ(result.error().code, Errc::bad_request) << bad;
    }
}

TYPED_TEST(StateContract, KeepsTheAttemptsOfAnEventAsLongAsItIsADeadLetter) {
    StateChanges changes;
    changes.cursors = {{"default/s", Offset{3}, false}};
    changes.attempts = {
        attempt_row("default/s", 1, 1),
        attempt_row("default/s", 1, 2),
        attempt_row("default/s", 2, 1)
    };
    changes.dead_letters = {letter("a", "default/s", 1)};
    changes.exceptions = {
        exception_row("default/s", 1),
        exception_row("default/s", 2),
        erased("default/s", 1),
        erased("default/s", 2)
    };
    this->commit(changes);
    EXPECT_EQ(this->attempts("default/s").size(), 3U);

    StateChanges replayed;
    replayed.attempts = {attempt_row("default/s", 1, 3)};
    replayed.forget = {"default/s"};
    this->commit(replayed);
    EXPECT_EQ(this->attempts("default/s", Offset{2}).size(), 0U) << "the subscription is gone";
    DeadLetterRow kept = this->get("default", "a").value();
    ASSERT_EQ(kept.attempts.size(), 3U);
    EXPECT_EQ(kept.attempts[2].attempt, 3U);

    StateChanges purge;
    purge.erase_dead_letters = {"a"};
    this->commit(purge);
    EXPECT_TRUE(this->attempts("default/s").empty()) << "nothing is left of it";
}

TYPED_TEST(StateContract, KeepsADeadLetterAsItWasFirst) {
    StateChanges changes;
    changes.dead_letters = {letter("a", "default/s", 1), letter("b", "default/s", 2)};
    this->commit(changes);
    changes.dead_letters[0].reason = "rejected";
    this->commit(changes);
    EXPECT_EQ(this->ids({}), "a b ");
    EXPECT_EQ(this->get("default", "a").value().reason, "exhausted");
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
