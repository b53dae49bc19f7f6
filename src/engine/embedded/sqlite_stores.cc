#include "engine/embedded/sqlite_stores.h"

#include "engine/embedded/sqlite_kv.h"
#include "engine/embedded/sqlite_schema.h"
#include "engine/embedded/sqlite_state.h"

namespace belfry {

Result<SqliteStores> open_sqlite_stores(
    const std::string& directory, Executor& loop, Executor& sqlite_thread
) {
    Result<std::unique_ptr<SqliteDatabase>> opened = SqliteDatabase::open(directory + "/state.db");
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    std::shared_ptr<SqliteDatabase> database = std::move(*opened);
    if (Result<void> prepared = prepare_schema(*database); !prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    SqliteStores stores;
    stores.kv = std::make_unique<SqliteKv>(database, loop, sqlite_thread);
    stores.state = std::make_unique<SqliteState>(std::move(database), loop, sqlite_thread);
    return stores;
}

}  // namespace belfry
