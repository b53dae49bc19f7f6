#include "engine/embedded/sqlite_kv.h"

#include "base/logging.h"
#include "engine/embedded/crash_point.h"
#include "engine/kv_expect.h"

namespace belfry {

namespace {

// The first text after all that start with `prefix`; empty if there is none. Texts compare as
// bytes.
std::string after_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff') {
        prefix.pop_back();
    }
    if (!prefix.empty()) {
        prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    }
    return prefix;
}

KvEntry read_entry(const SqliteQuery& row) {
    return KvEntry{row.text(0), row.text(1), Revision{row.number(2)}};
}

Result<KvEntry> get_document(SqliteDatabase& database, const std::string& key) {
    SqliteQuery query = database.query("SELECT key, value, revision FROM documents WHERE key = ?1");
    Result<bool> row = query.bind(1, key).step();
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    return *row ? Result<KvEntry>(read_entry(query)) : no_document(key);
}

Result<std::vector<KvEntry>> list_documents(SqliteDatabase& database, const std::string& prefix) {
    std::string end = after_prefix(prefix);
    SqliteQuery query = database.query(
        end.empty() ? "SELECT key, value, revision FROM documents WHERE key >= ?1 ORDER BY key"
                    : "SELECT key, value, revision FROM documents WHERE key >= ?1 AND key < ?2 "
                      "ORDER BY key"
    );
    query.bind(1, prefix);
    if (!end.empty()) {
        query.bind(2, end);
    }
    std::vector<KvEntry> entries;
    while (true) {
        Result<bool> row = query.step();
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        if (!*row) {
            return entries;
        }
        entries.push_back(read_entry(query));
    }
}

// Inside a transaction: checks the expectation and takes the next revision.
Result<Revision> next_revision(
    SqliteDatabase& database, const std::string& key, const Expect& expect, bool must_exist
) {
    Result<KvEntry> current = get_document(database, key);
    if (!current && (current.error().code != Errc::not_found)) {
        return std::unexpected(std::move(current.error()));
    }
    std::optional<Revision> revision = current ? std::optional(current->revision) : std::nullopt;
    if (Result<void> allowed = check_expect(key, expect, revision); !allowed) {
        return std::unexpected(std::move(allowed.error()));
    }
    if (must_exist && !revision) {
        return no_document(key);
    }
    SqliteQuery query =
        database.query("UPDATE store SET revision = revision + 1 RETURNING revision");
    Result<bool> row = query.step();
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    if (!*row) {
        return std::unexpected(database.damaged("the table store is empty"));
    }
    return Revision{query.number(0)};
}

Result<KvChange> put_document(SqliteDatabase& database, KvEntry entry, const Expect& expect) {
    Result<void> result = database.transaction([&]() -> Result<void> {
        Result<Revision> revision = next_revision(database, entry.key, expect, false);
        if (!revision) {
            return std::unexpected(std::move(revision.error()));
        }
        entry.revision = *revision;
        BELFRY_CRASH_POINT("kv.before_put");
        return database.query("INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3)")
            .bind(1, entry.key)
            .bind(2, entry.value)
            .bind(3, entry.revision.value)
            .run();
    });
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return KvChange{std::move(entry.key), std::move(entry.value), entry.revision};
}

Result<KvChange> remove_document(SqliteDatabase& database, std::string key, const Expect& expect) {
    Revision taken;
    Result<void> result = database.transaction([&]() -> Result<void> {
        Result<Revision> revision = next_revision(database, key, expect, true);
        if (!revision) {
            return std::unexpected(std::move(revision.error()));
        }
        taken = *revision;
        BELFRY_CRASH_POINT("kv.before_remove");
        return database.query("DELETE FROM documents WHERE key = ?1").bind(1, key).run();
    });
    if (!result) {
        return std::unexpected(std::move(result.error()));
    }
    return KvChange{std::move(key), std::nullopt, taken};
}

}  // namespace

SqliteKv::SqliteKv(
    std::shared_ptr<SqliteDatabase> database, Executor& loop, Executor& sqlite_thread
)
    : worker_(std::move(database), loop, sqlite_thread), watchers_(std::make_shared<Watchers>()) {}

void SqliteKv::get(std::string key, EntryDone done) {
    worker_.run(
        [key = std::move(key)](SqliteDatabase& database) { return get_document(database, key); },
        std::move(done)
    );
}

void SqliteKv::list(std::string prefix, ListDone done) {
    worker_.run(
        [prefix = std::move(prefix)](SqliteDatabase& database) {
            return list_documents(database, prefix);
        },
        std::move(done)
    );
}

auto SqliteKv::answer(RevisionDone done) {
    return [alive = std::weak_ptr(watchers_),
            done = std::move(done)](Result<KvChange> change) mutable {
        std::shared_ptr<Watchers> watchers = alive.lock();
        if (!watchers) {
            return;
        }
        if (!change) {
            done(std::unexpected(std::move(change.error())));
            return;
        }
        for (std::size_t i = 0; i < watchers->size(); ++i) {  // a watcher may add another
            std::shared_ptr<Watcher> watcher = (*watchers)[i];
            if (watcher->ready && change->key.starts_with(watcher->prefix)) {
                watcher->on_change(*change);
            }
        }
        done(change->revision);
    };
}

void SqliteKv::put(std::string key, std::string value, Expect expect, RevisionDone done) {
    KvEntry entry{std::move(key), std::move(value), {}};
    worker_.run(
        [entry = std::move(entry), expect](SqliteDatabase& database) mutable {
            return put_document(database, std::move(entry), expect);
        },
        answer(std::move(done))
    );
}

void SqliteKv::remove(std::string key, Expect expect, RevisionDone done) {
    worker_.run(
        [key = std::move(key), expect](SqliteDatabase& database) mutable {
            return remove_document(database, std::move(key), expect);
        },
        answer(std::move(done))
    );
}

void SqliteKv::watch(
    std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready
) {
    auto watcher = std::make_shared<Watcher>(prefix, std::move(on_change));
    watchers_->push_back(watcher);
    // Results come back in the order of the work: writes before the list are in it and not told,
    // writes after it are told after it.
    list(
        std::move(prefix),
        [alive = std::weak_ptr(watcher),
         on_ready = std::move(on_ready)](Result<std::vector<KvEntry>> entries) mutable {
            std::shared_ptr<Watcher> watching = alive.lock();
            if (!watching) {
                return;
            }
            if (!entries) {  // not ready, for good: readiness shows it
                log_error("documents cannot be read", {{"error", entries.error().detail}});
                return;
            }
            watching->ready = true;
            for (KvEntry& entry : *entries) {
                watching->on_change({std::move(entry.key), std::move(entry.value), entry.revision});
            }
            on_ready();
        }
    );
}

}  // namespace belfry
