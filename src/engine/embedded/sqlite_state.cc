#include "engine/embedded/sqlite_state.h"

#include "engine/embedded/crash_point.h"
#include "engine/embedded/sqlite_attempts.h"
#include "engine/embedded/sqlite_dead_letters.h"
#include "engine/embedded/sqlite_rows.h"

#include <algorithm>

namespace belfry {

namespace {

Result<StateSnapshot> load_snapshot(SqliteDatabase& database) {
    StateSnapshot snapshot;
    SqliteQuery marks = database.query("SELECT live_mark, next_offset FROM store");
    Result<void> result = for_each_row(marks, [&](const SqliteQuery& row) {
        snapshot.live_mark = Offset{row.number(0)};
        snapshot.next_offset = Offset{row.number(1)};
    });
    if (result) {
        SqliteQuery cursors = database.query("SELECT subscription, cursor, live FROM cursors");
        result = for_each_row(cursors, [&](const SqliteQuery& row) {
            snapshot.cursors.push_back({row.text(0), Offset{row.number(1)}, row.integer(2) != 0});
        });
    }
    if (result) {
        SqliteQuery exceptions = database.query(
            "SELECT subscription, event, attempts, step, order_key, next_at FROM exceptions "
            "ORDER BY subscription, event"
        );
        result = for_each_row(exceptions, [&](const SqliteQuery& row) {
            ExceptionRow exception;
            exception.subscription = row.text(0);
            exception.offset = Offset{row.number(1)};
            exception.attempts = row.small(2);
            exception.step = row.small(3);
            exception.order_key = row.number(4);
            exception.next_at = sqlite_time(row.integer(5));
            snapshot.exceptions.push_back(std::move(exception));
        });
    }
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return snapshot;
}

Result<void> forget(SqliteDatabase& database, const SubscriptionKey& subscription) {
    for (std::string_view sql :
         {"DELETE FROM cursors WHERE subscription = ?1",
          "DELETE FROM exceptions WHERE subscription = ?1",
          "DELETE FROM attempts WHERE subscription = ?1 AND event NOT IN "
          "(SELECT event FROM dead_letters WHERE subscription = ?1)"}) {
        if (Result<void> result = database.query(sql).bind(1, subscription).run(); !result) {
            return result;
        }
    }
    return {};
}

Result<void> store_cursor(SqliteDatabase& database, const CursorRow& row) {
    return database.query("INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3)")
        .bind(1, row.subscription)
        .bind(2, row.cursor.value)
        .bind(3, std::uint32_t{row.live})
        .run();
}

Result<void> store_exception(SqliteDatabase& database, const ExceptionRow& row) {
    if (row.erased) {
        return database.query("DELETE FROM exceptions WHERE subscription = ?1 AND event = ?2")
            .bind(1, row.subscription)
            .bind(2, row.offset.value)
            .run();
    }
    return database.query("INSERT OR REPLACE INTO exceptions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(1, row.subscription)
        .bind(2, row.offset.value)
        .bind(3, row.attempts)
        .bind(4, row.step)
        .bind(5, row.order_key)
        .bind(6, sqlite_time(row.next_at))
        .run();
}

// One past the highest event that the changes name.
Offset next_offset(const StateChanges& changes) {
    Offset next = changes.live_mark.value_or(Offset{});
    for (const CursorRow& row : changes.cursors) {
        next = std::max(next, row.cursor);
    }
    for (const ExceptionRow& row : changes.exceptions) {
        next = row.erased ? next : std::max(next, row.offset.next());
    }
    for (const AttemptRow& row : changes.attempts) {
        next = std::max(next, row.offset.next());
    }
    for (const DeadLetterRow& row : changes.dead_letters) {
        next = std::max(next, row.range ? row.range->to : row.offset.next());
    }
    return next;
}

Result<void> store_marks(SqliteDatabase& database, const StateChanges& changes) {
    Result<void> result = database.query("UPDATE store SET next_offset = ?1 WHERE next_offset < ?1")
                              .bind(1, next_offset(changes).value)
                              .run();
    if (result && changes.live_mark) {
        result = database.query("UPDATE store SET live_mark = ?1")
                     .bind(1, changes.live_mark->value)
                     .run();
    }
    return result;
}

// Applies the rows one by one unless something before them failed.
template <typename Row, typename Apply>
void apply_each(
    Result<void>& result, SqliteDatabase& database, const std::vector<Row>& rows, Apply apply
) {
    for (std::size_t i = 0; result && i < rows.size(); ++i) {
        result = apply(database, rows[i]);
    }
}

// In the order that engine/state.h promises.
Result<void> apply_changes(SqliteDatabase& database, const StateChanges& changes) {
    return database.transaction([&] {
        EventKeys touched;
        for (const AttemptRow& row : changes.attempts) {
            touched.emplace(row.subscription, row.offset);
        }
        for (const DeadLetterRow& row : changes.dead_letters) {
            touched.emplace(row.subscription, row.offset);
        }
        for (const ExceptionRow& row : changes.exceptions) {
            touched.emplace(row.subscription, row.offset);
        }
        Result<void> result = store_marks(database, changes);
        apply_each(result, database, changes.forget, forget);
        BELFRY_CRASH_POINT("state.begun");
        apply_each(result, database, changes.cursors, store_cursor);
        BELFRY_CRASH_POINT("state.cursors_stored");
        apply_each(result, database, changes.attempts, store_attempt);
        apply_each(result, database, changes.dead_letters, store_dead_letter);
        BELFRY_CRASH_POINT("state.dead_letters_stored");
        apply_each(result, database, changes.exceptions, store_exception);
        BELFRY_CRASH_POINT("state.exceptions_stored");
        for (const std::string& id : changes.erase_dead_letters) {
            if (result) {
                result = erase_dead_letter(database, id, touched);
            }
        }
        return result ? settle_attempts(database, touched) : result;
    });
}

}  // namespace

Result<StateSnapshot> SqliteState::load() {
    return worker_.run_here([](SqliteDatabase& database) { return load_snapshot(database); });
}

void SqliteState::commit(StateChanges changes, std::move_only_function<void(Result<void>)> done) {
    worker_.run(
        [changes = std::move(changes)](SqliteDatabase& database) {
            return apply_changes(database, changes);
        },
        std::move(done)
    );
}

void SqliteState::list_dead_letters(
    DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
) {
    worker_.run(
        [query = std::move(query)](SqliteDatabase& database) {
            return query_dead_letters(database, query);
        },
        std::move(done)
    );
}

void SqliteState::get_dead_letter(
    std::string tenant, std::string id, std::move_only_function<void(Result<DeadLetterRow>)> done
) {
    worker_.run(
        [tenant = std::move(tenant), id = std::move(id)](SqliteDatabase& database) {
            return find_dead_letter(database, tenant, id);
        },
        std::move(done)
    );
}

void SqliteState::count_dead_letters(
    std::move_only_function<void(Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>>)>
        done
) {
    worker_.run(
        [](SqliteDatabase& database) { return count_by_subscription(database); }, std::move(done)
    );
}

void SqliteState::oldest_dead_letter(
    std::move_only_function<void(Result<std::optional<WallTime>>)> done
) {
    worker_.run(
        [](SqliteDatabase& database) { return time_of_oldest_dead_letter(database); },
        std::move(done)
    );
}

void SqliteState::list_attempts(
    SubscriptionKey subscription,
    std::optional<Offset> offset,
    std::move_only_function<void(Result<std::vector<AttemptRow>>)> done
) {
    worker_.run(
        [subscription = std::move(subscription), offset](SqliteDatabase& database) {
            return select_attempts(database, subscription, offset);
        },
        std::move(done)
    );
}

}  // namespace belfry
