#include "engine/embedded/sqlite_rows.h"

namespace belfry {

void bind_attempt(SqliteQuery& query, int first, const AttemptRow& row) {
    query.bind(first, row.uuid_low)
        .bind(first + 1, row.attempt)
        .bind(first + 2, sqlite_time(row.at))
        .bind(first + 3, row.duration_ms)
        .bind(first + 4, row.status)
        .bind(first + 5, row.error)
        .bind(first + 6, row.response);
    if (row.next_at) {
        query.bind(first + 7, sqlite_time(*row.next_at));
    } else {
        query.bind_null(first + 7);
    }
}

AttemptRow read_attempt(
    const SqliteQuery& query, int first, SubscriptionKey subscription, Offset offset
) {
    AttemptRow row;
    row.subscription = std::move(subscription);
    row.offset = offset;
    row.uuid_low = query.number(first);
    row.attempt = query.small(first + 1);
    row.at = sqlite_time(query.integer(first + 2));
    row.duration_ms = query.small(first + 3);
    row.status = query.small(first + 4);
    row.error = query.text(first + 5);
    row.response = query.text(first + 6);
    if (!query.is_null(first + 7)) {
        row.next_at = sqlite_time(query.integer(first + 7));
    }
    return row;
}

}  // namespace belfry
