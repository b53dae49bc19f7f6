// How many wrong tokens each address may still show: a bucket per address that fills again within a
// minute. Guessing 192 bits is hopeless either way; this keeps one who tries from filling the log
// and hears him out cheaply. An IPv6 network of 64 bits is one address. Bounded: when too many
// addresses are known, those whose bucket is full again are forgotten, and the rest share one.
// Owned by TokenAccess; the clock must outlive it. I/O thread only.
#pragma once

#include "base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace belfry {

class BadCredentials {
 public:
    static constexpr std::size_t kAddressesMax = 10'000;

    // `per_minute` at least 1.
    BadCredentials(const Clock& clock, std::uint64_t per_minute)
        : clock_(clock), per_minute_(static_cast<double>(per_minute)) {}

    enum class Verdict : std::uint8_t { counted, last, too_many };
    // One more of this address. `last`: it is the one that empties the bucket, worth a line of log.
    [[nodiscard]] Verdict count(std::string_view address);
    [[nodiscard]] std::size_t addresses() const { return buckets_.size(); }

 private:
    struct Bucket {
        double left = 0;
        MonoTime at;
    };
    [[nodiscard]] Bucket refilled(const Bucket& bucket, MonoTime now) const;
    [[nodiscard]] Bucket& bucket_of(std::string_view address, MonoTime now);

    const Clock& clock_;
    const double per_minute_;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace belfry
