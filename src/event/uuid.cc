#include "event/uuid.h"

#include "base/hex.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <cstring>
#include <string>

namespace belfry {

namespace {

constexpr std::size_t kDigits = 16;  // of one half

// Where the hyphens stand in 8-4-4-4-12.
constexpr bool is_hyphen(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

std::uint64_t uuid_low_half(std::string_view source, std::string_view id) {
    static constexpr std::array<unsigned char, crypto_shorthash_siphash24_KEYBYTES> kKey{};
    const std::size_t size = source.size() + 1 + id.size();
    // The hash wants one piece; what the limits allow by default fits on the stack.
    [[clang::uninitialized]] std::array<char, 2048> room;
    std::string large;
    char* text = room.data();
    if (size > room.size()) {
        large.resize(size);
        text = large.data();
    }
    std::memcpy(text, source.data(), source.size());
    text[source.size()] = '\0';
    std::memcpy(text + source.size() + 1, id.data(), id.size());
    std::array<unsigned char, crypto_shorthash_siphash24_BYTES> hash{};
    crypto_shorthash_siphash24(
        hash.data(), reinterpret_cast<const unsigned char*>(text), size, kKey.data()
    );
    std::uint64_t low = 0;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        low |= std::uint64_t{hash[i]} << 8 * i;
    }
    return low;
}

UuidText uuid_text(Uuid uuid) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    UuidText text{};
    std::size_t digit = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_hyphen(i)) {
            text[i] = '-';
            continue;
        }
        const std::uint64_t half = digit < kDigits ? uuid.high : uuid.low;
        text[i] = kHex[half >> (60 - 4 * (digit % kDigits)) & 0xF];
        ++digit;
    }
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != UuidText{}.size()) {
        return std::nullopt;
    }
    Uuid uuid;
    std::size_t digit = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_hyphen(i)) {
            if (text[i] != '-') {
                return std::nullopt;
            }
            continue;
        }
        const int value = hex_digit_value(text[i]);
        if (value < 0) {
            return std::nullopt;
        }
        std::uint64_t& half = digit < kDigits ? uuid.high : uuid.low;
        half = half << 4 | static_cast<std::uint64_t>(value);
        ++digit;
    }
    return uuid;
}

}  // namespace belfry
