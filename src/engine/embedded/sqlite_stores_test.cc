#include "engine/embedded/sqlite_stores.h"

#include "base/worker_thread.h"
#include "engine/embedded/sqlite_kv.h"
#include "engine/embedded/sqlite_schema.h"
#include "engine/embedded/sqlite_state.h"
#include "engine/test_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace belfry {
namespace {

using testing::HasSubstr;

class SqliteStoresTest : public testing::Test {
 protected:
    [[nodiscard]] std::string file() const { return directory_.path() + "/state.db"; }
    Result<SqliteStores> open() { return open_sqlite_stores(directory_.path(), loop_, thread_); }
    Result<SqliteStores> open_in(const std::string& directory) {
        return open_sqlite_stores(directory, loop_, thread_);
    }
    void settle() {
        while (thread_.run_all() + loop_.run_all() > 0) {
        }
    }
    // Stores `count` documents of `size` bytes and a dead letter, and closes.
    void fill(int count, std::size_t size) {
        SqliteStores stores = open().value();
        for (int i = 0; i < count; ++i) {
            stores.kv->put("doc/" + std::to_string(i), std::string(size, 'x'), {}, [](auto result) {
                ASSERT_TRUE(result.has_value());
            });
        }
        settle();
        stores = {};
        settle();
    }
    std::string open_error() {
        Result<SqliteStores> result = open();
        settle();
        if (result) {
            *result = {};
            settle();
            return "it opened";
        }
        return result.error().detail;
    }
    void overwrite(std::streamoff position, const std::string& bytes) {
        std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(position);
        stream << bytes;
    }

