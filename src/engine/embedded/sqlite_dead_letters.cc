#include "engine/embedded/sqlite_dead_letters.h"

#include "engine/dead_letter_query.h"
#include "engine/embedded/sqlite_rows.h"
#include "engine/page_token.h"

namespace belfry {

namespace {

constexpr std::string_view kColumns =
    "position, id, tenant, subscription, listener, reason, at, event, type, record, range_from, "
    "range_to, events";

// A row and its position.
struct PlacedRow {
    std::int64_t position = 0;
    DeadLetterRow row;
};

PlacedRow read_row(const SqliteQuery& query) {
    PlacedRow placed;
    placed.position = query.integer(0);
    DeadLetterRow& row = placed.row;
    row.id = query.text(1);
    row.tenant = query.text(2);
    row.subscription = query.text(3);
    row.listener = query.text(4);
    row.reason = query.text(5);
    row.at = sqlite_time(query.integer(6));
    row.offset = Offset{query.number(7)};
    row.type = query.text(8);
    Bytes record = query.bytes(9);
    row.record.assign(record.begin(), record.end());
    if (!query.is_null(10)) {
        row.range = DeadLetterRange{
            .from = Offset{query.number(10)},
            .to = Offset{query.number(11)},
            .count = query.number(12)
        };
    }
    return placed;
}

Result<void> add_attempts(SqliteDatabase& database, DeadLetterRow& row) {
    SqliteQuery query = database.query(
        "SELECT uuid_low, attempt, at, duration_ms, status, error, response, next_at FROM attempts "
        "WHERE subscription = ?1 AND event = ?2 ORDER BY position"
    );
    query.bind(1, row.subscription).bind(2, row.offset.value);
    return for_each_row(query, [&](const SqliteQuery& attempt) {
        row.attempts.push_back(read_attempt(attempt, 0, row.subscription, row.offset));
    });
}

// Only the conditions that the query has, so that SQLite picks the index that fits. The texts are
// few and their statements are kept.
std::string page_sql(const DeadLetterQuery& query, const std::optional<TypePattern>& type) {
    std::string sql = "SELECT " + std::string(kColumns) +
                      " FROM dead_letters WHERE tenant = ?1 AND position > ?2";
    if (!query.subscription.empty()) {
        sql += " AND subscription = ?3";
    }
    if (type && !type->prefix) {
        sql += " AND type = ?4";
    } else if (type) {
        // Without `+` SQLite would take the index by type, whose prefixes are not in order of
        // insertion. A range has no type and matches no pattern.
        sql += " AND +type <> '' AND substr(+type, 1, length(?4)) = ?4";
    }
    if (query.since) {
        sql += " AND at >= ?5";
    }
    return sql + " ORDER BY position LIMIT ?6";
}

}  // namespace

Result<void> store_dead_letter(SqliteDatabase& database, const DeadLetterRow& row) {
    SqliteQuery insert = database.query(
        "INSERT INTO dead_letters (id, tenant, subscription, listener, reason, at, event, type, "
        "record, range_from, range_to, events) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING"
    );
    insert.bind(1, row.id)
        .bind(2, row.tenant)
        .bind(3, row.subscription)
        .bind(4, row.listener)
        .bind(5, row.reason)
        .bind(6, sqlite_time(row.at))
        .bind(7, row.offset.value)
        .bind(8, row.type)
        .bind(9, Bytes(row.record));
    if (row.range) {
        insert.bind(10, row.range->from.value).bind(11, row.range->to.value);
    } else {
        insert.bind_null(10).bind_null(11);
    }
    return insert.bind(12, row.range ? row.range->count : std::uint64_t{1}).run();
}

Result<void> erase_dead_letter(SqliteDatabase& database, const std::string& id, EventKeys& erased) {
    SqliteQuery erase =
        database.query("DELETE FROM dead_letters WHERE id = ?1 RETURNING subscription, event");
    erase.bind(1, id);
    return for_each_row(erase, [&](const SqliteQuery& row) {
        erased.emplace(row.text(0), Offset{row.number(1)});
    });
}

Result<DeadLetterPage> query_dead_letters(SqliteDatabase& database, const DeadLetterQuery& query) {
    Result<std::uint64_t> after = parse_page_token(query.after);
    if (!after) {
        return std::unexpected(std::move(after.error()));
    }
    std::optional<TypePattern> type = dead_letter_type(query);
    std::size_t limit = dead_letter_page_size(query);
    std::vector<PlacedRow> placed;
    DeadLetterPage page;
    {
        SqliteQuery select = database.query(page_sql(query, type));
        select.bind(1, query.tenant).bind(2, *after).bind(6, std::uint64_t{limit + 1});
        if (!query.subscription.empty()) {
            select.bind(3, query.subscription);
        }
        if (type) {
            select.bind(4, type->text);
        }
        if (query.since) {
            select.bind(5, sqlite_time(*query.since));
        }
        std::size_t bytes = 0;
        while (true) {
            Result<bool> row = select.step();
            if (!row) {
                return std::unexpected(std::move(row.error()));
            }
            if (!*row) {
                break;
            }
            if (placed.size() == limit || bytes >= kDeadLetterBytesPerPage) {
                page.next = page_token(static_cast<std::uint64_t>(placed.back().position));
                break;
            }
            placed.push_back(read_row(select));
            bytes += placed.back().row.record.size();
        }
    }
    for (PlacedRow& row : placed) {
        if (Result<void> result = add_attempts(database, row.row); !result) {
            return std::unexpected(std::move(result.error()));
        }
        page.rows.push_back(std::move(row.row));
    }
    return page;
}

Result<DeadLetterRow> find_dead_letter(
    SqliteDatabase& database, const std::string& tenant, const std::string& id
) {
    PlacedRow placed;
    {
        SqliteQuery select = database.query(
            "SELECT " + std::string(kColumns) + " FROM dead_letters WHERE id = ?1 AND tenant = ?2"
        );
        Result<bool> row = select.bind(1, id).bind(2, tenant).step();
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        if (!*row) {
            return no_dead_letter(id);
        }
        placed = read_row(select);
    }
    if (Result<void> result = add_attempts(database, placed.row); !result) {
        return std::unexpected(std::move(result.error()));
    }
    return std::move(placed.row);
}

Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>> count_by_subscription(
    SqliteDatabase& database
) {
    std::vector<std::pair<SubscriptionKey, std::uint64_t>> counts;
    SqliteQuery query = database.query(
        "SELECT subscription, sum(events) FROM dead_letters GROUP BY subscription "
        "ORDER BY subscription"
    );
    Result<void> result = for_each_row(query, [&](const SqliteQuery& row) {
        counts.emplace_back(row.text(0), row.number(1));
    });
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return counts;
}

Result<std::optional<WallTime>> time_of_oldest_dead_letter(SqliteDatabase& database) {
    std::optional<WallTime> oldest;
    SqliteQuery query = database.query("SELECT at FROM dead_letters ORDER BY position LIMIT 1");
    Result<void> result =
        for_each_row(query, [&](const SqliteQuery& row) { oldest = sqlite_time(row.integer(0)); });
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return oldest;
}

}  // namespace belfry
