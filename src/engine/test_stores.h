// What the contract tests of Kv and State need of an engine: both stores, a loop to run, and a
// restart.
#pragma once

#include "base/assert.h"
#include "base/manual_clock.h"
#include "engine/embedded/sqlite_stores.h"
#include "engine/memory_kv.h"
#include "engine/memory_state.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace belfry {

class TestStores {
 public:
    virtual ~TestStores() = default;
    [[nodiscard]] virtual Kv& kv() = 0;
    [[nodiscard]] virtual State& state() = 0;
    // Runs everything that was asked to its answer.
    virtual void settle() = 0;
    // Ends the stores in good order and opens them again.
    virtual void restart() = 0;
};

class MemoryStores final : public TestStores {
 public:
    Kv& kv() override { return kv_; }
    State& state() override { return state_; }
    void settle() override { loop_.run_all(); }
    void restart() override {
        settle();
        kv_.crash();
        state_.crash();
    }

 private:
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    MemoryState state_{loop_};
};

// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
    TemporaryDirectory() {
        std::string name = "/tmp/belfry_test_XXXXXX";
        ASSERT(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
};

class EmbeddedStores final : public TestStores {
 public:
    EmbeddedStores() { open(); }
    ~EmbeddedStores() override { close(); }
    Kv& kv() override { return *stores_.kv; }
    State& state() override { return *stores_.state; }
    void settle() override {
        while (thread_.run_all() + loop_.run_all() > 0) {
        }
    }
    void restart() override {
        close();
        open();
    }
    [[nodiscard]] const std::string& directory() const { return directory_.path(); }

 private:
    void open() {
        Result<SqliteStores> opened = open_sqlite_stores(directory_.path(), loop_, thread_);
        ASSERT(opened.has_value());
        stores_ = std::move(*opened);
    }
    void close() {
        settle();
        stores_ = {};
        settle();
    }

    TemporaryDirectory directory_;
    ManualExecutor loop_;
    ManualExecutor thread_;
    SqliteStores stores_;
};

}  // namespace belfry
