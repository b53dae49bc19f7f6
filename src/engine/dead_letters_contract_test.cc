// The contract of engine/state.h, held by every engine: dead letters.
#include "engine/state_contract.h"

namespace belfry {
namespace {

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

TYPED_TEST(StateContract, EndsAPageOfDeadLettersByTheirBytes) {
    StateChanges changes;
    for (const char* id : {"a", "b", "c", "d", "e"}) {
        changes.dead_letters.push_back(letter(id, "default/s", changes.dead_letters.size()));
        changes.dead_letters.back().record.resize(kDeadLetterBytesPerPage / 2);
    }
    changes.dead_letters[2].record.resize(kDeadLetterBytesPerPage * 2);
    this->commit(changes);
    DeadLetterQuery query;
    std::string pages;
    for (int number = 0; number < 5; ++number) {
        DeadLetterPage page = this->page(query).value();
        for (const DeadLetterRow& row : page.rows) {
            pages += row.id;
        }
        if (!page.next) {
            break;
        }
        pages += "|";
        query.after = *page.next;
    }
    EXPECT_EQ(pages, "ab|c|de") << "whole, however long one is, and nothing twice";
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

}  // namespace
}  // namespace belfry
