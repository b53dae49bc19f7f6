// Carries work to the SQLite thread and its result back to the loop; what SqliteKv and SqliteState
// share. I/O thread only. Work runs in the order given, results come back in that order. Loop and
// thread must outlive it; the database ends on the thread, after the work given before.
#pragma once

#include "base/task.h"
#include "engine/embedded/sqlite_database.h"

#include <memory>
#include <mutex>
#include <utility>

namespace belfry {

class SqliteWorker {
 public:
    SqliteWorker(std::shared_ptr<SqliteDatabase> database, Executor& loop, Executor& thread)
        : database_(std::move(database)), loop_(loop), thread_(thread) {}
    ~SqliteWorker() {
        thread_.post([database = std::move(database_)]() mutable { database.reset(); });
    }
    SqliteWorker(const SqliteWorker&) = delete;
    SqliteWorker& operator=(const SqliteWorker&) = delete;

    // `work(database)` runs on the thread; `done(its result)` on the loop.
    template <typename Work, typename Done>
    void run(Work work, Done done) {
        thread_.post([database = database_,
                      &loop = loop_,
                      work = std::move(work),
                      done = std::move(done)]() mutable {
            auto result = now(*database, work);
            database.reset();
            loop.post([result = std::move(result), done = std::move(done)]() mutable {
                done(std::move(result));
            });
        });
    }

    // `work(database)` at once, on the calling thread, beside whatever the thread does. For the
    // start.
    template <typename Work>
    auto run_here(Work work) {
        return now(*database_, work);
    }

 private:
    template <typename Work>
    static auto now(SqliteDatabase& database, Work& work) {
        std::lock_guard lock(database.mutex());
        return work(database);
    }

    std::shared_ptr<SqliteDatabase> database_;
    Executor& loop_;
    Executor& thread_;
};

}  // namespace belfry
