// The hub's members, shared by its .cc files; nobody else includes this.
#pragma once

#include "hub/dead_letters.h"
#include "hub/deliveries.h"
#include "hub/hub.h"
#include "hub/publish_counts.h"
#include "hub/retention.h"
#include "hub/start_search.h"
#include "hub/state_writer.h"

#include <map>
#include <memory>
#include <set>

namespace belfry {

class Hub::Impl {
 public:
    Impl(HubPorts hub_ports, HubOptions hub_options, const Limits& hub_limits);
    ~Impl();

    void durable(Offset first, Offset next);
    // Where a subscription that begins as `start` says begins; may read the log.
    void resolve_start(
        const Subscription& subscription, std::move_only_function<void(Result<Offset>)> done
    );
    // Stores the document of one that is being created, then its start.
    void create_at(const Subscription& subscription, Offset start, Catalog::Done done);
    // The document as it is stored; not_found.
    [[nodiscard]] Result<Subscription> document(const SubscriptionKey& key) const;
    void stop_now(Task done);

    // Constant after construction.
    HubPorts ports;
    const HubOptions options;
    const Limits& limits;
    // I/O thread, in the order in which they need each other.
    PublishCounts published;
    StateWriter writer;
    Deliveries deliveries;
    DeadLetters dead_letters;
    Retention retention;
    StartSearches start_searches;
    std::set<SubscriptionKey> being_created;
    std::map<std::uint64_t, Reader> readers;
    std::uint64_t last_reader = 0;
    bool ready = false;
    bool stopping = false;
    TimerId stop_timer;
};

}  // namespace belfry
