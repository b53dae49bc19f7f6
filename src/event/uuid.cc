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

constexpr std::uint8_t kNoDigit = 0xFF;
constexpr auto kDigitValues = [] {
    std::array<std::uint8_t, 256> values{};
    for (std::size_t byte = 0; byte < values.size(); ++byte) {
        const int value = hex_digit_value(static_cast<char>(byte));
        values[byte] = value < 0 ? kNoDigit : static_cast<std::uint8_t>(value);
    }
    return values;
}();

// Reads digits behind those that `half` has; what is no digit shows in `faults`.
void append_digits(std::string_view digits, std::uint64_t& half, std::uint8_t& faults) {
    for (const char digit : digits) {
        const std::uint8_t value = kDigitValues[static_cast<unsigned char>(digit)];
        faults |= value;
        half = half << 4 | (value & 0xF);
    }
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
    if (text.size() != UuidText{}.size() || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-') {
        return std::nullopt;
    }
    Uuid uuid;
    std::uint8_t faults = 0;
    append_digits(text.substr(0, 8), uuid.high, faults);
    append_digits(text.substr(9, 4), uuid.high, faults);
    append_digits(text.substr(14, 4), uuid.high, faults);
    append_digits(text.substr(19, 4), uuid.low, faults);
    append_digits(text.substr(24, 12), uuid.low, faults);
    return (faults & 0xF0) == 0 ? std::optional(uuid) : std::nullopt;
}

}  // namespace belfry
