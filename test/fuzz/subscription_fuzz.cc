// Subscriptions as JSON. What is accepted must be stored as a document that reads back equal, and
// be shown as JSON that says nothing of its secrets.
#include "base/assert.h"
#include "base/json.h"
#include "catalog/subscription.h"

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace belfry;

std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

void replace_credential(WebhookSink& sink) {
    if (auto* basic = std::get_if<BasicAuth>(&sink.auth)) {
        basic->password = "another";
    } else if (auto* bearer = std::get_if<BearerAuth>(&sink.auth)) {
        bearer->token = "another";
    } else if (auto* oauth2 = std::get_if<OAuth2Auth>(&sink.auth)) {
        oauth2->client_secret = "another";
    }
}

// A name, a filter or a header may hold the same text as a secret: what counts is that the same
// subscription with other secrets is shown with as many occurrences of it.
void check_shown(const Subscription& subscription) {
    const std::string shown = public_subscription_json(subscription);
    ASSERT(parse_json(shown, Limits{}).has_value());
    Subscription other = subscription;
    auto* sink = std::get_if<WebhookSink>(&other.sink);
    if (sink == nullptr) {
        return;
    }
    replace_credential(*sink);
    ASSERT(public_subscription_json(other) == shown);
    for (std::string& secret : sink->secrets) {
        const std::string known = secret;
        secret = "another";
        ASSERT(occurrences(shown, known) == occurrences(public_subscription_json(other), known));
    }
    for (const auto& [name, value] : sink->headers) {
        ASSERT(name.find_first_of("\r\n:") == std::string::npos);
        ASSERT(value.find_first_of("\r\n") == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto subscription = parse_subscription(text, Limits{});
    if (!subscription) {
        ASSERT(!subscription.error().detail.empty());
        return 0;
    }
    const auto again = parse_stored_subscription(stored_subscription_json(*subscription));
    ASSERT(again.has_value() && *again == *subscription);
    check_shown(*subscription);
    return 0;
}
