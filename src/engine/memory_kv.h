// A Kv in memory, for tests: deterministic, and as slow, failing or forgetful as its device is told
// to be. Keeps the contract of engine/kv.h to the letter; the same tests run against it and the
// embedded one.
#pragma once

#include "engine/kv.h"
#include "engine/memory_device.h"

#include <map>
#include <memory>

namespace belfry {

class MemoryKv final : public Kv {
 public:
    explicit MemoryKv(Executor& loop) : device_(loop) {}

    [[nodiscard]] MemoryDevice& device() { return device_; }
    // The process dies and starts again: what was durable stays, watchers are gone.
    void crash();

    void get(std::string key, EntryDone done) override;
    void put(std::string key, std::string value, Expect expect, RevisionDone done) override;
    void remove(std::string key, Expect expect, RevisionDone done) override;
    void list(std::string prefix, ListDone done) override;
    void watch(std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready)
        override;

 private:
    struct Document {
        std::string value;
        Revision revision;
    };
    struct Watcher {
        std::string prefix;
        std::function<void(const KvChange&)> on_change;
        bool ready = false;
    };

    [[nodiscard]] Result<void> check(const std::string& key, const Expect& expect) const;
    [[nodiscard]] std::vector<KvEntry> entries(const std::string& prefix) const;
    void tell(const KvChange& change);

    MemoryDevice device_;
    // Durable.
    std::map<std::string, Document> documents_;
    Revision last_;
    // Lost in a crash.
    std::vector<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace belfry
