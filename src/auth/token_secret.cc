#include "auth/token_secret.h"

#include "base/ascii.h"
#include "base/crc32c.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sodium.h>
#include <span>

namespace belfry {

namespace {

constexpr std::string_view kPrefix = "belfry_";
constexpr std::size_t kRandomBytes = 24;
constexpr std::size_t kDigits = 2 * kRandomBytes;
constexpr std::size_t kCheckDigits = 8;
static_assert(kTokenSecretBytes == kPrefix.size() + kDigits + kCheckDigits);

std::string check_digits(std::string_view digits) {
    return fmt::format("{:08x}", crc32c(0, std::as_bytes(std::span(digits))));
}

}  // namespace

std::string new_token_secret(Rng& rng) {
    std::array<std::byte, kRandomBytes> bytes{};
    rng.fill(bytes);
    std::string digits;
    for (std::byte byte : bytes) {
        digits += fmt::format("{:02x}", static_cast<unsigned>(byte));
    }
    return std::string(kPrefix) + digits + check_digits(digits);
}

std::string new_token_id(Rng& rng) {
    constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuv";
    std::uint64_t bits = rng.next();
    std::string id = "tk_";
    while (id.size() < kTokenIdBytes) {
        id += kAlphabet[bits % kAlphabet.size()];
        bits /= kAlphabet.size();
    }
    return id;
}

bool has_token_form(std::string_view text) {
    if (text.size() != kTokenSecretBytes || !text.starts_with(kPrefix)) {
        return false;
    }
    const std::string_view digits = text.substr(kPrefix.size(), kDigits);
    return std::ranges::all_of(
               digits, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
           ) &&
           text.substr(kPrefix.size() + kDigits) == check_digits(digits);
}

TokenHash token_hash(std::string_view secret) {
    TokenHash hash{};
    static_assert(sizeof(hash) == crypto_hash_sha256_BYTES);
    crypto_hash_sha256(
        reinterpret_cast<unsigned char*>(hash.data()),
        reinterpret_cast<const unsigned char*>(secret.data()),
        secret.size()
    );
    return hash;
}

}  // namespace belfry
