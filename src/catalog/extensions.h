// Extensions: the registered extensions of Steadybit, kept in Kv under `extensions/<tenant>/<name>`
// and watched into memory. Those that configuration names are kept, too: so their identity, and
// with it their position, survives a restart. Owned by the wiring; the Kv and the limits must
// outlive it. I/O thread only.
#pragma once

#include "base/limits.h"
#include "catalog/extension.h"
#include "engine/kv.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class Extensions {
 public:
    using Done = std::move_only_function<void(Result<void>)>;
    using Key = std::string;  // "<tenant>/<name>"

    Extensions(Kv& kv, const Limits& limits) : kv_(kv), limits_(limits) {}

    [[nodiscard]] static Key key(std::string_view tenant, std::string_view name);

    // Begins to watch; `on_ready` runs when all documents were heard. One that cannot be read is
    // logged and left out; it stays in Kv.
    void start(Task on_ready);

    // nullptr if there is none. Valid until the next change of that extension.
    [[nodiscard]] const RegisteredExtension* find(std::string_view key) const;
    [[nodiscard]] const RegisteredExtension* find_identity(
        std::string_view tenant, std::string_view identity
    ) const;
    // The tenant's, by name.
    [[nodiscard]] std::vector<const RegisteredExtension*> list(std::string_view tenant) const;
    // All tenants'.
    [[nodiscard]] std::vector<const RegisteredExtension*> all() const;

    // Writes it, whatever there was under its name. Durable, and found, when `done` runs.
    // rate_limited past limits.extensions, too_large past limits.document_bytes.
    void put(const RegisteredExtension& extension, Done done);
    // not_found.
    void remove(const Key& key, Done done);

 private:
    void changed(const KvChange& change);

    // Constant after construction.
    Kv& kv_;
    const Limits& limits_;
    // I/O thread.
    std::map<Key, RegisteredExtension, std::less<>> extensions_;
};

}  // namespace belfry
