// Where a registered extension of Steadybit is, and what a call of one of its listeners looks like
// on the wire. Pure.
#pragma once

#include "base/clock.h"
#include "base/url.h"
#include "catalog/subscription.h"
#include "event/steadybit_index.h"
#include "net/http_client.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

class TlsContext;

// How a listener's path is resolved: behind the path of the registration, or at the origin.
enum class SteadybitPaths : std::uint8_t { prefix, origin };

// Made by steadybit_target() or steadybit_unix_target(); the members behind `prefix` are for who
// asks to set.
struct SteadybitTarget {
    std::string host;
    std::uint16_t port = 80;
    bool secure = false;
    std::string unix_path;  // a socket in its place, if not empty
    std::string authority;  // for Host
    std::string prefix;     // path of the registration without a slash at its end; may be empty
    SteadybitPaths paths = SteadybitPaths::prefix;
    std::optional<BasicAuth> basic;
    std::shared_ptr<const TlsContext> tls;  // of a secure one; none: the client's own
};

// The query of `url` is for the index alone.
[[nodiscard]] SteadybitTarget steadybit_target(const Url& url);
[[nodiscard]] SteadybitTarget steadybit_unix_target(std::string path);

// Where a call goes and what it says of itself; head and times are the caller's. For index and
// event calls alike.
[[nodiscard]] HttpCall steadybit_call(const SteadybitTarget& target);
// "Host", "User-Agent" and, if there are credentials, "Authorization", as whole lines.
void append_steadybit_headers(
    std::string& head, const SteadybitTarget& target, std::string_view user_agent
);

// One event call. `body` is kept alive by the owner that the caller puts into the result.
[[nodiscard]] HttpCall steadybit_event_call(
    const SteadybitTarget& target,
    const SteadybitListener& listener,
    std::string_view body,
    Duration timeout,
    std::string_view user_agent
);

}  // namespace belfry
