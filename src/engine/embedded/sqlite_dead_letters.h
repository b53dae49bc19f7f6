// The table `dead_letters`, and the attempts of its events. SQLite thread only.
#pragma once

#include "engine/embedded/sqlite_database.h"
#include "engine/state.h"

namespace belfry {

// Inside a transaction. A known id changes nothing.
[[nodiscard]] Result<void> store_dead_letter(SqliteDatabase& database, const DeadLetterRow& row);
[[nodiscard]] Result<void> erase_dead_letter(SqliteDatabase& database, const std::string& id);
// The stored attempts of an event, unless it is a dead letter of that subscription.
[[nodiscard]] Result<void> erase_attempts(
    SqliteDatabase& database, const SubscriptionKey& subscription, Offset offset
);

[[nodiscard]] Result<DeadLetterPage> query_dead_letters(
    SqliteDatabase& database, const DeadLetterQuery& query
);
[[nodiscard]] Result<DeadLetterRow> find_dead_letter(
    SqliteDatabase& database, const std::string& tenant, const std::string& id
);
[[nodiscard]] Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>> count_by_subscription(
    SqliteDatabase& database
);

}  // namespace belfry
