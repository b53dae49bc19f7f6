#include "doors/native/access_routes.h"
#include "doors/native/dead_letters.h"
#include "doors/native/errors.h"
#include "doors/native/events.h"
#include "doors/native/native_door.h"
#include "doors/native/parameters.h"
#include "doors/native/publish.h"
#include "doors/native/status.h"
#include "doors/native/stream.h"
#include "doors/native/subscriptions.h"

#include <memory>

namespace belfry {

namespace {

using In = ParameterDoc::In;
using Type = ParameterDoc::Type;

// A handler that is a member of an object which the routes keep alive.
template <typename Object>
Handler call(const std::shared_ptr<Object>& object, void (Object::*method)(RequestContext&)) {
    return [object, method](RequestContext& context) { ((*object).*method)(context); };
}

const ParameterDoc kTypeFilter{.name = "type", .text = "exact, or a prefix ending in `*`"};
const ParameterDoc kSourceFilter{.name = "source", .text = "exact"};
const ParameterDoc kSubjectFilter{.name = "subject", .text = "exact"};
const ParameterDoc kEventId{
    .in = In::path, .name = "id", .text = "an offset, the UUID form or the publisher's id"
};

const Needs kReadEvents(Resource::event, Verb::read);
const Needs kReadSubscriptions(Resource::subscription, Verb::read);
const Needs kReadSubscription(Resource::subscription, Verb::read, "name");
const Needs kWriteSubscription(Resource::subscription, Verb::write, "name");
const Needs kReadDeadLetters(Resource::dead_letter, Verb::read);
const Needs kWriteDeadLetters(Resource::dead_letter, Verb::write);
const Needs kReadOperation(Resource::op, Verb::read);
const Needs kNothing(Resource::none, Verb::read);

void add_publish(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    auto publisher = std::make_shared<Publisher>(ports);
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/events",
        .needs = Needs(Resource::event, Verb::write),  // the hub asks again, with each type
        .handler = call(publisher, &Publisher::publish),
        .doc =
            {.summary = "Publish one event or many",
             .parameters =
                 {{.name = "type", .text = "of a plain body; needed there"},
                  {.name = "source", .text = "of a plain body; /belfry/http"},
                  {.name = "subject", .text = "of a plain body"},
                  {.name = "id", .text = "of a plain body; made if absent"}},
             .request_media_types =
                 {"application/cloudevents+json",
                  "application/cloudevents-batch+json",
                  "application/x-ndjson",
                  "*/*"},
             .answers = {{.text = "the receipt: the events are durable"}}},
        .body = BodyKind::events,
    });
}

void add_reads(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    auto reads = std::make_shared<EventReads>(ports);
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/events",
        .needs = kReadEvents,
        .handler = call(reads, &EventReads::list),
        .doc =
            {.summary = "List events",
             .parameters =
                 {kTypeFilter,
                  kSourceFilter,
                  kSubjectFilter,
                  {.name = "since", .text = "recorded at or after: a time, or an age such as 1h"},
                  {.name = "until", .text = "recorded before: a time or an age"},
                  {.name = "after", .text = "offset, exclusive", .type = Type::number},
                  {.name = "before", .text = "offset, exclusive", .type = Type::number},
                  {.name = "order", .text = "asc or desc; asc"},
                  kPageLimit},
             .answers =
                 {{.text = "a page; it may be short, or empty, and still have `next`"},
                  {.status = 410,
                   .text = "the log starts behind `after` now; `first` says where",
                   .media_type = "application/problem+json"}}},
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/events/{id}",
        .needs = kReadEvents,
        .handler = call(reads, &EventReads::get),
        .doc =
            {.summary = "One event",
             .parameters = {kEventId, kSourceFilter},
             .answers = {{.text = "the newest event of this id"}}},
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/events/{id}/data",
        .needs = kReadEvents,
        .handler = call(reads, &EventReads::get_data),
        .doc =
            {.summary = "The data of one event, byte for byte, as a download",
             .parameters = {kEventId, kSourceFilter},
             .answers = {{.text = "the bytes", .media_type = "text/plain"}}},
    });
}

