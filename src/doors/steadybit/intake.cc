#include "doors/steadybit/intake.h"

#include "base/percent_encoding.h"
#include "event/check_event.h"
#include "event/steadybit_body.h"

#include <utility>

namespace belfry {

namespace {

void answer_taken(Exchange& exchange) {
    exchange.respond(HttpResponse{.content_type = "application/json", .body = "{}"});
}

// The member of a body that an attribute was made from.
std::string member_of(const std::string& attribute) {
    if (attribute == "type") {
        return "eventName";
    }
    if (attribute == "source") {
        return "tenant.key";
    }
    if (attribute == "subject") {
        return "experimentKey/executionId";
    }
    return attribute == "time" ? "eventTime" : attribute;
}

Error about_body(Error error) {
    std::string member = member_of(error.field);
    if (member != error.field) {
        error.detail = "\"" + member + "\" cannot be an event's attribute: " + error.detail;
        error.field = std::move(member);
    }
    return error;
}

}  // namespace

void SteadybitIntake::take(RequestContext& context) {
    const Result<SteadybitBody> body = parse_steadybit_body(context.request.body);
    if (!body) {
        return answer_steadybit_error(context.exchange, body.error(), malformed_);
    }
    const std::string source = "/steadybit/" + percent_encoded(body->tenant_key);
    Event event;
    event.tenant = context.caller.tenant;
    event.id = body->id;
    event.source = source;
    event.type = body->event_name;
    event.subject = body->subject;
    event.time = body->event_time;
    event.datacontenttype = "application/json";
    event.data = context.request.body;
    if (Result<void> good = check_event(event, limits_); !good) {
        return answer_steadybit_error(context.exchange, about_body(good.error()), malformed_);
    }
    publish(context, event);
}

void SteadybitIntake::publish(RequestContext& context, const Event& event) {
    hub_.publish(
        context.caller,
        {&event, 1},
        [this,
         exchange = std::move(context.exchange),
         tenant = std::string(event.tenant),
         source = std::string(event.source),
         id = std::string(event.id)](Result<std::span<const Appended>> receipts) mutable {
            if (receipts) {
                return answer_taken(exchange);
            }
            if (receipts.error().code == Errc::id_conflict) {
                return answer_known(
                    std::move(exchange), std::move(tenant), std::move(source), std::move(id)
                );
            }
            answer_steadybit_error(exchange, receipts.error(), malformed_);
        }
    );
}

// The first one may still be on its way to the disk; only what can be read is there for good.
void SteadybitIntake::answer_known(
    Exchange exchange, std::string tenant, std::string source, std::string id
) {
    hub_.log().find(
        std::move(tenant),
        std::move(id),
        std::move(source),
        [this, exchange = std::move(exchange)](const Result<StoredEvent>& found) mutable {
            if (found) {
                return answer_taken(exchange);
            }
            Error error = found.error();
            if (error.code == Errc::not_found) {
                error = {
                    .code = Errc::unavailable,
                    .detail = "another event with this id is being stored; send this one again"
                };
            }
            answer_steadybit_error(exchange, error, malformed_);
        }
    );
}

}  // namespace belfry
