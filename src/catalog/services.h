// Services: what runs on this node, by id: the services that were registered, kept in Kv under
// `services/<id>` and watched into memory, and those that the configuration names, which nobody can
// change from outside. They belong to the node, not to a tenant. Owned by the wiring; the Kv and
// the limits must outlive it. I/O thread only.
#pragma once

#include "base/limits.h"
#include "catalog/service.h"
#include "engine/kv.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class Services {
 public:
    using Done = std::move_only_function<void(Result<void>)>;
    using ById = std::map<std::string, Service, std::less<>>;

    // Of two configured services with one id the first counts; the configuration is checked where
    // it is read.
    Services(Kv& kv, const Limits& limits, std::vector<Service> configured = {});

    // Begins to watch; `on_ready` runs when all documents were heard. A document that cannot be
    // read is logged and left out, as is one that stands in the way of a configured service.
    void start(Task on_ready);

    // All of them, in the order of their ids. References are valid until the next change.
    [[nodiscard]] const ById& all() const { return services_; }
    [[nodiscard]] const Service* find(std::string_view id) const;
    // Changes with every change of the services and is never 0.
    [[nodiscard]] std::uint64_t index() const { return index_; }

    // Registers it, or replaces the one with its id. Durable, and in all(), when `done` runs.
    // conflict: the configuration names it; rate_limited past limits.services or
    // limits.services_bytes; too_large past limits.document_bytes.
    void put(const Service& service, Done done);
    // not_found; conflict: the configuration names it.
    void remove(const std::string& id, Done done);

 private:
    void changed(const KvChange& change);
    [[nodiscard]] std::size_t bytes_beside(std::string_view id) const;

    // Constant after construction.
    Kv& kv_;
    const Limits& limits_;
    std::set<std::string, std::less<>> configured_;
    // I/O thread.
    ById services_;
    std::multimap<std::string, std::size_t>
        arriving_;  // being written: ids, bytes of name and tags
    std::uint64_t index_ = 1;
};

}  // namespace belfry
