#include "engine/page_token.h"

#include <charconv>
#include <limits>

namespace belfry {

namespace {

constexpr std::size_t kDigits = 16;

}  // namespace

std::string page_token(std::uint64_t position) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string token(kDigits, '0');
    for (std::size_t i = kDigits; i-- > 0; position >>= 4) {
        token[i] = kHex[position & 15];
    }
    return token;
}

Result<std::uint64_t> parse_page_token(std::string_view token) {
    if (token.empty()) {
        return 0;
    }
    std::uint64_t position = 0;
    auto [stop, problem] = std::from_chars(token.data(), token.data() + token.size(), position, 16);
    // Writing it again catches a sign, capitals and a wrong length.
    if (problem != std::errc{} || page_token(position) != token ||
        position > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(Errc::bad_request, "not a `next` of an earlier page");
    }
    return position;
}

}  // namespace belfry
