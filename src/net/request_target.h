// Rules for what a request points at: the target's form, its path, and the Host header (RFC
// 9112, 3.2). Pure; may be called from any thread.
#pragma once

#include <optional>
#include <string_view>

namespace belfry {

struct RequestTarget {
    std::string_view path;   // raw; "*" for the asterisk form, "/" for an absolute form without one
    std::string_view query;  // raw, without `?`
    std::string_view authority;  // of an absolute form; empty otherwise
};

// nullopt if the target is none of origin, absolute (http, https) and asterisk form, holds bytes
// that no URI has, broken percent-encoding or an encoded NUL in the path, or dot segments, which
// would have to be removed before anything is decided by the path.
[[nodiscard]] std::optional<RequestTarget> parse_request_target(std::string_view target);

// host [":" port] without user information; not empty.
[[nodiscard]] bool is_authority(std::string_view text);
// The same host and port, where no port means 80.
[[nodiscard]] bool same_authority(std::string_view a, std::string_view b);

}  // namespace belfry
