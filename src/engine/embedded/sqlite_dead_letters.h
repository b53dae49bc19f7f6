// The tables `dead_letters` and `dead_letter_attempts`. SQLite thread only.
#pragma once

#include "engine/embedded/sqlite_database.h"
#include "engine/state.h"

namespace belfry {

// Inside a transaction. A known id is replaced in its place.
[[nodiscard]] Result<void> store_dead_letter(SqliteDatabase& database, const DeadLetterRow& row);
[[nodiscard]] Result<void> erase_dead_letter(SqliteDatabase& database, const std::string& id);

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
