#include "auth/bad_credentials.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace belfry {

namespace {

// Who owns one address of an IPv6 network owns all of it.
std::string network_of(std::string_view address) {
    in6_addr parsed{};
    std::array<char, INET6_ADDRSTRLEN + 1> text{};
    if (!address.contains(':') || address.size() >= text.size()) {
        return std::string(address.substr(0, text.size()));
    }
    std::ranges::copy(address, text.begin());
    if (inet_pton(AF_INET6, text.data(), &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed)) {
        return std::string(address);
    }
    return {reinterpret_cast<const char*>(&parsed), 8};
}

}  // namespace

BadCredentials::Bucket BadCredentials::refilled(const Bucket& bucket, MonoTime now) const {
    const std::chrono::duration<double, std::ratio<60>> minutes = now - bucket.at;
    return {.left = std::min(per_minute_, bucket.left + minutes.count() * per_minute_), .at = now};
}

BadCredentials::Bucket& BadCredentials::bucket_of(std::string_view address, MonoTime now) {
    std::string network = network_of(address);
    if (auto found = buckets_.find(network); found != buckets_.end()) {
        return found->second;
    }
    if (buckets_.size() >= kAddressesMax) {
        std::erase_if(buckets_, [&](const auto& entry) {
            return refilled(entry.second, now).left >= per_minute_;
        });
        if (buckets_.size() >= kAddressesMax) {
            network.clear();
        }
    }
    return buckets_.try_emplace(std::move(network), Bucket{.left = per_minute_, .at = now})
        .first->second;
}

BadCredentials::Verdict BadCredentials::count(std::string_view address) {
    const MonoTime now = clock_.now();
    Bucket& bucket = bucket_of(address, now);
    bucket = refilled(bucket, now);
    if (bucket.left < 1) {
        return Verdict::too_many;
    }
    bucket.left -= 1;
    return bucket.left < 1 ? Verdict::last : Verdict::counted;
}

}  // namespace belfry
