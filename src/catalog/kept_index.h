// What is kept of an extension's index, so that its listeners are known before it answers again:
// the last good index, its ETag, since when listeners get events, and which wanted no more. One
// document for each extension in Kv, under `extension-indexes/<tenant>/<name>`. One that cannot be
// read is logged and counts as absent: the index is asked for anyway. KeptIndexes is owned by the
// wiring; the Kv and the limits must outlive it. I/O thread only.
#pragma once

#include "base/limits.h"
#include "engine/kv.h"
#include "event/event.h"
#include "event/steadybit_index.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// Of one of the index's listeners.
struct KeptFinding {
    Offset from{};        // the first event it gets
    std::string refused;  // why it is not called any more; empty: it is
    bool operator==(const KeptFinding&) const = default;
};

struct KeptIndex {
    std::string identity;  // of the extension; another one's index is not its
    std::string etag;
    SteadybitIndex index;
    std::vector<KeptFinding> findings;  // one for each of index.listeners
    bool operator==(const KeptIndex&) const = default;
};

[[nodiscard]] std::string kept_index_json(const KeptIndex& kept);
[[nodiscard]] Result<KeptIndex> parse_kept_index(std::string_view text, const Limits& limits);

class KeptIndexes {
 public:
    using Key = std::string;  // "<tenant>/<name>" of the extension
    using Done = std::move_only_function<void(Result<void>)>;
    using ByKey = std::map<Key, KeptIndex, std::less<>>;

    KeptIndexes(Kv& kv, const Limits& limits) : kv_(kv), limits_(limits) {}

    // All that can be read.
    void load(std::move_only_function<void(ByKey)> done);
    // Durable when `done` runs. too_large past limits.document_bytes: then none is kept.
    void put(const Key& key, const KeptIndex& kept, Done done);
    // Also if there is none.
    void remove(const Key& key, Done done);

 private:
    Kv& kv_;
    const Limits& limits_;
};

}  // namespace belfry
