#include "app/receiver.h"

#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/utf8.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr int kFailStatus = 500;
constexpr std::size_t kDataWidth = 80;

std::string header_text(const HttpRequest& request, std::string_view name) {
    return std::string(request.header(name).value_or(""));
}

// The event as far as it can be seen: binary mode has it in headers, structured mode in the body.
struct SeenDelivery {
    std::string type;
    std::string source;
    std::string data;
};

SeenDelivery seen_delivery(const HttpRequest& request) {
    SeenDelivery delivery{
        .type = header_text(request, "ce-type"),
        .source = header_text(request, "ce-source"),
        .data = std::string(request.body)
    };
    if (!header_text(request, "content-type").starts_with("application/cloudevents+json")) {
        return delivery;
    }
    json::error_code error;
    json::value event =
        json::parse(json::string_view(request.body.data(), request.body.size()), error);
    if (!error) {
        delivery.type = member_text(event, "type");
        delivery.source = member_text(event, "source");
        std::string data = member_text(event, "data");
        delivery.data = data.empty() ? member_text(event, "data_base64") : data;
    }
    return delivery;
}

// Bytes that JSON cannot hold as text are left out of it; their number tells.
json::value body_value(std::string_view body) {
    if (!is_utf8(body)) {
        return nullptr;
    }
    return json::value(json::string_view(body.data(), body.size()));
}

}  // namespace

Receiver::Receiver(ReceiverOptions options, Console& console)
    : options_(std::move(options)), console_(console) {}

HttpService::Admission Receiver::admit(const HttpRequest& /*head*/) {
    return {.body_limit = options_.body_bytes, .waits = false};
}

std::string Receiver::signature_text(const HttpRequest& request) const {
    if (!options_.check_signature) {
        return request.header("webhook-signature") ? "unchecked" : "none";
    }
    Result<void> good = options_.check_signature(request);
    return good ? "good" : "BAD: " + good.error().detail;
}

void Receiver::handle(const HttpRequest& request, Exchange exchange) {
    ++received_;
    int status = received_ <= options_.fail ? kFailStatus : options_.status;
    SeenDelivery delivery = seen_delivery(request);
    std::string signature = signature_text(request);
    std::string attempt = header_text(request, "belfry-attempt");
    std::string id = header_text(request, "webhook-id");
    if (console_.json()) {
        json::object line{
            {"webhook_id", id},
            {"attempt", attempt},
            {"type", delivery.type},
            {"source", delivery.source},
            {"signature", signature},
            {"answered", status},
            {"bytes", request.body.size()},
            {"body", body_value(request.body)}
        };
        console_.data(screen_json(json::serialize(line)) + "\n");
    } else {
        console_.data(fmt::format(
            "{}  {}  attempt {}  signature {}  answered {}  {}\n",
            console_.paint(screen_text(delivery.type.empty() ? request.target : delivery.type), 1),
            screen_text(id.empty() ? "no webhook-id" : id),
            screen_text(attempt.empty() ? "?" : attempt),
            screen_text(signature),
            status,
            screen_text(delivery.data, kDataWidth)
        ));
    }
    static_cast<void>(console_.flush());
    exchange.respond({.status = status});
    if (received_ == options_.count && options_.on_done) {
        options_.on_done();
    }
}

void Receiver::refuse(
    const HttpRequest& /*head*/, int status, const Error& error, Exchange exchange
) {
    console_.say(fmt::format("refused a request with {}: {}", status, screen_text(error.detail)));
    exchange.respond(
        {.status = status, .content_type = "text/plain", .body = error.detail, .close = true}
    );
}

}  // namespace belfry
