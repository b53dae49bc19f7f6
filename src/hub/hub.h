// Hub: the heart. Takes events in (publish), hands them out (readers, deliveries), remembers what
// became of them. The doors translate; the sinks attempt; everything between is here. Owned by the
// wiring; every port must outlive it. I/O thread only; callbacks run there, possibly before the
// call returns. Names no Asio type: the simulation drives it with a clock of its own.
#pragma once

#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"
#include "catalog/catalog.h"
#include "engine/log.h"
#include "engine/state.h"
#include "hub/access.h"
#include "hub/circuit.h"
#include "hub/publish_counts.h"
#include "hub/retention.h"
#include "hub/sink.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace belfry {

struct HubPorts {
    Clock& clock;
    Rng& rng;
    Log& log;
    State& state;
    Catalog& catalog;
    SinkFactory make_sink;
};
struct HubOptions {
    RetentionOptions retention;
    CircuitOptions circuit;
    std::chrono::milliseconds stop_wait{10'000};  // for attempts under way at stop
};

// Receipt of one published event.
using Receipt = Appended;
using PublishDone = AppendDone;

// What delivery knows of a subscription, beside its document.
struct SubscriptionStatus {
    Offset cursor;               // everything below is settled or retrying
    std::uint64_t pending = 0;   // events of the log not examined yet
    std::uint64_t retrying = 0;  // unsettled below the cursor
    std::uint64_t in_flight = 0;
    std::uint64_t dead = 0;
    std::uint64_t settled = 0;  // since start
    std::uint64_t failed = 0;   // attempts, since start
    SubscriptionState state = SubscriptionState::active;
    bool circuit_open = false;
    std::string last_error;
};

// One attempt as GET …/attempts shows it.
struct AttemptRecord {
    std::string event_id;
    Offset offset;
    std::uint32_t attempt = 1;
    WallTime at;
    std::uint32_t duration_ms = 0;
    Outcome::Kind outcome = Outcome::Kind::settled;
    std::uint32_t status = 0;
    std::string error;
    std::string response;
    std::optional<WallTime> next_at;
};

struct SecretRotation {
    std::chrono::seconds overlap{24 * 60 * 60};  // 0: the secret before is not to be trusted
    bool force = false;
};
struct RotatedSecret {
    std::string secret;
    std::optional<WallTime> previous_until;  // nullopt: only the new one signs
};

struct HubStatus {
    std::uint64_t published = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t delivered = 0;
    std::uint64_t failed_attempts = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t exhausted = 0;  // of those, after the last attempt of their schedule
    std::uint64_t expired = 0;
    DurationHistogram attempts;  // how long each took
    DurationHistogram lag;       // of each event delivered, since it was recorded
    std::size_t subscriptions = 0;
    std::size_t open_circuits = 0;
    bool ready = false;
    std::string reason;  // why not
};

class Hub {
 public:
    Hub(HubPorts ports, HubOptions options, const Limits& limits);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // Reads what the last run left and begins to deliver; `done` runs once subscriptions are
    // served, or with the reason why they are not: then nothing was changed.
    void start(std::move_only_function<void(Result<void>)> done);
    // No new attempts; waits for those under way (HubOptions::stop_wait), saves everything. `done`
    // once.
    void stop(Task done);

    // hub/publish.cc: authorise, check, append. All or none. Errors as Log::append, and denied.
    void publish(const Caller& caller, std::span<const Event> events, PublishDone done);

    // Called after every commit with the offsets that became durable; doors feed their readers from
    // it. The number stops it.
    using Reader = std::function<void(Offset first, Offset next)>;
    std::uint64_t add_reader(Reader reader);
    void remove_reader(std::uint64_t number);
    [[nodiscard]] Log& log();

    // Subscriptions. Name and tenant stand in the document; `done` runs when the change is durable
    // and serves.
    void create_subscription(Subscription subscription, Catalog::Done done);
    void replace_subscription(Subscription subscription, Expect expect, Catalog::Done done);
    void remove_subscription(
        const SubscriptionKey& key, Expect expect, std::move_only_function<void(Result<void>)> done
    );
    void set_subscription_state(
        const SubscriptionKey& key, SubscriptionState state, Catalog::Done done
    );
    // Makes a new signing secret and answers it, this once; the one before signs too during the
    // overlap. conflict while an earlier overlap lasts, unless forced: then the oldest one goes.
    void rotate_secret(
        const SubscriptionKey& key,
        SecretRotation rotation,
        std::move_only_function<void(Result<RotatedSecret>)> done
    );
    [[nodiscard]] Result<SubscriptionStatus> subscription_status(const SubscriptionKey& key) const;
    // Delivers one made event (type `belfry.test`, not stored) and answers with the attempt.
    void test_subscription(
        const SubscriptionKey& key, std::move_only_function<void(Result<AttemptRecord>)> done
    );
    // Newest first: the failed ones stored, the last 100 successes remembered.
    void list_attempts(
        const SubscriptionKey& key,
        std::optional<Offset> event,
        std::move_only_function<void(Result<std::vector<AttemptRecord>>)> done
    );

    // Dead letters.
    // What the caller may read of a page, which may be short and still have `next`.
    void list_dead_letters(
        const Caller& caller,
        DeadLetterQuery query,
        std::move_only_function<void(Result<DeadLetterPage>)> done
    );
    // Attempts it again, out of order; the dead letter goes when the event settles, and stays with
    // the new attempt when it does not. `done` gives the replay's id when it was queued.
    // not_found too if the caller may not read the event's type. What still waits when the caller
    // loses the right to it is not attempted, and its dead letter stays.
    void replay_dead_letter(
        const Caller& caller,
        std::string id,
        std::move_only_function<void(Result<std::string>)> done
    );
    // All that match and that the caller may read; gives (replay id, how many were queued). Ranges
    // cannot be replayed and are left.
    void replay_dead_letters(
        const Caller& caller,
        DeadLetterQuery query,
        std::move_only_function<void(Result<std::pair<std::string, std::uint64_t>>)> done
    );
    void purge_dead_letter(
        const Caller& caller, std::string id, std::move_only_function<void(Result<void>)> done
    );

    // When the one that is kept for longest was made, of all tenants; nullopt: there is none.
    void oldest_dead_letter(std::move_only_function<void(Result<std::optional<WallTime>>)> done);

    [[nodiscard]] HubStatus status() const;
    // By door and type, since start.
    [[nodiscard]] const PublishCounts& published() const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
