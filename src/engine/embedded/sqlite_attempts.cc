#include "engine/embedded/sqlite_attempts.h"

#include "engine/embedded/sqlite_rows.h"

namespace belfry {

namespace {

Result<void> settle_event(
    SqliteDatabase& database, const SubscriptionKey& subscription, Offset offset
) {
    // EXISTS is 1 or 0: only the rows that say the wrong thing are written.
    return database
        .query(
            "UPDATE attempts SET settled = 1 - settled WHERE subscription = ?1 AND event = ?2 AND "
            "settled = (EXISTS (SELECT 1 FROM exceptions WHERE subscription = ?1 AND event = ?2) "
            "OR EXISTS (SELECT 1 FROM dead_letters WHERE subscription = ?1 AND event = ?2))"
        )
        .bind(1, subscription)
        .bind(2, offset.value)
        .run();
}

Result<void> prune_settled(SqliteDatabase& database, const SubscriptionKey& subscription) {
    return database
        .query(
            "DELETE FROM attempts WHERE subscription = ?1 AND settled = 1 AND position <= "
            "(SELECT position FROM attempts WHERE subscription = ?1 AND settled = 1 "
            "ORDER BY position DESC LIMIT 1 OFFSET "
            "iif(EXISTS (SELECT 1 FROM cursors WHERE subscription = ?1), ?2, 0))"
        )
        .bind(1, subscription)
        .bind(2, std::uint64_t{kSettledAttempts})
        .run();
}

}  // namespace

Result<void> store_attempt(SqliteDatabase& database, const AttemptRow& row) {
    Result<void> result;
    {
        SqliteQuery insert = database.query(
            "INSERT INTO attempts (subscription, event, uuid_low, attempt, at, duration_ms, "
            "status, error, "
            "response, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        insert.bind(1, row.subscription).bind(2, row.offset.value);
        bind_attempt(insert, 3, row);
        result = insert.run();
    }
    if (!result) {
        return result;
    }
    return database
        .query(
            "DELETE FROM attempts WHERE subscription = ?1 AND event = ?2 AND position <= "
            "(SELECT position FROM attempts WHERE subscription = ?1 AND event = ?2 "
            "ORDER BY position DESC LIMIT 1 OFFSET ?3)"
        )
        .bind(1, row.subscription)
        .bind(2, row.offset.value)
        .bind(3, std::uint64_t{kAttemptsPerEvent})
        .run();
}

Result<void> settle_attempts(SqliteDatabase& database, const EventKeys& events) {
    const SubscriptionKey* last = nullptr;
    for (const auto& [subscription, offset] : events) {
        if (Result<void> result = settle_event(database, subscription, offset); !result) {
            return result;
        }
    }
    for (const auto& [subscription, offset] : events) {  // sorted: each subscription once
        if (last != nullptr && *last == subscription) {
            continue;
        }
        last = &subscription;
        if (Result<void> result = prune_settled(database, subscription); !result) {
            return result;
        }
    }
    return {};
}

Result<std::vector<AttemptRow>> select_attempts(
    SqliteDatabase& database, const SubscriptionKey& subscription, std::optional<Offset> offset
) {
    SqliteQuery query = database.query(
        offset ? "SELECT event, uuid_low, attempt, at, duration_ms, status, error, response, "
                 "next_at FROM "
                 "attempts WHERE subscription = ?1 AND event = ?2 ORDER BY position DESC LIMIT ?3"
               : "SELECT event, uuid_low, attempt, at, duration_ms, status, error, response, "
                 "next_at FROM "
                 "attempts WHERE subscription = ?1 ORDER BY position DESC LIMIT ?3"
    );
    query.bind(1, subscription).bind(3, std::uint64_t{kAttemptsPerList});
    if (offset) {
        query.bind(2, offset->value);
    }
    std::vector<AttemptRow> rows;
    Result<void> result = for_each_row(query, [&](const SqliteQuery& row) {
        rows.push_back(read_attempt(row, 1, subscription, Offset{row.number(0)}));
    });
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return rows;
}

}  // namespace belfry
