#include "doors/credentials.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "net/http_syntax.h"

namespace belfry {

namespace {

// "Bearer" and a token, as RFC 6750 section 2.1 has it; empty if it is something else.
std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
        return {};
    }
    authorization.remove_prefix(kScheme.size());
    std::size_t begin = authorization.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
}

// The password of "Basic" and user:password in Base64 (RFC 7617), kept by `memory`; empty if it is
// something else.
std::string_view basic_password(std::string_view authorization, std::string& memory) {
    constexpr std::string_view kScheme = "basic ";
    memory.clear();
    if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme) ||
        !decode_base64(trim_blanks(authorization.substr(kScheme.size())), memory)) {
        return {};
    }
    const std::size_t colon = memory.find(':');
    return colon == std::string::npos ? std::string_view()
                                      : std::string_view(memory).substr(colon + 1);
}

// Takes `value` for `slot` unless another header gave one already: two tokens, or two origins, are
// no answer to the question who is asking.
bool take(std::string_view& slot, std::string_view value) {
    if (!slot.empty() && slot != value) {
        return false;
    }
    slot = value;
    return true;
}

// In one pass over the headers.
Result<Credentials> of_headers(const HttpRequest& request, const Door& door, std::string& memory) {
    Credentials credentials{.peer = request.peer, .peer_is_loopback = request.peer_is_loopback};
    const bool ranked = door.token_places == Door::TokenPlaces::query_header_authorization;
    const bool basic = door.token_places == Door::TokenPlaces::bearer_or_basic_password;
    std::string_view header_token;
    bool single = true;
    bool is_basic = false;
    for (const HeaderField& header : request.headers) {
        if (equals_ignoring_case(header.name, "host")) {
            single &= take(credentials.host, header.value);
        } else if (equals_ignoring_case(header.name, "origin")) {
            single &= take(credentials.origin, header.value);
        } else if (equals_ignoring_case(header.name, "sec-fetch-site")) {
            single &= take(credentials.sec_fetch_site, header.value);
        } else if (equals_ignoring_case(header.name, "authorization")) {
            std::string_view token = bearer_token(header.value);
            if (basic && token.empty() && !is_basic) {
                token = basic_password(header.value, memory);
                is_basic = true;
            }
            if (ranked) {
                token = token.substr(0, token.find(' '));
            } else if (token.empty()) {
                return fail(
                    Errc::unauthenticated,
                    basic ? "Authorization must be `Bearer` and a token, or `Basic` and a user "
                            "with the token for a password"
                          : "Authorization must be `Bearer` and a token"
                );
            }
            single &= take(credentials.token, token);
        } else if (ranked && equals_ignoring_case(header.name, door.token_header)) {
            single &= take(header_token, header.value);
        }
    }
    if (!header_token.empty()) {
        credentials.token = header_token;
    }
    if (!single) {
        return fail(Errc::bad_request, "the headers name two different hosts, origins or tokens");
    }
    if (is_basic && !(credentials.origin.empty() && credentials.sec_fetch_site.empty())) {
        return fail(Errc::denied, "a browser cannot sign in with a password");
    }
    return credentials;
}

}  // namespace

Result<Credentials> credentials_of(
    const HttpRequest& request, const Door& door, const Query& query, std::string& memory
) {
    Result<Credentials> credentials = of_headers(request, door, memory);
    if (!credentials) {
        return credentials;
    }
    if (std::optional<std::string_view> token = query.get("token")) {
        // A URL ends up in histories and logs, a header does not.
        if (door.token_places != Door::TokenPlaces::query_header_authorization) {
            return fail(Errc::bad_request, "a token belongs into the Authorization header");
        }
        if (!token->empty()) {
            credentials->token = *token;
        }
    }
    return credentials;
}

}  // namespace belfry
