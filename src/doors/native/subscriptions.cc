#include "doors/native/subscriptions.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "doors/json_writer.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/events.h"
#include "doors/native/translate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace belfry {

namespace {

SubscriptionKey subscription_key(const RequestContext& context) {
    return context.caller.tenant + "/" + std::string(context.path.get("name"));
}

Error no_such_subscription() {
    return Error{.code = Errc::not_found, .detail = "there is no subscription of this name"};
}

std::string etag(const Subscription& subscription) {
    return "ETag: \"" + std::to_string(subscription.revision.value) + "\"\r\n";
}

std::string attempts_json(
    const std::vector<AttemptRecord>& attempts, std::optional<Outcome::Kind> outcome
) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("attempts").begin_array();
    for (const AttemptRecord& attempt : attempts) {
        if (!outcome || attempt.outcome == *outcome) {
            json.raw(attempt_json(attempt));
        }
    }
    json.end_array().end_object();
    return out;
}

constexpr std::chrono::days kOverlapMax(30);

// {"overlap": "24h", "force": false}, both optional, and so is the body.
Result<SecretRotation> parse_rotation(std::string_view body, const Limits& limits) {
    SecretRotation rotation;
    if (body.empty()) {
        return rotation;
    }
    Result<boost::json::value> document = parse_json(body, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    if (std::optional<std::string> text = reader.text("overlap")) {
        Result<Duration> overlap = parse_duration(*text);
        if (!overlap) {
            reader.refuse("overlap", Errc::bad_request, overlap.error().detail);
        } else if (*overlap > kOverlapMax) {
            reader.refuse("overlap", Errc::bad_request, "at most 30d");
        } else {
            rotation.overlap = std::chrono::ceil<std::chrono::seconds>(*overlap);
        }
    }
    rotation.force = reader.flag("force").value_or(false);
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return rotation;
}

bool may_read_all(const Caller& caller, const Filter& filter) {
    static const std::vector<TypePattern> kEvery{TypePattern{.text = "", .prefix = true}};
    return caller.grant != nullptr &&
           std::ranges::all_of(
               filter.types.empty() ? kEvery : filter.types,
               [&](const auto& types) { return caller.grant->covers(Verb::read, types); }
           );
}

// A subscription carries events to whoever its sink names, so who makes it must be allowed to read
// every one it may match.
Result<void> check_reach(const Caller& caller, const Filter& filter) {
    if (!may_read_all(caller, filter)) {
        return std::unexpected(Error{
            .code = Errc::denied,
            .detail = "the filter matches events that the token may not read; narrow `types`",
            .field = "filter.types"
        });
    }
    return {};
}

}  // namespace

std::string Subscriptions::json_of(const Subscription& subscription, const Caller& caller) const {
    Result<SubscriptionStatus> status = hub_.subscription_status(subscription.key());
    if (status && !may_read_all(caller, subscription.filter)) {
        status->last_error.clear();  // of whatever event it was
    }
    Subscription now = subscription;
    end_overlap(now, clock_.wall());
    return subscription_json(now, status ? std::optional(std::move(*status)) : std::nullopt);
}

Catalog::Done Subscriptions::answer_with(RequestContext& context, int status, Location location) {
    return
        [this, exchange = std::move(context.exchange), caller = context.caller, status, location](
            auto changed
        ) mutable {
            if (!changed) {
                return answer_error(exchange, changed.error());
            }
            std::string headers = etag(*changed);
            if (location == Location::add) {
                // Names need no escaping in a path.
                headers += "Location: /api/v1/subscriptions/" + changed->name + "\r\n";
            }
            answer_json(exchange, status, json_of(*changed, caller), headers);
        };
}

void Subscriptions::create(RequestContext& context) {
    Result<Subscription> subscription = parse_subscription(context.request.body, limits_);
    if (!subscription) {
        return answer_error(context.exchange, subscription.error());
    }
    if (Result<void> good = check_reach(context.caller, subscription->filter); !good) {
        return answer_error(context.exchange, good.error());
    }
    subscription->tenant = context.caller.tenant;
    hub_.create_subscription(std::move(*subscription), answer_with(context, 201, Location::add));
}

void Subscriptions::list(RequestContext& context) {
    Result<std::size_t> limit = page_limit(context.query, limits_);
    if (!limit) {
        return answer_error(context.exchange, limit.error());
    }
    std::vector<const Subscription*> all = catalog_.list(context.caller.tenant);
    std::string_view after = context.query.get("after").value_or("");
    auto begin = std::ranges::upper_bound(all, after, {}, [](const Subscription* subscription) {
        return std::string_view(subscription->name);
    });
    auto left = static_cast<std::size_t>(all.end() - begin);
    std::span<const Subscription* const> page(begin, std::min(left, *limit));
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("subscriptions").begin_array();
    for (const Subscription* subscription : page) {
        json.raw(json_of(*subscription, context.caller));
    }
    json.end_array();
    if (left > page.size()) {
        json.member("next", page.back()->name);
    }
    json.end_object();
    answer_json(context.exchange, 200, out);
}

