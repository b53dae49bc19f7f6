// Circuit: one per endpoint, shared by the subscriptions that deliver to it. It opens after 5
// failures in a row; then single probes go out, until the first success closes it and the backlog
// starts at once. Owned by Circuits, which Deliveries owns. I/O thread only.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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
    enum class Admission : std::uint8_t { closed, probe, refused };

    explicit Circuit(const CircuitOptions& options) : options_(options) {}

    // May an attempt begin now? `probe` must be taken: it is the only one until its outcome.
    [[nodiscard]] Admission admit(MonoTime now);
    // What the attempt showed of the endpoint. True if the circuit closed or opened by it.
    // `retry_at`: when the failed event is due again. If that is before an interval has passed, the
    // first probe goes then.
    bool succeeded();
    bool failed(bool was_probe, MonoTime now, MonoTime retry_at);
    // A probe ended without an answer for or against the endpoint (429, say).
    void probe_abandoned() { probing_ = false; }

    [[nodiscard]] bool open() const { return open_; }
    // admit() would answer `probe`. Which event probes is for the deliveries to agree on.
    [[nodiscard]] bool wants_probe(MonoTime now) const {
        return open_ && !probing_ && now >= next_probe_;
    }
    // When a probe may go; meaningful while open.
    [[nodiscard]] MonoTime next_probe() const { return next_probe_; }
    // Deliveries that share the endpoint, to be woken when it opens or closes.
    std::vector<Delivery*> deliveries;

 private:
    const CircuitOptions& options_;
    std::uint32_t failures_ = 0;  // in a row
    bool open_ = false;
    bool probing_ = false;
    MonoTime next_probe_{};
};

// All circuits by endpoint. A circuit lives while a delivery is joined to it.
class Circuits {
 public:
    explicit Circuits(CircuitOptions options) : options_(options) {}

    Circuit& join(const std::string& endpoint, Delivery& delivery);
    void leave(const std::string& endpoint, Delivery& delivery);
    [[nodiscard]] std::size_t open_count() const;

 private:
    CircuitOptions options_;
    std::map<std::string, std::unique_ptr<Circuit>> circuits_;
};

}  // namespace belfry
