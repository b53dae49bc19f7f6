// The format of state.db: its tables, and the judgement whether a file is one that this program may
// use.
#pragma once

#include "base/error.h"
#include "engine/embedded/sqlite_database.h"

namespace belfry {

inline constexpr std::int64_t kStateFormat = 2;                // PRAGMA user_version
inline constexpr std::int64_t kStateApplication = 0x42656c66;  // PRAGMA application_id: "Belf"

// Creates the tables in an empty database and brings those of an earlier format up to this one;
// refuses, with Errc::internal and what to do, one that another program or a newer Belfry wrote,
// and one that is visibly damaged.
[[nodiscard]] Result<void> prepare_schema(SqliteDatabase& database);

}  // namespace belfry
