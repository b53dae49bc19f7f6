// Port: a sink performs one attempt to deliver one event and says how it went. The hub decides
// when, how often and in which order; a sink decides nothing.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "catalog/subscription.h"
#include "event/event.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct Attempt {
    StoredEvent event;
    std::uint32_t number = 1;  // Belfry-Attempt
    std::string replay;        // Belfry-Replay; empty unless this is a replay
    std::string listener;      // of a replay: this one only; empty: all that the sink has
    Duration timeout{};        // for the whole attempt
};

struct Outcome {
    enum class Kind : std::uint8_t {
        settled,   // the listener has it
        rejected,  // the event's fault: dead letter
        failed,    // the endpoint's fault: retry, counts for the circuit
        unclear,   // the event's fault or the endpoint's: retry; it does answer, so the circuit
                   // closes
        wait,      // the endpoint asks for time: retry, does not count
        gone,      // the endpoint wants no more: disable the subscription
    };
    Kind kind = Kind::failed;
    std::uint32_t status = 0;             // 0: no answer
    std::string error;                    // empty if settled; no secret, no address that was denied
    std::string response;                 // first KiB of the answer's body
    std::optional<Duration> retry_after;  // from the listener, at most 24 h
    // Of a sink with several listeners, by name: who makes a dead letter of the event now, whatever
    // becomes of the others, and who is to be attempted again.
    std::vector<std::string> rejected_by;
    std::vector<std::string> unsettled;
};
using AttemptDone = std::move_only_function<void(Outcome)>;

// One per subscription, owned by the hub, replaced when the subscription's document changes;
// attempts that are under way then still end. I/O thread only.
class Sink {
 public:
    virtual ~Sink() = default;
    // Calls `done` exactly once, possibly before return, at the latest when the time-out passes.
    virtual void attempt(Attempt attempt, AttemptDone done) = 0;
    // What shares a circuit: scheme, host, port and path. Constant.
    [[nodiscard]] virtual const std::string& endpoint() const = 0;
};

// Makes the sink for a subscription; an error says which member of its configuration is wrong.
// Called to check a document before it is stored, too.
using SinkFactory = std::function<Result<std::unique_ptr<Sink>>(const Subscription&)>;

}  // namespace belfry
