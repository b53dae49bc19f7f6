// Deliveries: one Delivery per subscription, the match index over them, and the way from a new
// event to those that want it. Follows the catalog. Owned by the hub; the ports must outlive it.
// I/O thread only.
#pragma once

#include "catalog/catalog.h"
#include "hub/delivery.h"
#include "hub/match_index.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace belfry {

class Deliveries {
 public:
    struct Ports {
        Clock& clock;
        Rng& rng;
        Log& log;
        StateWriter& writer;
        const SinkFactory& make_sink;
        std::function<void(const SubscriptionKey&, const std::string& reason)> disable;
    };

    Deliveries(Ports ports, CircuitOptions circuits);
    ~Deliveries();
    Deliveries(const Deliveries&) = delete;
    Deliveries& operator=(const Deliveries&) = delete;

    // What the last run left; before the catalog is heard.
    void restore(StateSnapshot snapshot);
    void set_dead_counts(const std::vector<std::pair<SubscriptionKey, std::uint64_t>>& counts);
    // Where a subscription that is about to appear in the catalog begins.
    void set_start(const SubscriptionKey& key, Offset start);
    // It does not appear after all.
    void drop_start(const SubscriptionKey& key) { starts_.erase(key); }
    // Catalog's OnSubscription. A subscription without a stored cursor or set_start() begins where
    // its document says.
    void changed(const SubscriptionKey& key, const Subscription* subscription);
    // From now on attempts are made.
    void begin();
    // No new attempts; `idle` runs when none is under way.
    void stop(Task idle);
    // Positions of what did not end in time are kept as exceptions.
    void save_under_way();

    // Log's on_durable.
    void durable(Offset first, Offset next);
    // Cursor rows that moved, and the live mark, for a commit.
    void gather(StateChanges& changes);

    [[nodiscard]] Delivery* find(const SubscriptionKey& key);
    [[nodiscard]] const Delivery* find(const SubscriptionKey& key) const;
    template <typename F>
    void for_each(F visit) {
        for (auto& [key, entry] : entries_) {
            visit(*entry.delivery);
        }
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t open_circuits() const { return circuits_.open_count(); }
    [[nodiscard]] const DeliveryCounters& counters() const { return counters_; }

 private:
    struct Entry {
        std::unique_ptr<Delivery> delivery;
        MatchIndex::Id id = 0;
    };

    void add(const SubscriptionKey& key, const Subscription& subscription);
    void configure(Entry& entry, const Subscription& subscription);
    void remove(const SubscriptionKey& key);
    void drained(Delivery& delivery);

    // Constant after construction.
    Ports ports_;
    // I/O thread. Circuits and reads outlive the deliveries that use them.
    DeliveryCounters counters_;
    Circuits circuits_;
    SharedReads reads_;
    std::uint64_t noted_ = 0;  // by all deliveries together
    DeliveryPorts delivery_ports_;
    std::unordered_map<SubscriptionKey, DeliveryStart> starts_;
    std::unordered_map<SubscriptionKey, Entry> entries_;
    std::vector<std::unique_ptr<Delivery>> removed_;  // attempts are still under way
    MatchIndex index_;
    std::vector<Delivery*> by_id_;
    std::vector<MatchIndex::Id> free_ids_;
    std::vector<MatchIndex::Id> matched_;  // reused
    std::vector<Delivery*> moved_;
    bool begun_ = false;
    Task when_idle_;
};

}  // namespace belfry
