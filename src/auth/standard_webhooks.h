// Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `<id>.<timestamp>.<body>`, written
// `v1,<Base64>`, several separated by spaces while a secret is being rotated. One thread at a time.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// What the sender of a webhook puts into its headers.
struct WebhookHeaders {
    std::string_view id;         // webhook-id
    std::string_view timestamp;  // webhook-timestamp: seconds since 1970
    std::string_view signature;  // webhook-signature
};

inline constexpr std::chrono::seconds kWebhookTolerance{300};

// Holds the keys of one endpoint.
class StandardWebhooks {
 public:
    // `secrets` as `whsec_…`; none is allowed and signs nothing. bad_request if one is not a
    // secret.
    [[nodiscard]] static Result<StandardWebhooks> with(std::span<const std::string> secrets);
    StandardWebhooks(StandardWebhooks&&) noexcept;
    StandardWebhooks& operator=(StandardWebhooks&&) noexcept;
    ~StandardWebhooks();

    [[nodiscard]] bool signs() const { return !keys_.empty(); }
    // The value of webhook-signature: one signature per secret, in their order. `id` holds no `.`.
    [[nodiscard]] std::string sign(
        std::string_view id, std::chrono::sys_seconds timestamp, std::string_view body
    ) const;
    // Errc::denied unless one of the signatures is made with one of the secrets and the timestamp
    // is within kWebhookTolerance of `now`, in either direction. Signatures are compared in
    // constant time. It does not remember ids: a copy within the tolerance passes.
    [[nodiscard]] Result<void> verify(
        const WebhookHeaders& headers, std::string_view body, WallTime now
    ) const;

 private:
    struct Key;
    StandardWebhooks();

    std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace belfry
