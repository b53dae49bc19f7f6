// One SQLite database and the statements prepared on it: the least that makes SQLite's C interface
// safe to use. Calls block. Not thread-safe: whoever uses it holds mutex(); the embedded stores do
// so on the SQLite thread. A committed transaction is durable. Errors name the file and what was
// being done: no room is Errc::disk_full, a sync that failed Errc::outcome_unknown, everything else
// Errc::internal.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace belfry {

class SqliteDatabase;

// One run of a prepared statement; the statement is ready for the next run when this ends. Bound
// texts and bytes are copied. Parameters count from 1, columns from 0. Lives shorter than its
// database.
class SqliteQuery {
 public:
    ~SqliteQuery();
    SqliteQuery(SqliteQuery&& other) noexcept;
    SqliteQuery& operator=(SqliteQuery&&) = delete;

    SqliteQuery& bind(int parameter, std::int64_t value);
    SqliteQuery& bind(int parameter, std::uint64_t value);  // kept as its 64 bits
    SqliteQuery& bind(int parameter, std::uint32_t value);
    SqliteQuery& bind(int parameter, std::string_view text);
    SqliteQuery& bind(int parameter, Bytes bytes);
    SqliteQuery& bind_null(int parameter);

    // True: there is a row to read. False: the statement is done.
    [[nodiscard]] Result<bool> step();
    // Runs it to its end; rows are dropped.
    [[nodiscard]] Result<void> run();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::uint64_t number(int column) const;  // what bind(uint64) kept
    [[nodiscard]] std::uint32_t small(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Bytes bytes(int column) const;  // valid until the next step
    [[nodiscard]] bool is_null(int column) const;

 private:
    friend class SqliteDatabase;
    SqliteQuery(SqliteDatabase& database, sqlite3_stmt* statement, int code);

    SqliteDatabase& database_;
    sqlite3_stmt* statement_;  // nullptr: preparing or binding failed with code_
    int code_;
};

class SqliteDatabase {
 public:
    // Opens or creates the file (0600) and takes it for this process alone. Errc::conflict if
    // another has it.
    [[nodiscard]] static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path);
    // Checkpoints and closes.
    ~SqliteDatabase();
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    // The statement `sql` (a literal: each text is prepared once and kept). One run of it at a
    // time.
    [[nodiscard]] SqliteQuery query(std::string_view sql);
    // Statements without parameters or rows, not kept.
    [[nodiscard]] Result<void> execute(const std::string& sql);
    // Runs `body` in a transaction and commits it; on an error of `body` or of the commit nothing
    // of it remains.
    [[nodiscard]] Result<void> transaction(const std::function<Result<void>()>& body);
    [[nodiscard]] Result<std::int64_t> pragma(const std::string& name);

    [[nodiscard]] std::mutex& mutex() { return mutex_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    // The error for a result code of the last call.
    [[nodiscard]] Error error(int code) const;
    // The error for a file that cannot be trusted.
    [[nodiscard]] Error damaged(std::string_view symptom) const;

 private:
    explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] Result<void> use_write_ahead_log();

    const std::string path_;
    std::mutex mutex_;
    // Guarded by mutex_.
    sqlite3* connection_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace belfry
