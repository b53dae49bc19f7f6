// The address that the HTTP server listens on, as text and as a judgement: do other machines reach
// it?
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

struct ListenAddress {
    std::string host;  // a literal, without brackets
    std::uint16_t port = 0;
    bool loopback = false;  // 127.0.0.0/8 or ::1
};

// "127.0.0.1:8420", "[::1]:8420", "0.0.0.0:0"; a bare ":8420" and names are errors, because what
// they bind is not what one reads.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace belfry
