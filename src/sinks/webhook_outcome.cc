#include "sinks/webhook_outcome.h"

#include "net/http.h"
#include "sinks/readable_text.h"
#include "sinks/retry_after.h"

namespace belfry {

namespace {

Outcome::Kind kind_of(int status, bool asks_for_time) {
    switch (status) {
        case 400:
        case 413:
        case 415:
        case 422:
            return Outcome::Kind::rejected;
        case 410:
            return Outcome::Kind::gone;
        case 429:
            return Outcome::Kind::wait;
        default:
            return asks_for_time ? Outcome::Kind::wait : Outcome::Kind::failed;
    }
}

}  // namespace

Outcome webhook_outcome(const Result<HttpReply>& reply, WallTime now) {
    Outcome outcome;
    if (!reply) {
        outcome.error = reply.error().detail;
        return outcome;
    }
    outcome.status = static_cast<std::uint32_t>(reply->status);
    outcome.response = readable_text(reply->body, kResponseBytes);
    if (reply->status >= 200 && reply->status < 300) {
        outcome.kind = Outcome::Kind::settled;
        return outcome;
    }
    std::optional<Duration> retry_after;
    if (std::optional<std::string_view> value = reply->header("retry-after")) {
        retry_after = parse_retry_after(*value, now);
    }
    outcome.kind = kind_of(reply->status, retry_after.has_value());
    if (outcome.kind == Outcome::Kind::wait) {
        outcome.retry_after = retry_after;
    }
    outcome.error = "answered " + std::to_string(reply->status);
    if (std::string_view phrase = reason_phrase(reply->status); !phrase.empty()) {
        outcome.error += " ";
        outcome.error += phrase;
    }
    return outcome;
}

}  // namespace belfry
