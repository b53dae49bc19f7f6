// What the tests of the contract of engine/state.h share: rows, and every engine beside its loop.
#pragma once

#include "engine/test_stores.h"

#include <gtest/gtest.h>

namespace belfry {

inline WallTime at(std::int64_t seconds) {
    return WallTime(std::chrono::seconds(seconds));
}

inline AttemptRow attempt_row(
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

inline ExceptionRow exception_row(const std::string& subscription, std::uint64_t offset) {
    ExceptionRow row;
    row.subscription = subscription;
    row.offset = Offset{offset};
    row.attempts = 3;
    row.step = 2;
    row.order_key = 0xfedcba9876543210;  // more than a signed number holds
    row.next_at = at(77);
    return row;
}

inline DeadLetterRow letter(
    const std::string& id, const std::string& subscription, std::uint64_t offset
) {
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

inline ExceptionRow erased(const std::string& subscription, std::uint64_t offset) {
    ExceptionRow row = exception_row(subscription, offset);
    row.erased = true;
    return row;
}

inline bool same(const AttemptRow& a, const AttemptRow& b) {
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

using StateEngines = testing::Types<MemoryStores, EmbeddedStores>;
TYPED_TEST_SUITE(StateContract, StateEngines);

}  // namespace belfry
