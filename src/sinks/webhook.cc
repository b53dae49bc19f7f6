#include "sinks/webhook.h"

#include "auth/standard_webhooks.h"
#include "base/base64.h"
#include "base/url.h"
#include "event/cloudevents_http.h"
#include "event/cloudevents_json.h"
#include "sinks/webhook_outcome.h"

#include <algorithm>

namespace belfry {

namespace {

constexpr Duration kConnectTimeout = std::chrono::seconds(3);

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

void append_authorization(std::string& out, const WebhookSink& config) {
    if (const auto* basic = std::get_if<BasicAuth>(&config.auth)) {
        std::string credentials;
        append_base64(credentials, basic->username + ":" + basic->password);
        append_line(out, "Authorization", "Basic " + credentials);
    } else if (const auto* bearer = std::get_if<BearerAuth>(&config.auth)) {
        append_line(out, "Authorization", "Bearer " + bearer->token);
    }
}

// The request line and every header that is the same for all attempts.
std::string constant_head(
    const Url& url, const WebhookSink& config, const std::string& user_agent
) {
    std::string head = "POST " + url.target() + " HTTP/1.1\r\n";
    append_line(head, "Host", url.authority());
    append_line(head, "User-Agent", user_agent);
    append_authorization(head, config);
    for (const auto& [name, value] : config.headers) {
        append_line(head, name, value);
    }
    return head;
}

class Webhook final : public Sink {
 public:
    Webhook(Url url, const WebhookSink& config, WebhookPorts ports, StandardWebhooks signatures)
        : url_(std::move(url)),
          endpoint_(url_.endpoint()),
          head_(constant_head(url_, config, ports.user_agent)),
          format_(config.format),
          ports_(std::move(ports)),
          signatures_(std::move(signatures)) {}

    void attempt(Attempt attempt, AttemptDone done) override;
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    void add_content(const StoredEvent& event, HttpCall& call) const;
    void add_delivery_headers(const Attempt& attempt, HttpCall& call) const;

    // Constant after construction.
    const Url url_;
    const std::string endpoint_;
    const std::string head_;
    const WebhookSink::Format format_;
    const WebhookPorts ports_;
    const StandardWebhooks signatures_;
};

// The body and the headers that describe it. Data is sent from where the event lives, without a
// copy.
void Webhook::add_content(const StoredEvent& event, HttpCall& call) const {
    if (format_ == WebhookSink::Format::cloudevents_structured) {
        auto body = std::make_shared<std::string>();
        append_event_json(event, LogMembers::leave_out, *body);
        call.head += "Content-Type: application/cloudevents+json\r\n";
        call.body = *body;
        call.body_owner = std::move(body);
        return;
    }
    if (format_ == WebhookSink::Format::cloudevents_binary) {
        append_binary_headers(event, call.head);
    } else {
        append_content_type(event.event, call.head);
    }
    call.body = event.event.data.value_or(std::string_view());
    call.body_owner = event.owner;
}

void Webhook::add_delivery_headers(const Attempt& attempt, HttpCall& call) const {
    UuidText uuid = uuid_text(attempt.event.uuid());
    std::string_view id(uuid.data(), uuid.size());
    auto now = std::chrono::floor<std::chrono::seconds>(ports_.clock.wall());
    append_line(call.head, "webhook-id", id);
    append_line(call.head, "webhook-timestamp", std::to_string(now.time_since_epoch().count()));
    if (signatures_.signs()) {
        append_line(call.head, "webhook-signature", signatures_.sign(id, now, call.body));
    }
    append_line(call.head, "Belfry-Attempt", std::to_string(attempt.number));
    if (!attempt.replay.empty()) {
        append_line(call.head, "Belfry-Replay", attempt.replay);
    }
    append_line(call.head, "Content-Length", std::to_string(call.body.size()));
    call.head += "\r\n";
}

void Webhook::attempt(Attempt attempt, AttemptDone done) {
    HttpCall call;
    call.host = url_.host;
    call.port = url_.port;
    call.timeout = attempt.timeout;
    call.connect_timeout = std::min(kConnectTimeout, attempt.timeout);
    call.head.reserve(head_.size() + 512);
    call.head = head_;
    add_content(attempt.event, call);
    add_delivery_headers(attempt, call);
    // Not `this`: the sink may be replaced while the listener thinks.
    ports_.send(
        std::move(call),
        [&clock = ports_.clock, done = std::move(done)](Result<HttpReply> reply) mutable {
            done(webhook_outcome(reply, clock.wall()));
        }
    );
}

Error about(std::string field, Error error) {
    error.field = std::move(field);
    return error;
}

}  // namespace

Result<std::unique_ptr<Sink>> make_webhook_sink(const WebhookSink& config, WebhookPorts ports) {
    Result<Url> url = parse_url(config.url);
    if (!url) {
        return std::unexpected(about("sink.url", std::move(url.error())));
    }
    if (url->scheme != Url::Scheme::http) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "this build delivers over http only, it has no TLS",
            .field = "sink.url"
        });
    }
    Result<StandardWebhooks> signatures = StandardWebhooks::with(config.secrets);
    if (!signatures) {
        return std::unexpected(about("sink.secret", std::move(signatures.error())));
    }
    return std::make_unique<Webhook>(
        std::move(*url), config, std::move(ports), std::move(*signatures)
    );
}

}  // namespace belfry
