// Circuit: one per endpoint and tenant, shared by the subscriptions that deliver to it
// (docs/adr/0010-a-circuit-per-endpoint-and-tenant.md). It opens after 5
// failures in a row; then single probes go out, in turns of an event that failed and one that was
// never attempted, until the first success closes it and the backlog starts at once. Owned by
// Circuits, which Deliveries owns. I/O thread only.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct CircuitOptions {
    std::uint32_t failures_to_open = 5;
    std::chrono::milliseconds probe_interval{5 * 60 * 1000};
};

class Delivery;

class Circuit {
 public:
    // Which events probe. If only those that failed did, one that fails by itself would keep an
    // endpoint that is well from all others.
    enum class Turn : std::uint8_t { failed, first };

    explicit Circuit(const CircuitOptions& options) : options_(options) {}

    // The next attempt is a probe of this delivery, and the only one until it ended. False if none
    // is wanted now. The turn after it is the other's.
    bool take_probe(Delivery& prober, Turn of, MonoTime now);
    // It did not close the circuit, or its answer will not count. Whatever else this delivery has
    // under way is no probe of this circuit: nothing happens.
    void probe_ended(const Delivery& prober);
    // It asked the endpoint nothing, because what failed is wanted no more: the next one may be at
    // once, and as of the same turn.
    void return_probe(const Delivery& prober, MonoTime now);
    // What an attempt showed of the endpoint. True if the circuit closed or opened by it. Failed:
    // one that was no probe. The first probe goes when the failed event is due again, or after an
    // interval if that is earlier.
    bool succeeded();
    bool failed(MonoTime now, Duration until_due);

    [[nodiscard]] bool open() const { return open_; }
    // Whose turn the next probe is, if they have one. Which event it is, is for the deliveries to
    // agree on.
    [[nodiscard]] Turn turn() const { return turn_; }
    [[nodiscard]] bool wants_probe(MonoTime now) const {
        return open_ && prober_ == nullptr && now >= next_probe_;
    }
    // When to ask for a probe, of an open circuit. nullopt: when the one under way has ended, which
    // whoever had it tells the others.
    [[nodiscard]] std::optional<MonoTime> next_probe(MonoTime now) const;
    // Deliveries that share the endpoint, to be woken when it opens or closes. Who probed with an
    // event that was never attempted stands last.
    std::vector<Delivery*> deliveries;

 private:
    const CircuitOptions& options_;
    std::uint32_t failures_ = 0;  // in a row
    bool open_ = false;
    Turn turn_ = Turn::failed;
    const Delivery* prober_ = nullptr;  // whose probe is under way; only compared
    MonoTime next_probe_{};
};

// All circuits by name, which says of what endpoint and tenant. A circuit lives while a delivery is
// joined to it.
class Circuits {
 public:
    explicit Circuits(CircuitOptions options) : options_(options) {}

    Circuit& join(const std::string& name, Delivery& delivery);
    void leave(const std::string& name, Delivery& delivery);
    [[nodiscard]] std::size_t open_count() const;

 private:
    CircuitOptions options_;
    std::map<std::string, std::unique_ptr<Circuit>> circuits_;
};

}  // namespace belfry
