#include "doors/native/publish.h"

#include "base/ascii.h"
#include "doors/native/answer.h"
#include "doors/native/errors.h"
#include "doors/native/translate.h"
#include "event/cloudevents_http.h"
#include "event/media_type.h"

namespace belfry {

namespace {

// The parameters describe a plain body; beside a CloudEvent they would say a second thing about the
// same event.
Result<void> refuse_parameters(const Query& query) {
    if (query.parameters().empty()) {
        return {};
    }
    return std::unexpected(Error{
        .code = Errc::bad_request,
        .detail = "a CloudEvent carries its own attributes; the parameter is for plain bodies",
        .field = std::string(query.parameters().front().name)
    });
}

// A coded body would be stored as it is and delivered without a word of its coding.
Result<void> refuse_coding(std::span<const HeaderField> headers) {
    for (const HeaderField& header : headers) {
        if (equals_ignoring_case(header.name, "content-encoding") && !header.value.empty() &&
            !equals_ignoring_case(header.value, "identity")) {
            return std::unexpected(Error{
                .code = Errc::bad_request,
                .detail = "a body is taken as it is, without a content coding; send it decoded",
                .field = "Content-Encoding"
            });
        }
    }
    return {};
}

}  // namespace

Publisher::Publisher(const NativeDoorPorts& ports)
    : hub_(ports.hub),
      limits_(ports.limits),
      verdicts_(ports.node, ports.services, ports.limits),
      durability_member_(",\"durability\":\"" + ports.durability + "\""),
      headers_(std::string(kApiHeaders) + "Belfry-Durability: " + ports.durability + "\r\n"),
      parser_(ports.limits) {}

void Publisher::publish(RequestContext& context) {
    const HttpRequest& request = context.request;
    if (Result<void> plain = refuse_coding(request.headers); !plain) {
        return answer_error(context.exchange, plain.error());
    }
    std::optional<std::string_view> content_type = request.header("content-type");
    bool lines = content_type && has_essence(*content_type, "application/x-ndjson");
    CloudEventsMode mode = lines ? CloudEventsMode::none : cloudevents_mode(request.headers);
    if (lines || mode != CloudEventsMode::none) {
        if (Result<void> good = refuse_parameters(context.query); !good) {
            return answer_error(context.exchange, good.error());
        }
    }
    if (lines) {
        return publish_batch(context, parser_.parse_lines(request.body));
    }
    switch (mode) {
        case CloudEventsMode::batch:
            return publish_batch(context, parser_.parse_batch(request.body));
        case CloudEventsMode::structured:
            return publish_parsed(context, parser_.parse_one(request.body));
        case CloudEventsMode::binary: {
            header_memory_.clear();
            Result<Event> event =
                parse_binary_event(request.headers, request.body, limits_, header_memory_);
            return event ? publish_one(context, *event)
                         : answer_error(context.exchange, event.error());
        }
        case CloudEventsMode::none: {
            Result<Event> event = plain_event(context.query, content_type, request.body, limits_);
            return event ? publish_one(context, *event)
                         : answer_error(context.exchange, event.error());
        }
    }
}

void Publisher::publish_parsed(RequestContext& context, Result<ParsedEvents> parsed) {
    if (!parsed) {
        return answer_error(context.exchange, parsed.error());
    }
    publish_one(context, parsed->events.front());
}

void Publisher::publish_one(RequestContext& context, Event& event) {
    event.tenant = context.caller.tenant;
    if (Result<void> judged = verdicts_.judge(context.caller, {&event, 1}); !judged) {
        return answer_error(context.exchange, judged.error());
    }
    std::span<const Event> one(&event, 1);
    if (event.id.empty()) {
        // The common case: what is captured fits into the callback itself.
        hub_.publish(
            context.caller,
            one,
            [this, exchange = std::move(context.exchange)](auto receipts) mutable {
                answer_one(exchange, {}, std::move(receipts));
            }
        );
        return;
    }
    hub_.publish(
        context.caller,
        one,
        [this, exchange = std::move(context.exchange), id = std::string(event.id)](auto receipts
        ) mutable { answer_one(exchange, id, std::move(receipts)); }
    );
}

void Publisher::answer_one(
    Exchange& exchange, std::string_view given_id, Result<std::span<const Appended>> receipts
) {
    if (!receipts) {
        return answer_error(exchange, receipts.error());
    }
    answer_.assign("{");
    append_receipt(given_id, receipts->front(), answer_);
    answer_.append(durability_member_).push_back('}');
    exchange.respond(
        HttpResponse{.content_type = "application/json", .headers = headers_, .body = answer_}
    );
}

void Publisher::publish_batch(RequestContext& context, Result<ParsedEvents> parsed) {
    if (!parsed) {
        return answer_error(context.exchange, parsed.error());
    }
    std::vector<std::string> given_ids;
    given_ids.reserve(parsed->events.size());
    for (Event& event : parsed->events) {
        event.tenant = context.caller.tenant;
        given_ids.emplace_back(event.id);
    }
    if (given_ids.empty()) {
        return answer_batch(context.exchange, given_ids, std::span<const Appended>());
    }
    if (Result<void> judged = verdicts_.judge(context.caller, parsed->events); !judged) {
        return answer_error(context.exchange, judged.error());
    }
    hub_.publish(
        context.caller,
        parsed->events,
        [this, exchange = std::move(context.exchange), ids = std::move(given_ids)](auto receipts
        ) mutable { answer_batch(exchange, ids, std::move(receipts)); }
    );
}

void Publisher::answer_batch(
    Exchange& exchange,
    const std::vector<std::string>& given_ids,
    Result<std::span<const Appended>> receipts
) {
    if (!receipts) {
        return answer_error(exchange, receipts.error());
    }
    answer_.assign("{\"events\":[");
    for (std::size_t i = 0; i < receipts->size(); ++i) {
        answer_.append(i == 0 ? "{" : ",{");
        append_receipt(given_ids[i], (*receipts)[i], answer_);
        answer_.push_back('}');
    }
    answer_.append("]").append(durability_member_).push_back('}');
    exchange.respond(
        HttpResponse{.content_type = "application/json", .headers = headers_, .body = answer_}
    );
}

}  // namespace belfry
