#include "sinks/steadybit_target.h"

#include "base/base64.h"
#include "sinks/header_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

constexpr Duration kExtensionConnectTimeout = std::chrono::seconds(10);

std::string seconds_text(Duration duration) {
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(duration);
    return fmt::format("{}", std::chrono::duration<double>(whole).count());
}

}  // namespace

SteadybitTarget steadybit_target(const Url& url) {
    SteadybitTarget target;
    target.host = url.host;
    target.port = url.port;
    target.secure = url.scheme == Url::Scheme::https;
    target.authority = url.authority();
    target.prefix = url.path;
    while (target.prefix.ends_with('/')) {
        target.prefix.pop_back();
    }
    return target;
}

// A server on a socket has no name, yet HTTP wants one.
SteadybitTarget steadybit_unix_target(std::string path) {
    SteadybitTarget target;
    target.host = target.authority = "localhost";
    target.unix_path = std::move(path);
    return target;
}

HttpCall steadybit_call(const SteadybitTarget& target) {
    HttpCall call;
    call.host = target.host;
    call.port = target.port;
    call.secure = target.secure;
    call.tls = target.tls;
    call.unix_path = target.unix_path;
    return call;
}

void append_steadybit_headers(
    std::string& head, const SteadybitTarget& target, std::string_view user_agent
) {
    append_header_line(head, "Host", target.authority);
    append_header_line(head, "User-Agent", user_agent);
    if (target.basic) {
        std::string credentials = "Basic ";
        append_base64(credentials, target.basic->username + ":" + target.basic->password);
        append_header_line(head, "Authorization", credentials);
    }
}

HttpCall steadybit_event_call(
    const SteadybitTarget& target,
    const SteadybitListener& listener,
    std::string_view body,
    Duration timeout,
    std::string_view user_agent
) {
    HttpCall call = steadybit_call(target);
    call.timeout = timeout;
    call.connect_timeout = std::min(kExtensionConnectTimeout, timeout);
    call.head.reserve(384 + target.prefix.size() + listener.path.size());
    call.head = listener.method;
    call.head += ' ';
    if (target.paths == SteadybitPaths::prefix) {
        call.head += target.prefix;
    }
    call.head += listener.path;
    call.head += " HTTP/1.1\r\n";
    append_steadybit_headers(call.head, target, user_agent);
    append_header_line(call.head, "Accept", "application/json");
    append_header_line(call.head, "Content-Type", "application/json");
    append_header_line(call.head, "Request-Timeout", seconds_text(timeout));
    append_header_line(call.head, "Content-Length", std::to_string(body.size()));
    call.head += "\r\n";
    call.body = body;
    return call;
}

}  // namespace belfry
