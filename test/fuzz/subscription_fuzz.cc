// Subscriptions as JSON. What is accepted must be stored as a document that reads back equal, and
// be shown as JSON that holds none of its secrets.
#include "base/assert.h"
#include "base/json.h"
#include "catalog/subscription.h"

#include <boost/json.hpp>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Limits limits;
    const auto subscription = parse_subscription(text, limits);
    if (!subscription) {
        ASSERT(!subscription.error().detail.empty());
        return 0;
    }
    const auto again = parse_stored_subscription(stored_subscription_json(*subscription));
    ASSERT(again.has_value() && *again == *subscription);

    const std::string shown = public_subscription_json(*subscription);
    ASSERT(parse_json(shown, limits).has_value());
    const auto& sink = std::get<WebhookSink>(subscription->sink);
    for (const std::string& secret : sink.secrets) {
        ASSERT(shown.find(secret) == std::string::npos);
    }
    for (const auto& [name, value] : sink.headers) {
        ASSERT(name.find_first_of("\r\n:") == std::string::npos);
        ASSERT(value.find_first_of("\r\n") == std::string::npos);
    }
    return 0;
}
