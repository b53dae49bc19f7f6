// An Rng that gives the same numbers for the same seed: tests and the simulation.
#pragma once

#include "base/rng.h"

#include <cstring>
#include <random>

namespace belfry {

class SeededRng final : public Rng {
 public:
    explicit SeededRng(std::uint64_t seed) : engine_(seed) {}

    void fill(std::span<std::byte> bytes) override {
        while (!bytes.empty()) {
            std::uint64_t value = engine_();
            std::size_t count = std::min(bytes.size(), sizeof value);
            std::memcpy(bytes.data(), &value, count);
            bytes = bytes.subspan(count);
        }
    }

 private:
    std::mt19937_64 engine_;
};

}  // namespace belfry