    TemporaryDirectory directory_;
    ManualExecutor loop_;
    ManualExecutor thread_;
};

TEST_F(SqliteStoresTest, TheFileIsPrivateAndAloneAfterACleanStop) {
    mode_t before = umask(0);
    fill(3, 10);
    umask(before);
    struct stat status{};
    ASSERT_EQ(stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
        names.push_back(entry.path().filename());
    }
    EXPECT_THAT(names, testing::ElementsAre("state.db")) << "no write-ahead log is left";
}

TEST_F(SqliteStoresTest, TheWriteAheadLogIsPrivateToo) {
    mode_t before = umask(0);
    SqliteStores stores = open().value();
    umask(before);
    struct stat status{};
    ASSERT_EQ(stat((file() + "-wal").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    stores = {};
    settle();
}

TEST_F(SqliteStoresTest, EveryCommitIsSynced) {
    std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
    EXPECT_EQ(database->pragma("synchronous").value(), 2) << "FULL";
    SqliteQuery mode = database->query("PRAGMA journal_mode");
    ASSERT_TRUE(mode.step().value());
    EXPECT_EQ(mode.text(0), "wal");
}

// What a killed process leaves: the files as they are, nothing checkpointed.
TEST_F(SqliteStoresTest, WhatWasAnsweredSurvivesAKill) {
    SqliteStores stores = open().value();
    int answered = 0;
    for (int i = 0; i < 50; ++i) {
        stores.kv->put("doc/" + std::to_string(i), "v", {}, [&](auto result) {
            answered += result.has_value() ? 1 : 0;
        });
    }
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{5}, true}};
    stores.state->commit(changes, [&](Result<void> result) {
        answered += result.has_value() ? 1 : 0;
    });
    settle();
    ASSERT_EQ(answered, 51);
    TemporaryDirectory copy;
    for (const char* name : {"/state.db", "/state.db-wal"}) {
        std::filesystem::copy_file(directory_.path() + name, copy.path() + name);
    }
    stores = {};
    settle();

    SqliteStores revived = open_in(copy.path()).value();
    std::size_t found = 0;
    revived.kv->list("doc/", [&](Result<std::vector<KvEntry>> entries) {
        found = entries.value().size();
    });
    settle();
    EXPECT_EQ(found, 50U);
    EXPECT_EQ(revived.state->load().value().cursors.at(0).cursor, Offset{5});
    revived = {};
    settle();
}

// A power cut may tear the last write: what was committed before it stays, the torn transaction is
// absent.
TEST_F(SqliteStoresTest, ATornTailOfTheWriteAheadLogIsCut) {
    SqliteStores stores = open().value();
    stores.kv->put("first", "1", {}, [](auto) {});
    settle();
    auto whole = std::filesystem::file_size(file() + "-wal");
    stores.kv->put("second", "2", {}, [](auto) {});
    settle();
    TemporaryDirectory copy;
    for (const char* name : {"/state.db", "/state.db-wal"}) {
        std::filesystem::copy_file(directory_.path() + name, copy.path() + name);
    }
    auto torn = std::filesystem::file_size(copy.path() + "/state.db-wal");
    ASSERT_GT(torn, whole);
    std::filesystem::resize_file(copy.path() + "/state.db-wal", torn - 100);
    stores = {};
    settle();

    SqliteStores revived = open_in(copy.path()).value();
    std::string keys;
    revived.kv->list("", [&](Result<std::vector<KvEntry>> entries) {
        for (const KvEntry& entry : entries.value()) {
            keys += entry.key + " ";
        }
    });
    settle();
    EXPECT_EQ(keys, "first ");
    revived = {};
    settle();
}

TEST_F(SqliteStoresTest, RefusesAFileThatIsNoDatabase) {
    std::ofstream(file()) << std::string(8192, 'n');
    std::string error = open_error();
    EXPECT_THAT(error, HasSubstr(file()));
    EXPECT_THAT(error, HasSubstr("damaged"));
    EXPECT_THAT(error, HasSubstr("backup"));
}

TEST_F(SqliteStoresTest, RefusesADamagedDatabase) {
    fill(200, 500);
    auto size = static_cast<std::streamoff>(std::filesystem::file_size(file()));
    ASSERT_EQ(open_error(), "it opened") << "undamaged";
    overwrite(size / 2, std::string(4096, '\xa5'));
    std::string error = open_error();
    EXPECT_THAT(error, HasSubstr(file()));
    EXPECT_THAT(error, HasSubstr("damaged"));
    EXPECT_THAT(error, HasSubstr("backup"));
}

TEST_F(SqliteStoresTest, RefusesACutDatabase) {
    fill(200, 500);
    std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
    EXPECT_THAT(open_error(), HasSubstr("damaged"));
}

// One flipped byte anywhere must never crash: it opens, or it is refused with the file's name.
TEST_F(SqliteStoresTest, SurvivesAFlippedByteAnywhere) {
    fill(40, 300);
    std::string good;
    {
        std::ifstream stream(file(), std::ios::binary);
        good.assign(std::istreambuf_iterator<char>(stream), {});
    }
    int refused = 0;
    for (std::size_t position = 0; position < good.size(); position += 397) {
        std::string bad = good;
        bad[position] = static_cast<char>(bad[position] ^ 0x55);
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bad;
        Result<SqliteStores> stores = open();
        if (!stores) {
            ++refused;
            EXPECT_THAT(stores.error().detail, HasSubstr(file()));
            continue;
        }
        (void)stores->state->load();
        stores->kv->list("", [](auto) {});
        stores->kv->put("doc/1", "new", {}, [](auto) {});
        stores->state->list_dead_letters({}, [](auto) {});
        settle();
        *stores = {};
        settle();
    }
    EXPECT_GT(refused, 0) << "some of them must have been noticed";
}

TEST_F(SqliteStoresTest, RefusesANewerFormat) {
    fill(1, 1);
    {
        std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
        ASSERT_TRUE(database->execute("PRAGMA user_version=3").has_value());
    }
    std::string error = open_error();
    EXPECT_THAT(error, HasSubstr(file() + " has format 3, this Belfry knows format 2"));
}

// Format 1 had no column `settled`; what it holds is of events that are retried or dead letters.
TEST_F(SqliteStoresTest, BringsFormat1UpToDateAndKeepsWhatItHolds) {
    {
        SqliteStores stores = open().value();
        StateChanges changes;
        changes.cursors = {{"default/a", Offset{9}, false}};
        changes.exceptions = {{.subscription = "default/a", .offset = Offset{3}, .attempts = 1}};
        changes.attempts = {{.subscription = "default/a", .offset = Offset{3}, .error = "no"}};
        stores.state->commit(changes, [](auto result) { ASSERT_TRUE(result.has_value()); });
        settle();
        stores = {};
        settle();
        std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
        ASSERT_TRUE(database
                        ->execute("DROP INDEX attempts_settled; ALTER TABLE attempts DROP COLUMN "
                                  "settled; PRAGMA user_version=1")
                        .has_value());
    }
    for (int start = 1; start <= 2; ++start) {
        SqliteStores stores = open().value();
        EXPECT_EQ(stores.state->load().value().exceptions.size(), 1U);
        StateChanges settled;
        settled.exceptions = {
            {.subscription = "default/a", .offset = Offset{3}, .erased = start == 2}
        };
        stores.state->commit(settled, [](auto result) { EXPECT_TRUE(result.has_value()); });
        std::size_t attempts = 0;
        stores.state->list_attempts("default/a", {}, [&](auto rows) {
            attempts = rows.value().size();
        });
        settle();
        EXPECT_EQ(attempts, 1U);
        stores = {};
        settle();
    }
    std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
    EXPECT_EQ(database->pragma("user_version").value(), 2);
    SqliteQuery settled = database->query("SELECT count(*) FROM attempts WHERE settled = 1");
    ASSERT_TRUE(settled.step().value());
    EXPECT_EQ(settled.integer(0), 1);
}

// A start that was cut short leaves format 1 or format 2, never something between.
TEST_F(SqliteStoresTest, AnUpdateOfTheFormatThatFailsChangesNothing) {
    fill(1, 1);
    {
        std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
        // The column goes, its index cannot be made again: the second statement fails.
        ASSERT_TRUE(database
                        ->execute("DROP INDEX attempts_settled; ALTER TABLE attempts DROP COLUMN "
                                  "settled; CREATE INDEX attempts_settled ON attempts (at); PRAGMA "
                                  "user_version=1")
                        .has_value());
    }
    EXPECT_THAT(open_error(), HasSubstr(file()));
    std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
    EXPECT_EQ(database->pragma("user_version").value(), 1);
    EXPECT_FALSE(database->query("SELECT settled FROM attempts").step().has_value());
}

TEST_F(SqliteStoresTest, RefusesTheDatabaseOfAnotherProgram) {
    {
        std::unique_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
        ASSERT_TRUE(database->execute("CREATE TABLE notes (text TEXT)").has_value());
    }
    EXPECT_THAT(open_error(), HasSubstr("another program"));
}

TEST_F(SqliteStoresTest, RefusesADirectoryThatIsNotThere) {
    Result<SqliteStores> result = open_in(directory_.path() + "/missing");
    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().detail, HasSubstr(directory_.path() + "/missing"));
}

