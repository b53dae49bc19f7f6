// The embedded Kv and State: two views of one SQLite database, DIR/state.db (0600, format:
// docs/state_format.md). Opened and owned by the wiring. `loop` and `sqlite_thread` must outlive
// the stores, and the thread must be drained before the loop goes: destroying a store posts its end
// to the thread, and the last one closes the file there with a checkpoint, so that a clean stop
// leaves state.db alone, without a write-ahead log.
//
// A change is durable when its callback runs: write-ahead log with synchronous=FULL, one sync per
// Kv write and one per State commit. The hub commits five times a second, so FULL costs a
// millisecond a second; NORMAL would lose the last seconds in a power cut and with them break "a
// cursor may step back, never past a dead letter".
#pragma once

#include "base/error.h"
#include "base/task.h"
#include "engine/kv.h"
#include "engine/state.h"

#include <memory>
#include <string>

namespace belfry {

struct SqliteStores {
    std::unique_ptr<Kv> kv;
    std::unique_ptr<State> state;
};

// Blocks; before the loop runs. `directory` must exist. Errors name the file and what to do:
//   conflict   another process has it open;
//   disk_full  no room to create it;
//   internal   damaged, not a Belfry database, written by a newer Belfry, or not accessible.
[[nodiscard]] Result<SqliteStores> open_sqlite_stores(
    const std::string& directory, Executor& loop, Executor& sqlite_thread
);

}  // namespace belfry
