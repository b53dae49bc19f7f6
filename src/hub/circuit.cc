#include "hub/circuit.h"

#include "base/assert.h"

#include <algorithm>

namespace belfry {

bool Circuit::take_probe(Delivery& prober, Turn of, MonoTime now) {
    if (!wants_probe(now)) {
        return false;
    }
    prober_ = &prober;
    next_probe_ = now + options_.probe_interval;
    turn_ = of == Turn::failed ? Turn::first : Turn::failed;
    if (of == Turn::first && std::erase(deliveries, &prober) > 0) {
        deliveries.push_back(&prober);
    }
    return true;
}

void Circuit::probe_ended(const Delivery& prober) {
    if (prober_ == &prober) {
        prober_ = nullptr;
    }
}

void Circuit::return_probe(const Delivery& prober, MonoTime now) {
    if (prober_ == &prober) {
        prober_ = nullptr;
        next_probe_ = now;
        turn_ = Turn::failed;
    }
}

// A probe that nobody took is another's, who is about to.
std::optional<MonoTime> Circuit::next_probe(MonoTime now) const {
    if (prober_ != nullptr && next_probe_ <= now) {
        return std::nullopt;
    }
    return std::max(next_probe_, now + std::chrono::milliseconds(1));
}

bool Circuit::succeeded() {
    bool was_open = open_;
    failures_ = 0;
    open_ = false;
    prober_ = nullptr;
    return was_open;
}

bool Circuit::failed(MonoTime now, Duration until_due) {
    ++failures_;
    if (open_ || failures_ < options_.failures_to_open) {
        return false;
    }
    open_ = true;
    turn_ = Turn::failed;
    next_probe_ = now + std::min<Duration>(until_due, options_.probe_interval);
    return true;
}

Circuit& Circuits::join(const std::string& name, Delivery& delivery) {
    std::unique_ptr<Circuit>& circuit = circuits_[name];
    if (!circuit) {
        circuit = std::make_unique<Circuit>(options_);
    }
    circuit->deliveries.push_back(&delivery);
    return *circuit;
}

void Circuits::leave(const std::string& name, Delivery& delivery) {
    auto at = circuits_.find(name);
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