TEST_F(SqliteStoresTest, BelongsToOneProcess) {
    SqliteStores stores = open().value();
    pid_t child = fork();
    if (child == 0) {
        Result<SqliteStores> second = open();
        _exit(
            !second && second.error().code == Errc::conflict &&
                    second.error().detail.find("in use") != std::string::npos
                ? 0
                : 1
        );
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stores = {};
    settle();
    EXPECT_EQ(open_error(), "it opened") << "once it was closed";
}

TEST_F(SqliteStoresTest, AFullDiskRefusesTheWriteAndKeepsTheRest) {
    std::shared_ptr<SqliteDatabase> database = SqliteDatabase::open(file()).value();
    ASSERT_TRUE(prepare_schema(*database).has_value());
    std::int64_t pages = database->pragma("page_count").value();
    SqliteKv kv(database, loop_, thread_);
    SqliteState state(database, loop_, thread_);
    kv.put("before", "1", {}, [](auto result) { ASSERT_TRUE(result.has_value()); });
    settle();
    ASSERT_TRUE(database->execute("PRAGMA max_page_count=" + std::to_string(pages)).has_value());

    std::optional<Errc> put;
    kv.put("big", std::string(100'000, 'x'), {}, [&](auto result) { put = result.error().code; });
    std::optional<Errc> commit;
    StateChanges changes;
    changes.cursors = {{"default/a", Offset{1}, true}};
    DeadLetterRow letter;
    letter.id = "x";
    letter.record.resize(100'000);
    changes.dead_letters = {letter};
    state.commit(changes, [&](auto result) { commit = result.error().code; });
    settle();
    EXPECT_EQ(put, Errc::disk_full);
    EXPECT_EQ(commit, Errc::disk_full);
    EXPECT_TRUE(state.load().value().cursors.empty()) << "all or none";

    ASSERT_TRUE(database->execute("PRAGMA max_page_count=1000000").has_value());
    state.commit(changes, [](auto result) { EXPECT_TRUE(result.has_value()) << "space is back"; });
    kv.put("big", "small", {}, [](auto result) {
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(result->value, 2U) << "the refused write took no revision";
    });
    settle();
    EXPECT_EQ(state.load().value().cursors.size(), 1U);
    database.reset();
}

TEST_F(SqliteStoresTest, AnswersAfterTheStoreIsGoneAreNotGiven) {
    SqliteStores stores = open().value();
    bool told = false;
    stores.kv->watch("", [&](const KvChange&) { told = true; }, [&] { told = true; });
    stores.kv->put("a", "1", {}, [&](auto) { told = true; });
    stores.kv = nullptr;
    settle();
    EXPECT_FALSE(told);
    stores = {};
    settle();
}

TEST(SqliteStoresThreads, WorkOnARealThread) {
    TemporaryDirectory directory;
    struct Loop final : Executor {
        void post(Task task) override {
            std::lock_guard lock(mutex);
            tasks.push_back(std::move(task));
            wake.notify_one();
        }
        void run(int count) {
            for (; count > 0; --count) {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return !tasks.empty(); });
                Task task = std::move(tasks.front());
                tasks.pop_front();
                lock.unlock();
                task();
            }
        }
        std::mutex mutex;
        std::condition_variable wake;
        std::deque<Task> tasks;
    } loop;
    int done = 0;
    {
        WorkerThread thread("sqlite");
        SqliteStores stores = open_sqlite_stores(directory.path(), loop, thread).value();
        for (int i = 0; i < 100; ++i) {
            stores.kv->put("k" + std::to_string(i), "v", {}, [&](auto result) {
                done += result.has_value() ? 1 : 0;
            });
            StateChanges changes;
            changes.cursors = {{"default/a", Offset{static_cast<std::uint64_t>(i)}, true}};
            stores.state->commit(changes, [&](auto result) { done += result.has_value() ? 1 : 0; });
            if (i % 10 == 0) {
                EXPECT_TRUE(stores.state->load().has_value()) << "beside the thread's work";
            }
        }
        loop.run(200);
    }
    EXPECT_EQ(done, 200);
    EXPECT_FALSE(std::filesystem::exists(directory.path() + "/state.db-wal")) << "closed cleanly";
}

}  // namespace
}  // namespace belfry
