#include "auth/standard_webhooks.h"

#include "base/assert.h"
#include "base/base64.h"
#include "catalog/signing_secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <charconv>

namespace belfry {

namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::string_view kVersion = "v1,";
// More than any rotation needs; bounds what a stranger's header makes us compute.
constexpr std::size_t kSignaturesRead = 16;

using Digest = std::array<unsigned char, kDigestBytes>;

struct FreeContext {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

// Fetched once: a fetch costs more than a signature.
EVP_MAC* hmac() {
    static EVP_MAC* const kAlgorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    ASSERT(kAlgorithm != nullptr);
    return kAlgorithm;
}

Context keyed_context(std::string_view key) {
    Context context(EVP_MAC_CTX_new(hmac()));
    std::array<char, 7> digest{"SHA256"};
    std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()
    };
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
    ASSERT(
        context != nullptr && EVP_MAC_init(context.get(), bytes, key.size(), parameters.data()) == 1
    );
    return context;
}

void add(EVP_MAC_CTX* context, std::string_view bytes) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    ASSERT(EVP_MAC_update(context, data, bytes.size()) == 1);
}

// The timestamp only as the specification writes it: digits, no sign, no leading zero.
std::optional<std::int64_t> parse_timestamp(std::string_view text) {
    std::int64_t seconds = 0;
    auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem != std::errc{} || seconds < 0 || std::to_string(seconds) != text) {
        return std::nullopt;
    }
    return seconds;
}

}  // namespace

struct StandardWebhooks::Key {
    Context keyed;

    [[nodiscard]] Digest digest(
        std::string_view id, std::string_view timestamp, std::string_view body
    ) const {
        Context context(EVP_MAC_CTX_dup(keyed.get()));
        ASSERT(context != nullptr);
        for (std::string_view part :
             {id, std::string_view("."), timestamp, std::string_view("."), body}) {
            add(context.get(), part);
        }
        Digest result{};
        std::size_t size = 0;
        ASSERT(EVP_MAC_final(context.get(), result.data(), &size, result.size()) == 1);
        ASSERT(size == kDigestBytes);
        return result;
    }
};

StandardWebhooks::StandardWebhooks() = default;
StandardWebhooks::StandardWebhooks(StandardWebhooks&&) noexcept = default;
StandardWebhooks& StandardWebhooks::operator=(StandardWebhooks&&) noexcept = default;
StandardWebhooks::~StandardWebhooks() = default;

Result<StandardWebhooks> StandardWebhooks::with(std::span<const std::string> secrets) {
    StandardWebhooks result;
    for (const std::string& secret : secrets) {
        Result<std::string> key = signing_key(secret);
        if (!key) {
            return std::unexpected(std::move(key.error()));
        }
        result.keys_.push_back(std::make_unique<Key>(keyed_context(*key)));
        OPENSSL_cleanse(key->data(), key->size());
    }
    return result;
}

std::string StandardWebhooks::sign(
    std::string_view id, std::chrono::sys_seconds timestamp, std::string_view body
) const {
    std::string seconds = std::to_string(timestamp.time_since_epoch().count());
    std::string signature;
    for (const auto& key : keys_) {
        Digest digest = key->digest(id, seconds, body);
        signature += signature.empty() ? "" : " ";
        signature += kVersion;
        append_base64(signature, {reinterpret_cast<const char*>(digest.data()), digest.size()});
    }
    return signature;
}

Result<void> StandardWebhooks::verify(
    const WebhookHeaders& headers, std::string_view body, WallTime now
) const {
    std::optional<std::int64_t> seconds = parse_timestamp(headers.timestamp);
    if (headers.id.empty() || !seconds || headers.signature.empty()) {
        return fail(
            Errc::denied,
            "webhook-id, webhook-timestamp or webhook-signature is missing or malformed"
        );
    }
    std::int64_t current = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    // Both are not negative, so neither difference overflows.
    std::int64_t apart = *seconds > current ? *seconds - current : current - *seconds;
    if (apart > kWebhookTolerance.count()) {
        return fail(
            Errc::denied,
            "the timestamp is " + std::to_string(apart) + " s away from the clock, more than " +
                std::to_string(kWebhookTolerance.count()) + " s"
        );
    }
    std::vector<Digest> expected;
    for (const auto& key : keys_) {
        expected.push_back(key->digest(headers.id, headers.timestamp, body));
    }
    std::string_view rest = headers.signature;
    for (std::size_t i = 0; i < kSignaturesRead && !rest.empty(); ++i) {
        std::size_t end = std::min(rest.find(' '), rest.size());
        std::string_view one = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        std::string claimed;
        if (!one.starts_with(kVersion) || !decode_base64(one.substr(kVersion.size()), claimed) ||
            claimed.size() != kDigestBytes) {
            continue;  // another version of the scheme, or nonsense
        }
        for (const Digest& digest : expected) {
            if (CRYPTO_memcmp(claimed.data(), digest.data(), kDigestBytes) == 0) {
                return {};
            }
        }
    }
    return fail(Errc::denied, "no signature matches");
}

}  // namespace belfry
