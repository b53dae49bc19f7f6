// State on SQLite: cursors, exceptions, attempts and dead letters, one transaction and one sync per
// commit. I/O thread only; the work is done on the SQLite thread. Tables: sqlite_schema.cc.
#pragma once

#include "engine/embedded/sqlite_worker.h"
#include "engine/state.h"

#include <memory>

namespace belfry {

class SqliteState final : public State {
 public:
    // `database` holds the schema. Loop and thread must outlive it.
    SqliteState(std::shared_ptr<SqliteDatabase> database, Executor& loop, Executor& sqlite_thread)
        : worker_(std::move(database), loop, sqlite_thread) {}

    [[nodiscard]] Result<StateSnapshot> load() override;
    void commit(StateChanges changes, std::move_only_function<void(Result<void>)> done) override;
    void list_dead_letters(
        DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done
    ) override;
    void get_dead_letter(
        std::string tenant,
        std::string id,
        std::move_only_function<void(Result<DeadLetterRow>)> done
    ) override;
    void count_dead_letters(
        std::move_only_function<
            void(Result<std::vector<std::pair<SubscriptionKey, std::uint64_t>>>)> done
    ) override;
    void oldest_dead_letter(std::move_only_function<void(Result<std::optional<WallTime>>)> done
    ) override;
    void list_attempts(
        SubscriptionKey subscription,
        std::optional<Offset> offset,
        std::move_only_function<void(Result<std::vector<AttemptRow>>)> done
    ) override;

 private:
    SqliteWorker worker_;
};

}  // namespace belfry
