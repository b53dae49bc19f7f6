#include "engine/embedded/sqlite_schema.h"

#include "engine/embedded/crash_point.h"

namespace belfry {

namespace {

// Up to this many pages (4 MiB) the whole file is checked at start, a few milliseconds. Damage in a
// larger one is found when it is read.
constexpr std::int64_t kCheckedPages = 1024;

// store has one row. Times are microseconds since 1970; offsets stay below 2^63.
// `position` is the order of insertion; AUTOINCREMENT, because a page's `next` must stay true after
// deletions. Every index ends in `position`, so that a page is read in order without sorting; the
// one by subscription also answers the counts.
constexpr const char* kTables = R"sql(
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    live_mark INTEGER NOT NULL,
    next_offset INTEGER NOT NULL);
INSERT INTO store VALUES (1, 0, 0, 0);
CREATE TABLE documents (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cursors (
    subscription TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    live INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE exceptions (
    subscription TEXT NOT NULL,
    event INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    step INTEGER NOT NULL,
    order_key INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (subscription, event)) WITHOUT ROWID;
CREATE TABLE attempts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    event INTEGER NOT NULL,
    uuid_low INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT NOT NULL,
    response TEXT NOT NULL,
    next_at INTEGER,
    settled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX attempts_by_event ON attempts (subscription, event, position);
CREATE INDEX attempts_by_position ON attempts (subscription, position);
CREATE INDEX attempts_settled ON attempts (subscription, position) WHERE settled = 1;
CREATE TABLE dead_letters (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    subscription TEXT NOT NULL,
    listener TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    event INTEGER NOT NULL,
    type TEXT NOT NULL,
    record BLOB NOT NULL,
    range_from INTEGER,
    range_to INTEGER,
    events INTEGER NOT NULL);
CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant, position);
CREATE INDEX dead_letters_by_type ON dead_letters (tenant, type, position);
CREATE INDEX dead_letters_by_subscription ON dead_letters (subscription, position, events);
CREATE INDEX dead_letters_by_event ON dead_letters (subscription, event);
)sql";

// Format 1 dropped the attempts of an event that settled: those it holds are not settled.
constexpr const char* kFromFormat1 = R"sql(
ALTER TABLE attempts ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_settled ON attempts (subscription, position) WHERE settled = 1;
PRAGMA user_version = 2;
)sql";

Result<void> create_tables(SqliteDatabase& database) {
    BELFRY_CRASH_POINT("schema.before_tables");
    return database.transaction([&] {
        return database.execute(
            std::string(kTables) + "PRAGMA application_id=" + std::to_string(kStateApplication) +
            "; PRAGMA user_version=" + std::to_string(kStateFormat)
        );
    });
}

Result<void> quick_check(SqliteDatabase& database) {
    SqliteQuery check = database.query("PRAGMA quick_check(1)");
    Result<bool> row = check.step();
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    if (std::string verdict = check.text(0); verdict != "ok") {
        return std::unexpected(database.damaged(verdict));
    }
    return {};
}

}  // namespace

Result<void> prepare_schema(SqliteDatabase& database) {
    Result<std::int64_t> pages = database.pragma("page_count");
    Result<std::int64_t> tables = database.pragma("schema_version");
    Result<std::int64_t> application = database.pragma("application_id");
    Result<std::int64_t> format = database.pragma("user_version");
    for (const Result<std::int64_t>* value : {&pages, &tables, &application, &format}) {
        if (!*value) {
            return std::unexpected(value->error());
        }
    }
    if (*tables == 0) {  // no schema was ever made
        return create_tables(database);
    }
    if (*application != kStateApplication) {
        return fail(
            Errc::internal,
            database.path() + " is a database of another program; name another data directory"
        );
    }
    if (*format < 1 || *format > kStateFormat) {
        return fail(
            Errc::internal,
            database.path() + " has format " + std::to_string(*format) +
                ", this Belfry knows format " + std::to_string(kStateFormat) +
                "; run the version that wrote it, or name another data directory"
        );
    }
    Result<void> result = *pages <= kCheckedPages ? quick_check(database) : Result<void>();
    if (result && *format == 1) {
        result = database.transaction([&] { return database.execute(kFromFormat1); });
    }
    return result;
}

}  // namespace belfry
