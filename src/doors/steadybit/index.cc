#include "doors/steadybit/index.h"

#include "base/ascii.h"
#include "net/http_syntax.h"

#include <fmt/format.h>

namespace belfry {

namespace {

constexpr std::string_view kIndex =
    R"({"eventListeners":[{"method":"POST","path":"/events","listenTo":["*"]}]})";

bool is_etag(std::string_view member, std::string_view etag) {
    if (member == "*") {
        return true;
    }
    if (member.starts_with("W/")) {
        member.remove_prefix(2);
    }
    if (member.size() >= 2 && member.starts_with('"') && member.ends_with('"')) {
        member = member.substr(1, member.size() - 2);
    }
    return member == etag;
}

}  // namespace

OwnIndex::OwnIndex(WallTime started)
    : etag_(fmt::format("{:x}", started.time_since_epoch().count())),
      headers_(fmt::format(
          "ETag: \"{}\"\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n", etag_
      )) {}

void OwnIndex::answer(RequestContext& context) {
    if (names_etag(context.request.headers, etag_)) {
        return context.exchange.respond(HttpResponse{.status = 304, .headers = headers_});
    }
    context.exchange.respond(
        HttpResponse{.content_type = "application/json", .headers = headers_, .body = kIndex}
    );
}

bool names_etag(std::span<const HeaderField> headers, std::string_view etag) {
    bool named = false;
    for (const HeaderField& header : headers) {
        if (equals_ignoring_case(header.name, "if-none-match")) {
            for_each_member(header.value, [&](std::string_view member) {
                named = named || is_etag(member, etag);
            });
        }
    }
    return named;
}

}  // namespace belfry
