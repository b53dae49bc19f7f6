#include "base/rng.h"

#include "base/assert.h"

#include <array>
#include <cstring>
#include <mutex>
#include <sys/random.h>

namespace belfry {

namespace {

class SystemRng final : public Rng {
 public:
    void fill(std::span<std::byte> bytes) override {
        std::lock_guard lock(mutex_);
        while (!bytes.empty()) {
            if (used_ == buffer_.size()) {
                refill();
            }
            std::size_t count = std::min(bytes.size(), buffer_.size() - used_);
            std::memcpy(bytes.data(), buffer_.data() + used_, count);
            std::memset(buffer_.data() + used_, 0, count);
            used_ += count;
            bytes = bytes.subspan(count);
        }
    }

 private:
    void refill() {
        // Up to 256 bytes getrandom neither fails nor returns short once the pool is ready (man 2
        // getrandom).
        ssize_t got = ::getrandom(buffer_.data(), buffer_.size(), 0);
        ASSERT(got == static_cast<ssize_t>(buffer_.size()));
        used_ = 0;
    }

    std::mutex mutex_;
    std::array<std::byte, 256> buffer_;
    std::size_t used_ = buffer_.size();
};

}  // namespace

Rng& system_rng() {
    static SystemRng rng;
    return rng;
}

}  // namespace belfry