std::shared_ptr<EventStreams> add_stream(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    auto streams = std::make_shared<EventStreams>(ports);
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/events/stream",
        .needs = kReadEvents,
        .handler = call(streams, &EventStreams::open),
        .doc =
            {.summary = "Events as they become durable, as server-sent events",
             .parameters =
                 {kTypeFilter,
                  kSourceFilter,
                  kSubjectFilter,
                  {.name = "after", .text = "offset to go on behind; now", .type = Type::number},
                  {.in = In::header,
                   .name = "Last-Event-ID",
                   .text = "the same, and it wins",
                   .type = Type::number}},
             .answers = {{.text = "an endless stream", .media_type = "text/event-stream"}}},
        .waits = true,
    });
    return streams;
}

void add_subscription_documents(
    std::vector<Route>& routes, const std::shared_ptr<Subscriptions>& subscriptions
) {
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/subscriptions",
        .needs = Needs(Resource::subscription, Verb::write),
        .handler = call(subscriptions, &Subscriptions::create),
        .doc =
            {.summary = "Create a subscription",
             .request_media_types = {"application/json"},
             .answers = {{.status = 201, .text = "it is durable and being served"}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/subscriptions",
        .needs = kReadSubscriptions,
        .handler = call(subscriptions, &Subscriptions::list),
        .doc =
            {.summary = "List subscriptions",
             .parameters = {{.name = "after", .text = "`next` of the page before"}, kPageLimit},
             .answers = {{.text = "a page, by name"}}},
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/subscriptions/{name}",
        .needs = kReadSubscription,
        .handler = call(subscriptions, &Subscriptions::get),
        .doc =
            {.summary = "One subscription and how it is doing",
             .answers = {{.text = "the subscription, without its secrets"}}},
    });
    routes.push_back(Route{
        .method = Method::put,
        .path = "/api/v1/subscriptions/{name}",
        .needs = kWriteSubscription,
        .handler = call(subscriptions, &Subscriptions::replace),
        .doc =
            {.summary = "Replace a subscription; it keeps its position",
             .parameters = {kIfMatch},
             .request_media_types = {"application/json"},
             .answers = {{.text = "the subscription as it now is"}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::del,
        .path = "/api/v1/subscriptions/{name}",
        .needs = kWriteSubscription,
        .handler = call(subscriptions, &Subscriptions::remove),
        .doc =
            {.summary = "Remove a subscription; its dead letters stay",
             .parameters = {kIfMatch},
             .answers = {{.status = 204, .text = "it is gone", .media_type = ""}}},
    });
}

void add_subscription_actions(
    std::vector<Route>& routes, const std::shared_ptr<Subscriptions>& subscriptions
) {
    auto add =
        [&](std::string_view action, auto method, std::string_view summary, std::string_view answer
        ) {
            routes.push_back(Route{
                .method = Method::post,
                .path = "/api/v1/subscriptions/{name}/" + std::string(action),
                .needs = kWriteSubscription,
                .handler = call(subscriptions, method),
                .doc = {.summary = summary, .answers = {{.text = answer}}},
            });
        };
    add("pause", &Subscriptions::pause, "Stop delivering; the position stays", "the subscription");
    add("resume", &Subscriptions::resume, "Deliver again, from where it stood", "the subscription");
    add("test", &Subscriptions::test, "Deliver one made event, which is not stored", "the attempt");
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/subscriptions/{name}/rotate-secret",
        .needs = kWriteSubscription,
        .handler = call(subscriptions, &Subscriptions::rotate_secret),
        .doc =
            {.summary = "Sign with a new secret; for the `overlap` (24h) the one before signs too",
             .request_media_types = {"application/json"},
             .answers =
                 {{.text = "the new secret, shown this once"},
                  {.status = 409,
                   .text = "two secrets sign already; `force` ends the older one",
                   .media_type = "application/problem+json"}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/subscriptions/{name}/attempts",
        .needs = kReadSubscription,
        .handler = call(subscriptions, &Subscriptions::list_attempts),
        .doc =
            {.summary = "What became of the latest attempts to deliver",
             .parameters =
                 {{.name = "event", .text = "of this event: offset, UUID form or id"},
                  {.name = "outcome", .text = "settled, rejected, failed, wait or gone"}},
             .answers = {{.text = "the attempts, newest first"}}},
    });
}

void add_dead_letters(std::vector<Route>& routes, const NativeDoorPorts& ports) {
    auto letters = std::make_shared<DeadLetters>(ports);
    routes.push_back(Route{
        .method = Method::get,
        .path = "/api/v1/dead-letters",
        .needs = kReadDeadLetters,
        .handler = call(letters, &DeadLetters::list),
        .doc =
            {.summary = "List what subscriptions gave up on, oldest first",
             .parameters =
                 {{.name = "subscription", .text = "of this one"},
                  kTypeFilter,
                  {.name = "since", .text = "given up at or after: a time or an age"},
                  {.name = "after", .text = "`next` of the page before"},
                  kPageLimit},
             .answers = {{.text = "a page"}}},
    });
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/dead-letters/{id}/replay",
        .needs = kWriteDeadLetters,
        .handler = call(letters, &DeadLetters::replay_one),
        .doc =
            {.summary = "Attempt one again, out of order",
             .answers = {{.status = 202, .text = "queued, under this replay id"}}},
    });
    routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/dead-letters/replay",
        .needs = kWriteDeadLetters,
        .handler = call(letters, &DeadLetters::replay_matching),
        .doc =
            {.summary = "Attempt all that match `subscription`, `type` and `since` again",
             .request_media_types = {"application/json"},
             .answers = {{.status = 202, .text = "how many were queued, under one replay id"}}},
        .body = BodyKind::document,
    });
    routes.push_back(Route{
        .method = Method::del,
        .path = "/api/v1/dead-letters/{id}",
        .needs = kWriteDeadLetters,
        .handler = call(letters, &DeadLetters::purge),
        .doc =
            {.summary = "Purge one",
             .answers = {{.status = 204, .text = "it is gone", .media_type = ""}}},
    });
}

