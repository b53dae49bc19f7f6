#include "engine/embedded/sqlite_database.h"

#include "base/assert.h"
#include "engine/embedded/crash_point.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace belfry {

namespace {

bool is_disk_full(int code, int system_errno) {
    return (code & 0xff) == SQLITE_FULL ||
           ((code & 0xff) == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT));
}

bool is_failed_sync(int code) {
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

// Creates the file before SQLite does, because SQLite would leave its permissions to the umask. The
// write-ahead log takes the permissions of the database.
Result<void> create_private_file(const std::string& path) {
    Result<std::unique_ptr<File>> file = posix_file_system().open(path, OpenMode::create);
    if (!file) {
        return std::unexpected(file.error());
    }
    Result<std::uint64_t> size = (*file)->size();
    if (!size) {
        return std::unexpected(size.error());
    }
    if (*size == 0) {
        BELFRY_CRASH_POINT("sqlite.file_created");
        return posix_file_system().sync_directory(path.substr(0, path.rfind('/')));
    }
    return {};
}

}  // namespace

SqliteQuery::SqliteQuery(SqliteDatabase& database, sqlite3_stmt* statement, int code)
    : database_(database), statement_(statement), code_(code) {}

SqliteQuery::SqliteQuery(SqliteQuery&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      code_(other.code_) {}

SqliteQuery::~SqliteQuery() {
    if (statement_ != nullptr) {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
}

SqliteQuery& SqliteQuery::bind(int parameter, std::int64_t value) {
    if (code_ == SQLITE_OK) {
        code_ = sqlite3_bind_int64(statement_, parameter, value);
    }
    return *this;
}

SqliteQuery& SqliteQuery::bind(int parameter, std::uint64_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
}

SqliteQuery& SqliteQuery::bind(int parameter, std::uint32_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
}

SqliteQuery& SqliteQuery::bind(int parameter, std::string_view text) {
    if (code_ == SQLITE_OK) {
        // A null pointer would bind NULL instead of an empty text.
        const char* data = text.empty() ? "" : text.data();
        code_ = sqlite3_bind_text64(
            statement_, parameter, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8
        );
    }
    return *this;
}

SqliteQuery& SqliteQuery::bind(int parameter, Bytes bytes) {
    if (code_ == SQLITE_OK) {
        const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
        code_ = sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_TRANSIENT);
    }
    return *this;
}

SqliteQuery& SqliteQuery::bind_null(int parameter) {
    if (code_ == SQLITE_OK) {
        code_ = sqlite3_bind_null(statement_, parameter);
    }
    return *this;
}

Result<bool> SqliteQuery::step() {
    int code = code_ == SQLITE_OK ? sqlite3_step(statement_) : code_;
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    return std::unexpected(database_.error(code));
}

Result<void> SqliteQuery::run() {
    while (true) {
        Result<bool> row = step();
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        if (!*row) {
            return {};
        }
    }
}

std::int64_t SqliteQuery::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::uint64_t SqliteQuery::number(int column) const {
    return static_cast<std::uint64_t>(integer(column));
}

std::uint32_t SqliteQuery::small(int column) const {
    return static_cast<std::uint32_t>(integer(column));
}

std::string SqliteQuery::text(int column) const {
    const unsigned char* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) {
        return {};
    }
    auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<const char*>(data), size};
}

Bytes SqliteQuery::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {static_cast<const std::byte*>(data), data == nullptr ? 0 : size};
}

bool SqliteQuery::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path) {
    if (Result<void> created = create_private_file(path); !created) {
        return std::unexpected(std::move(created.error()));
    }
    std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
    int code = sqlite3_open_v2(
        path.c_str(),
        &database->connection_,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr
    );
    if (code != SQLITE_OK) {
        return std::unexpected(database->error(code));
    }
    // The file may have been tampered with: let nothing in its schema act, and check what is read.
    sqlite3_db_config(database->connection_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // Exclusive before WAL: the index of the write-ahead log then lives in memory, and no other
    // process can slip in between two transactions.
    Result<void> prepared = database->execute(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
        "PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;"
        "PRAGMA secure_delete=ON"  // what a document was leaves no bytes behind
    );
    if (prepared) {
        prepared = database->use_write_ahead_log();
    }
    if (!prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    return database;
}

Result<void> SqliteDatabase::use_write_ahead_log() {
    {
        SqliteQuery mode = query("PRAGMA journal_mode=WAL");
        Result<bool> row = mode.step();
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        if (mode.text(0) != "wal") {  // SQLite stays silent when it cannot
            return fail(Errc::internal, path_ + ": this file system allows no write-ahead log");
        }
    }
    return execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=4194304");
}

SqliteDatabase::~SqliteDatabase() {
    for (const auto& [sql, statement] : statements_) {
        sqlite3_finalize(statement);
    }
    int code = sqlite3_close(connection_);
    ASSERT(code == SQLITE_OK);  // else a statement is still open
}

SqliteQuery SqliteDatabase::query(std::string_view sql) {
    std::string key(sql);
    auto found = statements_.find(key);
    if (found == statements_.end()) {
        sqlite3_stmt* statement = nullptr;
        int code = sqlite3_prepare_v3(
            connection_,
            sql.data(),
            static_cast<int>(sql.size()),
            SQLITE_PREPARE_PERSISTENT,
            &statement,
            nullptr
        );
        if (code != SQLITE_OK) {
            return {*this, nullptr, code};
        }
        found = statements_.emplace(std::move(key), statement).first;
    }
    ASSERT(sqlite3_stmt_busy(found->second) == 0);
    return {*this, found->second, SQLITE_OK};
}

Result<void> SqliteDatabase::execute(const std::string& sql) {
    int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return std::unexpected(error(code));
    }
    return {};
}

Result<void> SqliteDatabase::transaction(const std::function<Result<void>()>& body) {
    Result<void> result = query("BEGIN IMMEDIATE").run();
    if (!result) {
        return result;
    }
    BELFRY_CRASH_POINT("sqlite.begun");
    result = body();
    if (result) {
        BELFRY_CRASH_POINT("sqlite.before_commit");
        result = query("COMMIT").run();
        BELFRY_CRASH_POINT("sqlite.committed");
    }
    // Some failures (no room, an I/O error) have rolled back already.
    if (!result && sqlite3_get_autocommit(connection_) == 0) {
        sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    return result;
}

Result<std::int64_t> SqliteDatabase::pragma(const std::string& name) {
    SqliteQuery value = query("PRAGMA " + name);
    Result<bool> row = value.step();
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    return *row ? value.integer(0) : 0;
}

Error SqliteDatabase::damaged(std::string_view symptom) const {
    return Error{
        .code = Errc::internal,
        .detail = path_ + " is damaged (" + std::string(symptom) +
                  "): put back a copy from a backup, or move the file away to start without "
                  "subscriptions, cursors and dead letters; the events are not in it"
    };
}

Error SqliteDatabase::error(int code) const {
    std::string text = connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_);
    int primary = code & 0xff;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        return damaged(text);
    }
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
        return Error{.code = Errc::conflict, .detail = path_ + " is in use by another process"};
    }
    int system_errno = connection_ == nullptr ? 0 : sqlite3_system_errno(connection_);
    Errc kind = is_disk_full(code, system_errno) ? Errc::disk_full
                : is_failed_sync(code)           ? Errc::outcome_unknown
                                                 : Errc::internal;
    return Error{
        .code = kind, .detail = path_ + ": " + text + " (SQLite " + std::to_string(code) + ")"
    };
}

}  // namespace belfry
