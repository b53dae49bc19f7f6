// Kv: small documents with revisions, watched. Keys are paths ("subscriptions/default/chat"),
// values JSON of at most limits.document_bytes, thousands of them. I/O thread only, callbacks too.
#pragma once

#include "base/error.h"
#include "base/task.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace belfry {

// A document's revision: rises with every write of the store, never 0.
struct Revision {
    std::uint64_t value = 0;
    auto operator<=>(const Revision&) const = default;
};

struct KvEntry {
    std::string key;
    std::string value;
    Revision revision;
};
struct KvChange {
    std::string key;
    std::optional<std::string> value;  // nullopt: deleted
    Revision revision;
};

// What a write expects to find: any, absent, or exactly this revision.
struct Expect {
    enum class Kind : std::uint8_t { any, absent, revision };
    Kind kind = Kind::any;
    Revision revision;
};

class Kv {
 public:
    virtual ~Kv() = default;
    using EntryDone = std::move_only_function<void(Result<KvEntry>)>;
    using RevisionDone = std::move_only_function<void(Result<Revision>)>;
    using ListDone = std::move_only_function<void(Result<std::vector<KvEntry>>)>;

    // not_found.
    virtual void get(std::string key, EntryDone done) = 0;
    // Durable when `done` runs. `conflict` (absent expected) or `precondition_failed` (revision
    // expected).
    virtual void put(std::string key, std::string value, Expect expect, RevisionDone done) = 0;
    // Durable when `done` runs. not_found, precondition_failed.
    virtual void remove(std::string key, Expect expect, RevisionDone done) = 0;
    // Entries whose key starts with `prefix`, by key.
    virtual void list(std::string prefix, ListDone done) = 0;
    // Calls `on_change` for what exists now, then `on_ready` once, then `on_change` for every later
    // change, ours included, in revision order, before the writer's `done`. For the life of the
    // store.
    virtual void watch(
        std::string prefix, std::function<void(const KvChange&)> on_change, Task on_ready
    ) = 0;
};

}  // namespace belfry
