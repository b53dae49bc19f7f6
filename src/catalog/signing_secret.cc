#include "catalog/signing_secret.h"

#include "base/base64.h"

namespace belfry {

namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kKeyBytesMin = 24;
constexpr std::size_t kKeyBytesMax = 64;

}  // namespace

Result<std::string> signing_key(std::string_view secret) {
    std::string key;
    if (!secret.starts_with(kSecretPrefix) ||
        !decode_base64(secret.substr(kSecretPrefix.size()), key) || key.size() < kKeyBytesMin ||
        key.size() > kKeyBytesMax) {
        return fail(
            Errc::bad_request, "a secret is `whsec_` followed by the Base64 of 24 to 64 bytes"
        );
    }
    return key;
}

}  // namespace belfry
