#include "hub/circuit.h"

#include "base/assert.h"

#include <algorithm>

namespace belfry {

Circuit::Admission Circuit::admit(MonoTime now) {
    if (!open_) {
        return Admission::closed;
    }
    if (!wants_probe(now)) {
        return Admission::refused;
    }
    probing_ = true;
    next_probe_ = now + options_.probe_interval;
    return Admission::probe;
}

bool Circuit::succeeded() {
    bool was_open = open_;
    failures_ = 0;
    open_ = false;
    probing_ = false;
    return was_open;
}

bool Circuit::failed(bool was_probe, MonoTime now, MonoTime retry_at) {
    if (was_probe) {
        probing_ = false;
        return false;
    }
    ++failures_;
    if (open_ || failures_ < options_.failures_to_open) {
        return false;
    }
    open_ = true;
    probing_ = false;
    next_probe_ = std::min(retry_at, now + options_.probe_interval);
    return true;
}

Circuit& Circuits::join(const std::string& endpoint, Delivery& delivery) {
    std::unique_ptr<Circuit>& circuit = circuits_[endpoint];
    if (!circuit) {
        circuit = std::make_unique<Circuit>(options_);
    }
    circuit->deliveries.push_back(&delivery);
    return *circuit;
}

void Circuits::leave(const std::string& endpoint, Delivery& delivery) {
    auto at = circuits_.find(endpoint);
    ASSERT(at != circuits_.end());
    std::erase(at->second->deliveries, &delivery);
    if (at->second->deliveries.empty()) {
        circuits_.erase(at);
    }
}

std::size_t Circuits::open_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(circuits_, [](const auto& entry) {
        return entry.second->open();
    }));
}

}  // namespace belfry
