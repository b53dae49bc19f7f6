// For the simulation: what was promised to whom, kept outside of everything that crashes, and what
// the hub says of it.
#pragma once

#include "hub/hub.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace belfry {

struct Oracle {
    static constexpr std::size_t kRetries = 2;

    struct Published {
        std::string type;
        std::string key;
        std::string data;
        WallTime at;  // its request; it is recorded then or later
    };
    // What a subscription asked for, and from where on it was promised to it.
    struct Interest {
        Filter filter;
        std::optional<WallTime> since;  // nothing older is for it
        std::uint64_t from = 0;         // nothing below is for it
        std::uint64_t owed_from = 0;    // if it was answered: everything from here on is owed to it
        bool answered = false;
        std::uint64_t life = 0;  // of the hub, in which it was created
        std::uint64_t end = 0;   // of the log, then
    };
    using Of = std::pair<std::string, std::uint64_t>;  // (subscription, offset)

    std::map<std::string, Published> attempted;  // by data, which is unique
    std::map<std::uint64_t, std::string> acked;  // offset → data
    std::map<std::string, Interest> interests;   // by subscription
    std::set<Of> settled;                        // ever
    std::set<Of> rejected;
    std::map<Of, std::size_t> failures;
    std::set<Of> poison;  // attempted, and fails always
    bool poison_works = true;
    std::map<std::uint64_t, std::string> keys;  // offset → ordering key, as seen by sinks
    // By subscription with an order, what it attempted and was not done when it attempted something
    // the last time. What is done stays done.
    std::map<std::string, std::set<std::uint64_t>> open;

    [[nodiscard]] bool fails_always(const Of& event) const {
        return poison_works && poison.contains(event);
    }
    // May the hub be done with that event?
    [[nodiscard]] bool is_done(const std::string& subscription, std::uint64_t offset) const {
        Of event{subscription, offset};
        auto failed = failures.find(event);
        return settled.contains(event) || rejected.contains(event) ||
               (failed != failures.end() && failed->second > kRetries);
    }
    // An attempt of a subscription with an order: nothing before it may be open, or with order key
    // nothing of its key. On what is below `given_up` retention may have given up.
    void begins_in_order(
        const std::string& subscription, std::uint64_t offset, bool all, std::uint64_t given_up
    ) {
        std::set<std::uint64_t>& attempted_before = open[subscription];
        std::erase_if(attempted_before, [&](std::uint64_t each) {
            return each < given_up || is_done(subscription, each);
        });
        for (const std::uint64_t earlier : attempted_before) {
            if (earlier >= offset) {
                break;
            }
            EXPECT_FALSE(all || keys[earlier] == keys[offset])
                << subscription << ": event " << offset << " is attempted before " << earlier
                << " is done";
        }
        attempted_before.insert(offset);
    }
    // Who was created without an answer may begin at another place in the hub's next life.
    void forget_unanswered() {
        std::erase_if(open, [&](const auto& each) { return !interests[each.first].answered; });
    }
    // Is the event from before the time that the subscription begins at? It may begin early after a
    // crash during its creation, and what was not durable then is for it, whenever it came.
    [[nodiscard]] static bool is_too_old(
        const Interest& interest, std::uint64_t offset, WallTime recorded, std::uint64_t life
    ) {
        return interest.since && recorded < *interest.since && offset < interest.end &&
               (interest.answered || interest.life == life);
    }
    // Was it promised that this subscription gets that event?
    [[nodiscard]] static bool owes(
        const Interest& interest, std::uint64_t offset, std::string_view type, WallTime recorded
    ) {
        Event event;
        event.type = type;
        return interest.answered && offset >= interest.owed_from &&
               (!interest.since || recorded >= *interest.since) && interest.filter.matches(event);
    }
    // What the log holds from `first` on: nothing invented, nothing twice, nothing acknowledged
    // lost or altered.
    void check_log(const std::map<std::uint64_t, StoredEvent>& stored, Offset first) const {
        std::set<std::string_view> read;
        for (const auto& [offset, event] : stored) {
            auto published = attempted.find(std::string(event.event.data.value_or("")));
            ASSERT_NE(published, attempted.end()) << "event " << offset << " was invented";
            EXPECT_EQ(published->second.type, event.event.type);
            EXPECT_EQ(published->second.key, event.event.subject);
            EXPECT_TRUE(read.insert(published->first).second)
                << "event " << offset << " is stored twice";
        }
        for (auto each = acked.lower_bound(first.value); each != acked.end(); ++each) {
            const auto& [offset, data] = *each;
            auto event = stored.find(offset);
            ASSERT_NE(event, stored.end()) << "acknowledged event " << offset << " is lost";
            EXPECT_EQ(event->second.event.data, data) << "event " << offset << " is another";
        }
    }
};

// Dead letters as the hub lists them.
struct SimulatedDeadLetters {
    std::map<Oracle::Of, bool> copies;  // whether it expired
    struct Range {
        std::string subscription;
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };
    std::vector<Range> ranges;

    [[nodiscard]] bool has(const std::string& subscription, std::uint64_t offset) const {
        return copies.contains({subscription, offset}) ||
               std::ranges::any_of(ranges, [&](const Range& range) {
                   return range.subscription == subscription && range.from <= offset &&
                          offset < range.to;
               });
    }
};

inline std::string describe(const SubscriptionStatus& status) {
    return fmt::format(
        "cursor {}, pending {}, retrying {}, in flight {}, circuit {}, state {}, last error {}",
        status.cursor.value,
        status.pending,
        status.retrying,
        status.in_flight,
        status.circuit_open ? "open" : "closed",
        static_cast<int>(status.state),
        status.last_error
    );
}

// All of them; `run` lets the hub work.
template <typename Run>
SimulatedDeadLetters list_dead_letters(Hub& hub, const Caller& caller, Run run) {
    SimulatedDeadLetters dead;
    DeadLetterQuery query;
    query.limit = 1000;
    for (bool more = true; more;) {
        more = false;
        hub.list_dead_letters(caller, query, [&](Result<DeadLetterPage> page) {
            ASSERT_TRUE(page.has_value());
            for (const DeadLetterRow& row : page->rows) {
                if (row.range) {
                    dead.ranges.push_back(
                        {row.subscription, row.range->from.value, row.range->to.value}
                    );
                } else {
                    dead.copies.emplace(
                        Oracle::Of{row.subscription, row.offset.value}, row.reason == "expired"
                    );
                }
            }
            more = page->next.has_value();
            query.after = page->next.value_or("");
        });
        for (int i = 0; i < 5; ++i) {
            run();
        }
    }
    return dead;
}

class AllowAll final : public Grant {
 public:
    bool allows(Resource, Verb, std::string_view) const override { return true; }
    bool covers(Verb, const TypePattern&) const override { return true; }
    std::shared_ptr<const Rights> rights() const override { return nullptr; }
    bool valid() const override { return true; }
    std::uint64_t revision() const override { return 0; }
};

}  // namespace belfry
