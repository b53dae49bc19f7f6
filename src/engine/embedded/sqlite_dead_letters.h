// The table `dead_letters`, and the attempts of its events. SQLite thread only.
#pragma once

#include "engine/embedded/sqlite_attempts.h"
#include "engine/embedded/sqlite_database.h"
#include "engine/state.h"

namespace belfry {

// Inside a transaction. A known id changes nothing.
[[nodiscard]] Result<void> store_dead_letter(SqliteDatabase& database, const DeadLetterRow& row);
// Adds its event to `erased`: what is kept of its attempts is settle_attempts()'s to say.
[[nodiscard]] Result<void> erase_dead_letter(
    SqliteDatabase& database, const std::string& id, EventKeys& erased
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
// Reads one row.
[[nodiscard]] Result<std::optional<WallTime>> time_of_oldest_dead_letter(SqliteDatabase& database);

}  // namespace belfry
