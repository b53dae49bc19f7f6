#include "sinks/webhook.h"

#include "auth/standard_webhooks.h"
#include "base/base64.h"
#include "base/url.h"
#include "event/cloudevents_http.h"
#include "event/cloudevents_json.h"
#include "sinks/header_line.h"
#include "sinks/webhook_outcome.h"

#include <algorithm>
#include <span>
#include <utility>

namespace belfry {

namespace {

constexpr Duration kWebhookConnectTimeout = std::chrono::seconds(3);

void append_authorization(std::string& out, const WebhookSink& config) {
    if (const auto* basic = std::get_if<BasicAuth>(&config.auth)) {
        std::string credentials;
        append_base64(credentials, basic->username + ":" + basic->password);
        append_header_line(out, "Authorization", "Basic " + credentials);
    } else if (const auto* bearer = std::get_if<BearerAuth>(&config.auth)) {
        append_header_line(out, "Authorization", "Bearer " + bearer->token);
    }
}

// The request line and every header that is the same for all attempts.
std::string constant_head(
    const Url& url, const WebhookSink& config, const std::string& user_agent
) {
    std::string head = "POST " + url.target() + " HTTP/1.1\r\n";
    append_header_line(head, "Host", url.authority());
    append_header_line(head, "User-Agent", user_agent);
    append_authorization(head, config);
    for (const auto& [name, value] : config.headers) {
        append_header_line(head, name, value);
    }
    return head;
}

// The secrets of one subscription as time goes by.
struct Signatures {
    StandardWebhooks newest;
    StandardWebhooks both;  // of the secret before, too
    WallTime both_until{};

    [[nodiscard]] const StandardWebhooks& at(WallTime now) const {
        return now < both_until ? both : newest;
    }
};

// What all attempts of one sink share. Constant; an attempt keeps it, because the sink may be
// replaced while the listener thinks.
class Request {
 public:
    Request(Url url, const WebhookSink& config, WebhookPorts ports, Signatures signatures)
        : url_(std::move(url)),
          head_(constant_head(url_, config, ports.user_agent)),
          format_(config.format),
          ports_(std::move(ports)),
          signatures_(std::move(signatures)) {}

    // `token` is empty unless there is one from OAuth 2.0.
    [[nodiscard]] HttpCall call_for(
        const Attempt& attempt, Duration timeout, std::string_view token
    ) const;
    [[nodiscard]] const WebhookPorts& ports() const { return ports_; }

 private:
    void add_content(const StoredEvent& event, HttpCall& call) const;
    void add_delivery_headers(const Attempt& attempt, HttpCall& call) const;