void Subscriptions::get(RequestContext& context) {
    const Subscription* subscription = catalog_.find(subscription_key(context));
    if (subscription == nullptr) {
        return answer_error(context.exchange, no_such_subscription());
    }
    answer_json(context.exchange, 200, json_of(*subscription, context.caller), etag(*subscription));
}

void Subscriptions::replace(RequestContext& context) {
    Result<Expect> expect = expectation(context.request.header("if-match"));
    if (!expect) {
        return answer_error(context.exchange, expect.error());
    }
    Result<Subscription> subscription = parse_subscription(context.request.body, limits_);
    if (!subscription) {
        return answer_error(context.exchange, subscription.error());
    }
    if (subscription->name != context.path.get("name")) {
        Error other{
            .code = Errc::bad_request,
            .detail = "the name in the body is not the name in the path",
            .field = "name"
        };
        return answer_error(context.exchange, other);
    }
    if (Result<void> good = check_reach(context.caller, subscription->filter); !good) {
        return answer_error(context.exchange, good.error());
    }
    // Whoever may not read what it carries now may not end that, nor have its place in the log.
    const Subscription* current = catalog_.find(subscription_key(context));
    if (current != nullptr && !may_read_all(context.caller, current->filter)) {
        const Error denied{
            .code = Errc::denied,
            .detail = "the subscription carries events that the token may not read"
        };
        return answer_error(context.exchange, denied);
    }
    subscription->tenant = context.caller.tenant;
    hub_.replace_subscription(
        std::move(*subscription), *expect, answer_with(context, 200, Location::leave_out)
    );
}

void Subscriptions::remove(RequestContext& context) {
    Result<Expect> expect = expectation(context.request.header("if-match"));
    if (!expect) {
        return answer_error(context.exchange, expect.error());
    }
    hub_.remove_subscription(
        subscription_key(context),
        *expect,
        [exchange = std::move(context.exchange)](Result<void> removed) mutable {
            removed ? answer_nothing(exchange) : answer_error(exchange, removed.error());
        }
    );
}

void Subscriptions::set_state(RequestContext& context, SubscriptionState state) {
    hub_.set_subscription_state(
        subscription_key(context), state, answer_with(context, 200, Location::leave_out)
    );
}

void Subscriptions::pause(RequestContext& context) {
    set_state(context, SubscriptionState::paused);
}

void Subscriptions::resume(RequestContext& context) {
    set_state(context, SubscriptionState::active);
}

void Subscriptions::test(RequestContext& context) {
    hub_.test_subscription(
        subscription_key(context),
        [exchange = std::move(context.exchange)](Result<AttemptRecord> attempt) mutable {
            if (!attempt) {
                return answer_error(exchange, attempt.error());
            }
            answer_json(exchange, 200, attempt_json(*attempt));
        }
    );
}

void Subscriptions::rotate_secret(RequestContext& context) {
    Result<SecretRotation> rotation = parse_rotation(context.request.body, limits_);
    if (!rotation) {
        return answer_error(context.exchange, rotation.error());
    }
    hub_.rotate_secret(
        subscription_key(context),
        *rotation,
        [exchange = std::move(context.exchange)](Result<RotatedSecret> rotated) mutable {
            if (!rotated) {
                return answer_error(exchange, rotated.error());
            }
            std::string out;
            JsonWriter json(out);
            json.begin_object().member("secret", rotated->secret);
            if (rotated->previous_until) {
                json.member("previous_until", rfc3339(*rotated->previous_until));
            }
            json.end_object();
            answer_json(exchange, 200, out);
        }
    );
}

void Subscriptions::list_attempts(RequestContext& context) {
    std::optional<Outcome::Kind> outcome;
    if (std::optional<std::string_view> name = context.query.get("outcome")) {
        outcome = parse_outcome(*name);
        if (!outcome) {
            Error unknown{
                .code = Errc::bad_request,
                .detail = "an outcome is settled, rejected, failed, wait or gone",
                .field = "outcome"
            };
            return answer_error(context.exchange, unknown);
        }
    }
    auto list = [this,
                 key = subscription_key(context),
                 outcome](Exchange exchange, std::optional<Offset> offset) {
        hub_.list_attempts(
            key,
            offset,
            [exchange = std::move(exchange), outcome](auto attempts) mutable {
                if (!attempts) {
                    return answer_error(exchange, attempts.error());
                }
                answer_json(exchange, 200, attempts_json(*attempts, outcome));
            }
        );
    };
    std::optional<std::string_view> event = context.query.get("event");
    if (!event) {
        // What a listener answered may repeat what it was sent.
        const Subscription* subscription = catalog_.find(subscription_key(context));
        if (subscription != nullptr && !may_read_all(context.caller, subscription->filter)) {
            Error hidden{
                .code = Errc::denied,
                .detail =
                    "the subscription matches events that the token may not read; name one "
                    "that it may",
                .field = "event"
            };
            return answer_error(context.exchange, hidden);
        }
        return list(std::move(context.exchange), std::nullopt);
    }
    find_event(
        hub_.log(),
        context.caller,
        std::string(*event),
        {},
        [list = std::move(list), exchange = std::move(context.exchange)](auto found) mutable {
            if (!found) {
                return answer_error(exchange, found.error());
            }
            list(std::move(exchange), found->offset);
        }
    );
}

}  // namespace belfry
