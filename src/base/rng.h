// Port: random numbers. Ids and secrets come from the operating system's generator only; the
// simulation brings a seeded one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace belfry {

class Rng {
 public:
    virtual ~Rng() = default;
    // Fills `bytes`. May be called from any thread.
    virtual void fill(std::span<std::byte> bytes) = 0;

    [[nodiscard]] std::uint64_t next() {
        std::uint64_t value = 0;
        fill(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
    // Uniform in [0, 1): jitter.
    [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// getrandom(2), buffered so that an id does not cost a system call; fork-safe is not needed (we
// never fork without exec). Lives as long as the program.
[[nodiscard]] Rng& system_rng();

}  // namespace belfry
