#include "sinks/steadybit_outcome.h"

#include "base/json.h"
#include "base/url.h"
#include "net/http.h"
#include "sinks/readable_text.h"
#include "sinks/retry_after.h"

#include <boost/json.hpp>

#include <string_view>

namespace belfry {

namespace {

constexpr std::size_t kToldBytes = 512;  // of each word of an extension's error

Outcome::Kind kind_of(int status) {
    switch (status) {
        case 400:
        case 413:
        case 415:
        case 422:
            return Outcome::Kind::rejected;
        case 410:
            return Outcome::Kind::gone;
        case 408:
        case 425:
        case 429:
        case 502:
        case 503:
        case 504:
            return Outcome::Kind::failed;
        default:
            return status >= 200 && status < 300 ? Outcome::Kind::settled : Outcome::Kind::unclear;
    }
}

// Extensions answer a path that they do not know with their index. It may be longer than what is
// read of an answer, so it is not parsed; of such a long one other lists of an index tell, too.
bool looks_like_index(const HttpReply& reply) {
    const std::string_view body = reply.body;
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || body[first] != '{') {
        return false;
    }
    return body.contains("\"eventListeners\"") ||
           (reply.body_truncated &&
            (body.contains("\"actions\"") || body.contains("\"discoveries\"")));
}

// ": <title>: <detail>" of an ExtensionError; empty if the body is none.
std::string extension_error(const std::string& body) {
    const Result<boost::json::value> document = parse_json(body, Limits{});
    const boost::json::object* object = document ? document->if_object() : nullptr;
    std::string told;
    for (std::string_view name : {"title", "detail"}) {
        const boost::json::value* value = object == nullptr ? nullptr : object->if_contains(name);
        const boost::json::string* text = value == nullptr ? nullptr : value->if_string();
        if (text != nullptr && !text->empty()) {
            told += ": " + readable_text({text->data(), text->size()}, kToldBytes);
        }
    }
    return told;
}

// Where a redirect leads, without what may be a secret there: credentials and the query.
std::string redirect_text(const HttpReply& reply) {
    const std::string_view location = reply.header("location").value_or("");
    std::string_view plain = location.substr(0, location.find_first_of("?#"));
    if (plain.starts_with('/') && !plain.starts_with("//")) {
        return " to " + readable_text(plain, kToldBytes) + ", which is not followed";
    }
    const Result<Url> url = parse_url(plain);
    return (url ? " to " + url->endpoint() : std::string()) + ", which is not followed";
}

std::string error_text(const HttpReply& reply) {
    std::string text = "answered " + std::to_string(reply.status);
    if (std::string_view phrase = reason_phrase(reply.status); !phrase.empty()) {
        text += " ";
        text += phrase;
    }
    return text + (reply.status / 100 == 3 ? redirect_text(reply) : extension_error(reply.body));
}

}  // namespace

SteadybitAnswer steadybit_outcome(const Result<HttpReply>& reply, WallTime now) {
    SteadybitAnswer answer;
    Outcome& outcome = answer.outcome;
    if (!reply) {
        outcome.error = reply.error().detail;
        return answer;
    }
    outcome.status = static_cast<std::uint32_t>(reply->status);
    outcome.kind = kind_of(reply->status);
    if (outcome.kind == Outcome::Kind::settled) {
        if (looks_like_index(*reply)) {
            answer.warning = "path probably not served: the extension answers it with its index";
        }
        return answer;
    }
    outcome.response = readable_text(reply->body, kResponseBytes);
    outcome.error = error_text(*reply);
    const bool is_retried =
        outcome.kind == Outcome::Kind::failed || outcome.kind == Outcome::Kind::unclear;
    if (std::optional<std::string_view> value = reply->header("retry-after"); value && is_retried) {
        outcome.retry_after = parse_retry_after(*value, now);
    }
    return answer;
}

}  // namespace belfry