    const Url url_;
    const std::string head_;
    const WebhookSink::Format format_;
    const WebhookPorts ports_;
    const Signatures signatures_;
};

// The body and the headers that describe it. Data is sent from where the event lives, without a
// copy.
void Request::add_content(const StoredEvent& event, HttpCall& call) const {
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

void Request::add_delivery_headers(const Attempt& attempt, HttpCall& call) const {
    UuidText uuid = uuid_text(attempt.event.uuid());
    std::string_view id(uuid.data(), uuid.size());
    const WallTime wall = ports_.clock.wall();
    auto now = std::chrono::floor<std::chrono::seconds>(wall);
    append_header_line(call.head, "webhook-id", id);
    append_header_line(
        call.head, "webhook-timestamp", std::to_string(now.time_since_epoch().count())
    );
    if (const StandardWebhooks& signatures = signatures_.at(wall); signatures.signs()) {
        append_header_line(call.head, "webhook-signature", signatures.sign(id, now, call.body));
    }
    append_header_line(call.head, "Belfry-Attempt", std::to_string(attempt.number));
    if (!attempt.replay.empty()) {
        append_header_line(call.head, "Belfry-Replay", attempt.replay);
    }
    append_header_line(call.head, "Content-Length", std::to_string(call.body.size()));
    call.head += "\r\n";
}

HttpCall Request::call_for(const Attempt& attempt, Duration timeout, std::string_view token) const {
    HttpCall call;
    call.host = url_.host;
    call.port = url_.port;
    call.secure = url_.scheme == Url::Scheme::https;
    call.timeout = timeout;
    call.connect_timeout = std::min(kWebhookConnectTimeout, timeout);
    call.head.reserve(head_.size() + token.size() + 512);
    call.head = head_;
    if (!token.empty()) {
        append_header_line(call.head, "Authorization", "Bearer " + std::string(token));
    }
    add_content(attempt.event, call);
    add_delivery_headers(attempt, call);
    return call;
}

class Webhook final : public Sink {
 public:
    Webhook(std::string endpoint, std::shared_ptr<const Request> request)
        : endpoint_(std::move(endpoint)), request_(std::move(request)) {}

    void attempt(Attempt attempt, AttemptDone done) override {
        const WebhookPorts& ports = request_->ports();
        ports.send(
            request_->call_for(attempt, attempt.timeout, ""),
            [&clock = ports.clock, done = std::move(done)](Result<HttpReply> reply) mutable {
                done(webhook_outcome(reply, clock.wall()));
            }
        );
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    const std::string endpoint_;
    const std::shared_ptr<const Request> request_;
};

// One attempt with a token: fetch or take it, send, and if the listener refuses a token that was
// kept from before, once more with a new one. All of it within the attempt's time.
class TokenAttempt : public std::enable_shared_from_this<TokenAttempt> {
 public:
    TokenAttempt(
        std::shared_ptr<const Request> request,
        const OAuth2Auth& client,
        Attempt attempt,
        AttemptDone done
    )
        : request_(std::move(request)),
          ports_(request_->ports()),
          client_(client),
          attempt_(std::move(attempt)),
          done_(std::move(done)),
          deadline_(ports_.clock.now() + attempt_.timeout) {}

    void run() {
        ports_.tokens.get(client_, left(), [self = shared_from_this()](Result<AccessToken> token) {
            self->send(std::move(token));
        });
    }

 private:
    [[nodiscard]] Duration left() const {
        return std::max<Duration>(deadline_ - ports_.clock.now(), std::chrono::milliseconds(1));
    }

    void send(Result<AccessToken> token) {
        if (!token) {
            done_(Outcome{.error = "no token: " + token.error().detail});
            return;
        }
        HttpCall call = request_->call_for(attempt_, left(), token->text);
        ports_.send(
            std::move(call),
            [self = shared_from_this(), token = *std::move(token)](const Result<HttpReply>& reply) {
                self->judge(reply, token);
            }
        );
    }

    void judge(const Result<HttpReply>& reply, const AccessToken& token) {
        if (reply && reply->status == 401) {
            ports_.tokens.forget(client_, token.text);
            if (token.was_kept && !std::exchange(repeated_, true)) {
                run();
                return;
            }
        }
        done_(webhook_outcome(reply, ports_.clock.wall()));
    }

    const std::shared_ptr<const Request> request_;
    const WebhookPorts& ports_;
    const OAuth2Auth client_;
    const Attempt attempt_;
    AttemptDone done_;
    const MonoTime deadline_;
    bool repeated_ = false;
};

class TokenWebhook final : public Sink {
 public:
    TokenWebhook(std::string endpoint, std::shared_ptr<const Request> request, OAuth2Auth client)
        : endpoint_(std::move(endpoint)),
          request_(std::move(request)),
          client_(std::move(client)) {}

    void attempt(Attempt attempt, AttemptDone done) override {
        std::make_shared<TokenAttempt>(request_, client_, std::move(attempt), std::move(done))
            ->run();
    }
    [[nodiscard]] const std::string& endpoint() const override { return endpoint_; }

 private:
    const std::string endpoint_;
    const std::shared_ptr<const Request> request_;
    const OAuth2Auth client_;
};

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
    const std::span<const std::string> secrets = config.secrets;
    Result<StandardWebhooks> both = StandardWebhooks::with(secrets);
    Result<StandardWebhooks> newest =
        StandardWebhooks::with(secrets.first(std::min<std::size_t>(secrets.size(), 1)));
    if (!both || !newest) {
        return std::unexpected(about("sink.secret", std::move((both ? newest : both).error())));
    }
    Signatures signatures{
        *std::move(newest), *std::move(both), config.previous_until.value_or(WallTime{})
    };
    std::string endpoint = url->endpoint();
    auto request = std::make_shared<const Request>(
        std::move(*url), config, std::move(ports), std::move(signatures)
    );
    if (const auto* oauth2 = std::get_if<OAuth2Auth>(&config.auth)) {
        if (Result<Url> token_url = parse_url(oauth2->token_url); !token_url) {
            return std::unexpected(about("sink.auth.oauth2.token_url", token_url.error()));
        }
        return std::make_unique<TokenWebhook>(std::move(endpoint), std::move(request), *oauth2);
    }
    return std::make_unique<Webhook>(std::move(endpoint), std::move(request));
}

}  // namespace belfry
