// A subscription as its document says: filter, sink, start, delivery, state. The catalog keeps the
// document in Kv; the hub works from this parsed form. Shapes: docs/openapi.json.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "engine/kv.h"
#include "engine/state.h"
#include "event/filter.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace belfry {

struct BasicAuth {
    std::string username;
    std::string password;
    bool operator==(const BasicAuth&) const = default;
};
struct BearerAuth {
    std::string token;
    bool operator==(const BearerAuth&) const = default;
};

// Client credentials of OAuth 2.0 (RFC 6749, 4.4): a token from `token_url` goes with each attempt.
struct OAuth2Auth {
    std::string token_url;
    std::string client_id;
    std::string client_secret;
    std::string scope;  // may be empty
    bool operator==(const OAuth2Auth&) const = default;
};

struct WebhookSink {
    enum class Format : std::uint8_t { cloudevents_binary, cloudevents_structured, body };
    std::string url;
    Format format = Format::cloudevents_binary;
    std::vector<std::pair<std::string, std::string>> headers;
    std::variant<std::monostate, BasicAuth, BearerAuth, OAuth2Auth> auth;
    // "whsec_…", the newest first. A second one is the one before, which signs too until then.
    std::vector<std::string> secrets;
    std::optional<WallTime> previous_until;
    bool operator==(const WebhookSink&) const = default;
};
// A program that the configuration defines under this name.
struct CommandSink {
    std::string command;
    bool operator==(const CommandSink&) const = default;
};
// The listeners of an extension of Steadybit that is registered under this name. Such a
// subscription is made by the registration, never by a request, and is named
// "steadybit/<extension>".
struct SteadybitSink {
    std::string extension;
    bool operator==(const SteadybitSink&) const = default;
};
using SinkConfig = std::variant<WebhookSink, CommandSink, SteadybitSink>;

// Where a new subscription begins.
struct StartNew {
    bool operator==(const StartNew&) const = default;
};
struct StartEarliest {
    bool operator==(const StartEarliest&) const = default;
};
using Start = std::variant<StartNew, StartEarliest, Offset, WallTime>;

struct Pace {
    std::uint32_t events = 0;
    std::chrono::milliseconds every{};
    bool operator==(const Pace&) const = default;
};

struct DeliveryPolicy {
    enum class Order : std::uint8_t { none, key, all };
    Order order = Order::none;
    std::string key;  // attribute for Order::key; empty: `partitionkey`, else `subject`
    std::chrono::milliseconds timeout{15'000};
    std::uint32_t max_in_flight = 16;
    std::vector<std::chrono::milliseconds> retry = default_retry();
    std::optional<Pace> pace;
    std::uint32_t max_unsettled = 10'000;

    // 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    [[nodiscard]] static std::vector<std::chrono::milliseconds> default_retry();
    bool operator==(const DeliveryPolicy&) const = default;
};

enum class SubscriptionState : std::uint8_t { active, paused, disabled };

struct Subscription {
    std::string tenant = "default";
    std::string name;
    Filter filter;
    SinkConfig sink;
    Start start = StartNew{};
    DeliveryPolicy delivery;
    SubscriptionState state = SubscriptionState::active;
    std::string reason;  // why it is disabled
    Revision revision;   // of the document; set when read from the catalog

    [[nodiscard]] SubscriptionKey key() const { return tenant + "/" + name; }
    bool operator==(const Subscription&) const = default;
};

// From a request body: unknown members are unknown_field, bad values bad_request or invalid_filter,
// each with `field` as a path. `state` and `reason` are not accepted here.
[[nodiscard]] Result<Subscription> parse_subscription(std::string_view json, const Limits& limits);

// Forgets the signing secret before the newest once its time is over.
void end_overlap(Subscription& subscription, WallTime now);

// The public form as a JSON object: every member but the ones that delivery knows (cursor, pending,
// …); secrets as {"set":true,"fingerprint":"…"}, passwords and tokens as {"set":true}.
[[nodiscard]] std::string public_subscription_json(const Subscription& subscription);

// The stored form, with secrets, state and reason, and its way back. Only the catalog and Kv see
// it.
[[nodiscard]] std::string stored_subscription_json(const Subscription& subscription);
[[nodiscard]] Result<Subscription> parse_stored_subscription(std::string_view json);

}  // namespace belfry
