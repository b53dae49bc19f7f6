// Kv on SQLite: the table `documents`, one transaction and one sync per write. I/O thread only; the
// work is done on the SQLite thread. Watchers hear of a write when its answer comes back, before
// the writer.
#pragma once

#include "engine/embedded/sqlite_worker.h"
#include "engine/kv.h"

#include <memory>

namespace belfry {

class SqliteKv final : public Kv {
 public:
    // `database` holds the schema. Loop and thread must outlive it.
    SqliteKv(std::shared_ptr<SqliteDatabase> database, Executor& loop, Executor& sqlite_thread);

    void get(std::string key, EntryDone done) override;
    void put(std::string key, std::string value, Expect expect, RevisionDone done) override;
    void remove(std::string key, Expect expect, RevisionDone done) override;
    void list(std::string prefix, ListDone done) override;
    void watch(std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready)
        override;

 private:
    struct Watcher {
        std::string prefix;
        std::function<void(const KvChange&)> on_change;
        bool ready = false;
    };
    using Watchers = std::vector<std::shared_ptr<Watcher>>;

    // Answers a write: the watchers first. Nothing if the store is gone by then.
    [[nodiscard]] auto answer(RevisionDone done);

    SqliteWorker worker_;
    std::shared_ptr<Watchers> watchers_;
};

}  // namespace belfry