void add_status(
    std::vector<Route>& routes, NativeDoorPorts ports, const std::shared_ptr<EventStreams>& streams
) {
    auto reports =
        std::make_shared<StatusReports>(std::move(ports), [streams] { return streams->readers(); });
    // They are moved. NOLINTNEXTLINE(performance-unnecessary-value-param)
    auto add = [&](std::string path, const Needs& needs, auto method, RouteDoc doc) {
        routes.push_back(Route{
            .method = Method::get,
            .path = std::move(path),
            .needs = needs,
            .handler = call(reports, method),
            .doc = std::move(doc),
        });
    };
    add("/api/v1/status",
        kReadOperation,
        &StatusReports::status,
        {.summary = "How the hub is", .answers = {{.text = "log, deliveries, connections"}}});
    add("/api/v1/limits",
        kReadOperation,
        &StatusReports::limits,
        {.summary = "Every limit and its setting", .answers = {{.text = "the limits"}}});
    add("/healthz",
        kNothing,
        &StatusReports::alive,
        {.summary = "Is the process alive?", .answers = {{.text = "it is"}}});
    add("/readyz",
        kNothing,
        &StatusReports::ready,
        {.summary = "Does the hub take events and serve subscriptions?",
         .answers = {{.text = "it does"}, {.status = 503, .text = "it does not, for these reasons"}}
        });
    add("/metrics",
        kReadOperation,
        &StatusReports::metrics,
        {.summary = "The hub's numbers for Prometheus",
         .answers = {{.text = "metrics", .media_type = "text/plain"}}});
}

}  // namespace

Door native_door(NativeDoorPorts ports) {
    Door door{.name = "native", .prefixes = {"/api/v1/"}, .routes = {}, .refuse = refuse_natively};
    add_publish(door.routes, ports);
    add_reads(door.routes, ports);
    std::shared_ptr<EventStreams> streams = add_stream(door.routes, ports);
    auto subscriptions = std::make_shared<Subscriptions>(ports);
    add_subscription_documents(door.routes, subscriptions);
    add_subscription_actions(door.routes, subscriptions);
    add_dead_letters(door.routes, ports);
    add_access_routes(door.routes, ports);
    add_status(door.routes, std::move(ports), streams);
    return door;
}

}  // namespace belfry
