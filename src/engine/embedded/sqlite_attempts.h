// The table `attempts`. `settled` is 1 when the event is neither an exception nor a dead letter of
// the subscription: of these rows only the newest stay. SQLite thread only.
#pragma once

#include "engine/embedded/sqlite_database.h"
#include "engine/state.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace belfry {

using EventKeys = std::set<std::pair<SubscriptionKey, Offset>>;

// Inside a transaction. Keeps the last 20 of the event.
[[nodiscard]] Result<void> store_attempt(SqliteDatabase& database, const AttemptRow& row);
// Inside the same transaction, after everything else: settles the attempts of these events, or
// takes that back, and drops those past the bound.
[[nodiscard]] Result<void> settle_attempts(SqliteDatabase& database, const EventKeys& events);

[[nodiscard]] Result<std::vector<AttemptRow>> select_attempts(
    SqliteDatabase& database, const SubscriptionKey& subscription, std::optional<Offset> offset
);

}  // namespace belfry
