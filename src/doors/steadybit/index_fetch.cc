#include "doors/steadybit/index_fetch.h"

#include "base/ascii.h"
#include "sinks/readable_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

constexpr Duration kFetchTime = std::chrono::seconds(10);
constexpr std::size_t kShownBytes = 200;
constexpr std::size_t kEtagBytes = 1024;

// Scheme, host and path of where a redirect leads: what stands before an `@` or behind a `?` may
// be secret.
std::string place_of(std::string_view location) {
    location = location.substr(0, location.find_first_of("?#"));
    const std::size_t authority = location.find("//");
    if (authority != std::string_view::npos) {
        const std::size_t begin = authority + 2;
        const std::size_t end = std::min(location.find('/', begin), location.size());
        const std::size_t at = location.substr(0, end).rfind('@');
        if (at != std::string_view::npos && at >= begin) {
            return readable_text(location.substr(0, begin), kShownBytes) +
                   readable_text(location.substr(at + 1), kShownBytes);
        }
    }
    return readable_text(location, kShownBytes);
}

std::unexpected<Error> no_index(std::string detail) {
    return fail(Errc::unavailable, std::move(detail));
}

std::unexpected<Error> bad_status(const HttpReply& reply) {
    std::string text = fmt::format("the index was answered with {}", reply.status);
    if (reply.status >= 300 && reply.status < 400 && reply.status != 304) {
        const std::optional<std::string_view> location = reply.header("location");
        text += location ? fmt::format(" to {}", place_of(*location)) : "";
        text += "; redirects are not followed";
    }
    return no_index(std::move(text));
}

}  // namespace

SteadybitTarget target_of(const RegisteredExtension& extension) {
    SteadybitTarget target = extension.unix_socket.empty()
                                 ? steadybit_target(extension.index_url())
                                 : steadybit_unix_target(extension.unix_socket);
    target.paths = extension.paths == RegisteredExtension::Paths::origin ? SteadybitPaths::origin
                                                                         : SteadybitPaths::prefix;
    target.basic = extension.basic;
    return target;
}

HttpCall index_call(
    const RegisteredExtension& extension,
    const SteadybitTarget& target,
    std::string_view etag,
    std::string_view user_agent
) {
    HttpCall call = steadybit_call(target);
    call.timeout = kFetchTime;
    call.connect_timeout = kFetchTime;
    call.body_most = kSteadybitIndexBytes;
    call.head_request = extension.method == "HEAD";
    call.head = extension.method + ' ' + extension.index_url().target() + " HTTP/1.1\r\n";
    append_steadybit_headers(call.head, target, user_agent);
    call.head += "Accept: application/json\r\n";
    if (!etag.empty()) {
        call.head.append("If-None-Match: ").append(etag).append("\r\n");
    }
    if (extension.method == "POST" || extension.method == "PUT" || extension.method == "PATCH") {
        call.head += "Content-Length: 0\r\n";
    }
    call.head += "\r\n";
    return call;
}

Result<FetchedIndex> read_index_reply(
    const Result<HttpReply>& reply, std::string_view sent_etag, const Limits& limits
) {
    if (!reply) {
        return std::unexpected(reply.error());
    }
    if (reply->status == 304 && !sent_etag.empty()) {
        return FetchedIndex{};
    }
    if (reply->status != 200) {
        return bad_status(*reply);
    }
    const std::string_view coding = reply->header("content-encoding").value_or("identity");
    if (!equals_ignoring_case(coding, "identity")) {
        return no_index(fmt::format(
            "the index is encoded ({}), which was not asked for", readable_text(coding, kShownBytes)
        ));
    }
    if (reply->body_truncated) {
        return no_index(fmt::format("the index is larger than {} bytes", kSteadybitIndexBytes));
    }
    Result<SteadybitIndex> index = parse_steadybit_index(reply->body, limits);
    if (!index) {
        return std::unexpected(std::move(index.error()));
    }
    const std::string_view etag = reply->header("etag").value_or("");
    return FetchedIndex{
        .index = *std::move(index), .etag = std::string(etag.size() <= kEtagBytes ? etag : "")
    };
}

}  // namespace belfry
