// Times and attempts as columns.
#pragma once

#include "base/clock.h"
#include "engine/embedded/sqlite_database.h"
#include "engine/state.h"

#include <optional>

namespace belfry {

[[nodiscard]] inline std::int64_t sqlite_time(WallTime time) {
    return time.time_since_epoch().count();
}
[[nodiscard]] inline WallTime sqlite_time(std::int64_t microseconds) {
    return WallTime(std::chrono::microseconds(microseconds));
}

// Binds uuid_low, attempt, at, duration_ms, status, error, response, next_at to the parameters from
// `first` on.
void bind_attempt(SqliteQuery& query, int first, const AttemptRow& row);
// Reads the same eight columns.
[[nodiscard]] AttemptRow read_attempt(
    const SqliteQuery& query, int first, SubscriptionKey subscription, Offset offset
);

// Calls `on_row` for each row. Stops at an error.
template <typename OnRow>
[[nodiscard]] Result<void> for_each_row(SqliteQuery& query, OnRow on_row) {
    while (true) {
        Result<bool> row = query.step();
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        if (!*row) {
            return {};
        }
        on_row(query);
    }
}

}  // namespace belfry
