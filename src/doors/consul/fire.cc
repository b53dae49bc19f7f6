#include "doors/consul/fire.h"

#include "base/base64.h"
#include "doors/consul/errors.h"
#include "doors/consul/event_filter.h"
#include "doors/consul/translate.h"
#include "event/check_event.h"
#include "event/consul_json.h"

#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kSearchTooLong =
    "Invalid filter: with so many names and tags of services, it takes too long to search for";

// What the answer says after the event's ID, which the log gives.
std::string after_id(const Event& event, EventFilterTexts filters) {
    std::string out = "\",\"Name\":";
    append_go_string(event.type, out);
    out.append(",\"Payload\":");
    if (event.data) {
        out.push_back('"');
        append_base64(out, *event.data);
        out.push_back('"');
    } else {
        out.append("null");
    }
    const auto member = [&out](std::string_view name, std::string_view text) {
        out.append(",\"").append(name).append("\":");
        append_go_string(text, out);
    };
    member("NodeFilter", filters.node);
    member("ServiceFilter", filters.service);
    member("TagFilter", filters.tag);
    return out + ",\"Version\":1,\"LTime\":0}";
}

EventFilterTexts filters_of(const Query& query) {
    return {
        .node = query.get("node").value_or(""),
        .service = query.get("service").value_or(""),
        .tag = query.get("tag").value_or("")
    };
}

}  // namespace

EventFire::EventFire(const Ports& ports)
    : hub_(ports.hub),
      limits_(ports.limits),
      node_(ports.node),
      services_(ports.services),
      answers_(ports.answers),
      strict_status_(ports.strict_status),
      source_(consul_source(ports.node.name)) {}

void EventFire::fire(RequestContext& context) {
    const std::string_view name = context.path.names->empty() ? "" : context.path.get("name");
    if (name.empty()) {
        return answers_.text(context.exchange, 400, "Missing name");
    }
    if (name.starts_with('_')) {
        return answers_.text(context.exchange, 400, "Event names starting with '_' are reserved");
    }
    const EventFilterTexts texts = filters_of(context.query);
    Result<EventFilter> filter = EventFilter::parse(texts, limits_);
    if (!filter) {
        return answers_.text(context.exchange, strict_status_ ? 400 : 500, filter.error().detail);
    }
    if (!is_datacenter(context.query, node_)) {
        return answers_.text(context.exchange, 500, kNoPathToDatacenter);
    }
    if (!context.caller.may(Resource::event, Verb::write, name)) {
        return answers_.text(context.exchange, 403, kPermissionDenied);
    }
    if (filter->steps(node_, services_) > EventFilter::kSearchStepsMax) {
        return answers_.text(context.exchange, strict_status_ ? 400 : 500, kSearchTooLong);
    }
    Event event = fired_event(name, context.request.body, texts);
    event.tenant = context.caller.tenant;
    event.source = source_;
    event.elsewhere = !filter->accepts(node_, services_);
    if (Result<void> good = check_event(event, limits_); !good) {
        return answers_.text(context.exchange, 400, good.error().detail);
    }
    publish(context, event);
}

void EventFire::publish(RequestContext& context, const Event& event) {
    const JsonForm form = json_form(context);
    hub_.publish(
        context.caller,
        {&event, 1},
        [this,
         form,
         exchange = std::move(context.exchange),
         rest =
             after_id(event, filters_of(context.query))](Result<std::span<const Appended>> receipts
        ) mutable {
            if (!receipts) {
                const Error& error = receipts.error();
                return answers_.text(exchange, consul_status(error.code), consul_text(error));
            }
            const UuidText id = uuid_text(receipts->front().uuid());
            answer_.assign("{\"ID\":\"").append(id.data(), id.size()).append(rest);
            answers_.json(exchange, answer_, form);
        }
    );
}

void EventFire::refuse_size(Exchange& exchange) {
    answers_.text(
        exchange,
        strict_status_ ? 413 : 500,
        "error broadcasting event: user event exceeds configured limit of " +
            std::to_string(limits_.body_bytes) + " bytes before encoding"
    );
}

}  // namespace belfry
