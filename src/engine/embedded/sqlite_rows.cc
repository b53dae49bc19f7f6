#include "engine/embedded/sqlite_rows.h"

namespace belfry {

void bind_attempt(SqliteQuery& query, int first, const AttemptRow& row) {
    query.bind(first, row.attempt)
        .bind(first + 1, sqlite_time(row.at))
        .bind(first + 2, row.duration_ms)
        .bind(first + 3, row.status)
        .bind(first + 4, row.error)
        .bind(first + 5, row.response);
    if (row.next_at) {
        query.bind(first + 6, sqlite_time(*row.next_at));
    } else {
        query.bind_null(first + 6);
    }
}

AttemptRow read_attempt(
    const SqliteQuery& query, int first, SubscriptionKey subscription, Offset offset
) {
    AttemptRow row;
    row.subscription = std::move(subscription);
    row.offset = offset;
    row.attempt = query.small(first);
    row.at = sqlite_time(query.integer(first + 1));
    row.duration_ms = query.small(first + 2);
    row.status = query.small(first + 3);
    row.error = query.text(first + 4);
    row.response = query.text(first + 5);
    if (!query.is_null(first + 6)) {
        row.next_at = sqlite_time(query.integer(first + 6));
    }
    return row;
}

}  // namespace belfry
