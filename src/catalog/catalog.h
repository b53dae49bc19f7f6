// Catalog: the typed documents of the hub, kept in Kv and watched into memory. I/O thread only.
#pragma once

#include "catalog/subscription.h"
#include "engine/kv.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace belfry {

// Owned by the wiring; the Kv must outlive it.
class Catalog {
 public:
    // `on_change` hears every subscription that exists at start, then every change, in order;
    // nullptr means deleted. The old value is still in the catalog while it runs.
    using OnSubscription =
        std::function<void(const SubscriptionKey& key, const Subscription* subscription)>;
    using Done = std::move_only_function<void(Result<Subscription>)>;

    Catalog(Kv& kv, const Limits& limits);

    // Begins to watch; `done` runs when all documents were heard. If one that is stored cannot be
    // read, nobody hears of any, and `done` gets an error that names it: what delivery remembers of
    // a subscription that only another version can read must not be taken for a left-over. One that
    // becomes such later is logged, and what it was before goes on.
    void start(OnSubscription on_change, std::move_only_function<void(Result<void>)> done);

    // nullptr if there is none. Valid until the next change of that subscription.
    [[nodiscard]] const Subscription* find(const SubscriptionKey& key) const;
    // The tenant's, by name.
    [[nodiscard]] std::vector<const Subscription*> list(std::string_view tenant) const;

    // Durable when `done` runs, which is after on_change. conflict if it exists; rate_limited past
    // limits.subscriptions.
    void create(const Subscription& subscription, Done done);
    // Replaces it; keeps secrets that the new document leaves out. `expect`: If-Match.
    void replace(Subscription subscription, Expect expect, Done done);
    void remove(
        const SubscriptionKey& key, Expect expect, std::move_only_function<void(Result<void>)> done
    );

 private:
    void changed(const KvChange& change);
    [[nodiscard]] Result<void> tell_stored();
    void tell(Subscription subscription);
    // Writes what `next` holds for the current document; again if another writer was faster and
    // `expect` is any.
    void put(Subscription next, Expect expect, Done done);
    [[nodiscard]] Result<Subscription> stored(const SubscriptionKey& key) const;

    // Constant after construction.
    Kv& kv_;
    const Limits& limits_;
    OnSubscription on_subscription_;
    // I/O thread.
    std::map<SubscriptionKey, std::unique_ptr<Subscription>> subscriptions_;
    bool told_stored_ = false;
    std::vector<Subscription> stored_;     // until they are told
    std::vector<std::string> unreadable_;  // of those that are stored, what is wrong with each
};

}  // namespace belfry
