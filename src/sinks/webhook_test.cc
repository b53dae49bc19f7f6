#include "sinks/webhook.h"

#include "auth/standard_webhooks.h"
#include "base/manual_clock.h"
#include "base/worker_thread.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "sinks/sink_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string kOther = "whsec_" + std::string(40, 'A');

StoredEvent make_order() {
    auto bytes = std::make_shared<std::string>(R"({"version":7})");
    StoredEvent stored;
    stored.event.id = "order-1";
    stored.event.source = "/shop";
    stored.event.type = "deploy";
    stored.event.subject = "web é";
    stored.event.datacontenttype = "application/json";
    stored.event.data = *bytes;
    stored.offset = Offset{41};
    stored.uuid_low = 0x1122334455667788;
    stored.owner = std::move(bytes);
    return stored;
}

std::string uuid_of(const StoredEvent& event) {
    UuidText text = uuid_text(event.uuid());
    return {text.data(), text.size()};
}

WebhookSink config(const std::string& url = "http://Host:9000/in?k=v") {
    return WebhookSink{.url = url};
}

class WebhookTest : public testing::Test {
 protected:
    std::unique_ptr<Sink> make(const WebhookSink& webhook) {
        return make_webhook_sink(
                   webhook,
                   {.send =
                        [this](HttpCall call, HttpReplyDone done) {
                            call_ = std::move(call);
                            done_ = std::move(done);
                        },
                    .clock = clock_,
                    .tokens = tokens_,
                    .user_agent = "Belfry/9.9"}
        )
            .value();
    }
    // Attempts once and keeps what was sent.
    const HttpCall& send(const WebhookSink& webhook, Attempt attempt) {
        make(webhook)->attempt(std::move(attempt), [this](Outcome outcome) {
            outcomes_.push_back(std::move(outcome));
        });
        return call_;
    }
    const HttpCall& send(const WebhookSink& webhook) {
        return send(webhook, {.event = make_order(), .timeout = 15s});
    }
    std::string header(const std::string& name) const {
        std::string line = "\r\n" + name + ": ";
        std::size_t at = call_.head.find(line);
        if (at == std::string::npos) {
            return "absent";
        }
        at += line.size();
        EXPECT_EQ(call_.head.find(line, at), std::string::npos) << name << " stands twice";
        return call_.head.substr(at, call_.head.find("\r\n", at) - at);
    }

    ManualClock clock_;
    const Limits limits_;
    std::vector<std::pair<HttpCall, HttpReplyDone>> token_calls_;
    OAuth2Tokens tokens_{
        {.send = [this](
                     HttpCall call, HttpReplyDone done
                 ) { token_calls_.emplace_back(std::move(call), std::move(done)); },
         .clock = clock_,
         .limits = limits_,
         .user_agent = "Belfry/9.9"}
    };
    HttpCall call_;
    HttpReplyDone done_;
    std::vector<Outcome> outcomes_;
};

TEST_F(WebhookTest, PostsToTheUrl) {
    const HttpCall& call = send(config());
    EXPECT_EQ(call.host, "host");
    EXPECT_EQ(call.port, 9000);
    EXPECT_TRUE(call.head.starts_with("POST /in?k=v HTTP/1.1\r\nHost: host:9000\r\n")) << call.head;
    EXPECT_TRUE(call.head.ends_with("\r\n\r\n"));
    EXPECT_EQ(call.head.find("\r\n\r\n"), call.head.size() - 4);
    EXPECT_EQ(call.timeout, 15s);
    EXPECT_EQ(header("User-Agent"), "Belfry/9.9");
    EXPECT_EQ(header("Content-Length"), "13");
    EXPECT_EQ(make(config())->endpoint(), "http://host:9000/in") << "the query is not the endpoint";
    EXPECT_EQ(send(config("http://[::1]/")).host, "::1");
    EXPECT_EQ(header("Host"), "[::1]");
}

TEST_F(WebhookTest, ConnectingTakesNoLongerThanTheAttempt) {
    EXPECT_EQ(send(config()).connect_timeout, 3s);
    EXPECT_EQ(send(config(), {.event = make_order(), .timeout = 1s}).connect_timeout, 1s);
}

TEST_F(WebhookTest, BinaryCarriesAttributesAsHeadersAndDataUncopied) {
    StoredEvent event = make_order();
    const HttpCall& call = send(config(), {.event = event, .timeout = 15s});
    EXPECT_EQ(header("ce-specversion"), "1.0");
    EXPECT_EQ(header("ce-id"), "order-1");
    EXPECT_EQ(header("ce-type"), "deploy");
    EXPECT_EQ(header("ce-subject"), "web%20%C3%A9");
    EXPECT_EQ(header("Content-Type"), "application/json");
    EXPECT_EQ(call.body.data(), event.event.data->data()) << "the same bytes, not a copy";
    EXPECT_EQ(call.body_owner, event.owner);
}

TEST_F(WebhookTest, StructuredCarriesTheEventAsJson) {
    WebhookSink webhook = config();
    webhook.format = WebhookSink::Format::cloudevents_structured;
    const HttpCall& call = send(webhook);
    EXPECT_EQ(header("Content-Type"), "application/cloudevents+json");
    EXPECT_EQ(header("ce-id"), "absent");
    EXPECT_THAT(std::string(call.body), HasSubstr(R"("id":"order-1")"));
    EXPECT_THAT(std::string(call.body), HasSubstr(R"("data":{"version":7})"));
    EXPECT_THAT(std::string(call.body), Not(HasSubstr("offset"))) << "the log's members stay here";
    EXPECT_EQ(header("Content-Length"), std::to_string(call.body.size()));
}

TEST_F(WebhookTest, BodyCarriesNothingButTheData) {
    WebhookSink webhook = config();
    webhook.format = WebhookSink::Format::body;
    StoredEvent event = make_order();
    event.event.datacontenttype = "text/plain; charset=utf-8";
    const HttpCall& call = send(webhook, {.event = event, .timeout = 15s});
    EXPECT_EQ(call.body, R"({"version":7})");
    EXPECT_EQ(header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_THAT(call.head, Not(HasSubstr("ce-")));
    event.event.data = std::nullopt;
    event.event.datacontenttype = "";
    send(webhook, {.event = event, .timeout = 15s});
    EXPECT_EQ(call_.body, "");
    EXPECT_EQ(header("Content-Length"), "0");
    EXPECT_EQ(header("Content-Type"), "absent");
}

TEST_F(WebhookTest, NamesTheEventAndTheAttempt) {
    StoredEvent event = make_order();
    send(config(), {.event = event, .number = 3, .timeout = 15s});
    EXPECT_EQ(header("webhook-id"), uuid_of(event));
    EXPECT_EQ(header("webhook-timestamp"), "1767225600");
    EXPECT_EQ(header("Belfry-Attempt"), "3");
    EXPECT_EQ(header("Belfry-Replay"), "absent");
    clock_.advance(90s);
    send(config(), {.event = event, .number = 1, .replay = "r-1", .timeout = 15s});
    EXPECT_EQ(header("webhook-id"), uuid_of(event)) << "the same on every attempt";
    EXPECT_EQ(header("webhook-timestamp"), "1767225690") << "of the attempt";
    EXPECT_EQ(header("Belfry-Replay"), "r-1");
}

TEST_F(WebhookTest, SignsWhatItSends) {
    for (WebhookSink::Format format :
         {WebhookSink::Format::cloudevents_binary,
          WebhookSink::Format::cloudevents_structured,
          WebhookSink::Format::body}) {
        WebhookSink webhook = config();
        webhook.format = format;
        webhook.secrets = {kOther, kSecret};
        webhook.previous_until = clock_.wall() + 1h;
        const HttpCall& call = send(webhook);
        std::string signature = header("webhook-signature");
        EXPECT_EQ(std::ranges::count(signature, ' '), 1) << "one for each secret";
        std::string id = header("webhook-id");
        std::string timestamp = header("webhook-timestamp");
        for (const std::string& secret : {kOther, kSecret}) {
            std::vector<std::string> one{secret};
            StandardWebhooks receiver = StandardWebhooks::with(one).value();
            EXPECT_TRUE(
                receiver.verify({id, timestamp, signature}, call.body, clock_.wall()).has_value()
            );
            EXPECT_FALSE(
                receiver.verify({id, timestamp, signature}, "other", clock_.wall()).has_value()
            );
        }
    }
    send(config());
    EXPECT_EQ(header("webhook-signature"), "absent") << "without a secret nothing is signed";
}

TEST_F(WebhookTest, TheOlderSecretStopsSigningByItself) {
    WebhookSink webhook = config();
    webhook.secrets = {kOther, kSecret};
    webhook.previous_until = clock_.wall() + 1h;
    std::unique_ptr<Sink> sink = make(webhook);
    auto signatures = [&] {
        sink->attempt({.event = make_order(), .timeout = 15s}, [](const Outcome&) {});
        return std::ranges::count(header("webhook-signature"), ' ') + 1;
    };
    EXPECT_EQ(signatures(), 2);
    clock_.advance(1h - 1s);
    EXPECT_EQ(signatures(), 2);
    clock_.advance(1s);
    EXPECT_EQ(signatures(), 1);
    const std::vector<std::string> newest{kOther};
    EXPECT_TRUE(
        StandardWebhooks::with(newest)
            .value()
            .verify(
                {header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")},
                call_.body,
                clock_.wall()
            )
            .has_value()
    );
    webhook.previous_until.reset();
    sink = make(webhook);
    EXPECT_EQ(signatures(), 1) << "no end is written: it is over";
}

TEST_F(WebhookTest, SendsHeadersAndCredentials) {
    WebhookSink webhook = config();
    webhook.headers = {{"X-Team", "ops"}, {"X-Empty", ""}};
    webhook.auth = BasicAuth{"Aladdin", "open sesame"};
    send(webhook);
    EXPECT_EQ(header("X-Team"), "ops");
    EXPECT_EQ(header("X-Empty"), "");
    EXPECT_EQ(header("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    webhook.auth = BearerAuth{"t0ken"};
    send(webhook);
    EXPECT_EQ(header("Authorization"), "Bearer t0ken");
    send(config());
    EXPECT_EQ(header("Authorization"), "absent");
}

TEST_F(WebhookTest, AnAttemptOutlivesItsSink) {
    send(config());
    ASSERT_TRUE(outcomes_.empty());
    HttpReply reply;
    reply.status = 503;
    reply.headers = {{"retry-after", "30"}};
    done_(std::move(reply));
    ASSERT_EQ(outcomes_.size(), 1U);
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::wait);
    EXPECT_EQ(outcomes_[0].retry_after, 30s);
}

WebhookSink with_oauth2() {
    WebhookSink webhook = config();
    webhook.auth = OAuth2Auth{"http://issuer/token", "id", "s3cr3t", "events"};
    return webhook;
}

HttpReply answer(int status, std::string body = {}) {
    HttpReply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}
HttpReply token_answer(const std::string& token) {
    return answer(
        200, R"({"access_token":")" + token + R"(","token_type":"Bearer","expires_in":3600})"
    );
}

TEST_F(WebhookTest, AsksForATokenFirst) {
    send(with_oauth2());
    EXPECT_TRUE(call_.head.empty()) << "nothing is sent without a token";
    ASSERT_EQ(token_calls_.size(), 1U);
    EXPECT_EQ(token_calls_[0].first.host, "issuer");
    clock_.advance(2s);
    token_calls_[0].second(token_answer("t1"));
    EXPECT_EQ(header("Authorization"), "Bearer t1");
    EXPECT_EQ(call_.timeout, 13s) << "the token's time is the attempt's";
    done_(answer(204));
    ASSERT_EQ(outcomes_.size(), 1U);
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::settled);
    send(with_oauth2());
    EXPECT_EQ(token_calls_.size(), 1U) << "it is kept";
}

TEST_F(WebhookTest, ATokenThatWasKeptAndIsRefusedIsFetchedOnceMore) {
    send(with_oauth2());
    token_calls_[0].second(token_answer("t1"));
    done_(answer(204));
    send(with_oauth2());
    EXPECT_EQ(header("Authorization"), "Bearer t1");
    done_(answer(401));
    ASSERT_EQ(token_calls_.size(), 2U) << "refused: once more";
    EXPECT_EQ(outcomes_.size(), 1U);
    token_calls_[1].second(token_answer("t2"));
    EXPECT_EQ(header("Authorization"), "Bearer t2");
    EXPECT_EQ(header("Belfry-Attempt"), "1") << "it is one attempt";
    done_(answer(401));
    ASSERT_EQ(outcomes_.size(), 2U) << "and not again";
    EXPECT_EQ(outcomes_[1].kind, Outcome::Kind::failed);
    EXPECT_EQ(outcomes_[1].status, 401U);
    EXPECT_EQ(token_calls_.size(), 2U);
}

TEST_F(WebhookTest, ATokenJustFetchedIsNotFetchedAgain) {
    send(with_oauth2());
    token_calls_[0].second(token_answer("t1"));
    done_(answer(401));
    ASSERT_EQ(outcomes_.size(), 1U);
    EXPECT_EQ(outcomes_[0].status, 401U);
    EXPECT_EQ(token_calls_.size(), 1U);
}

TEST_F(WebhookTest, WithoutATokenTheAttemptFails) {
    send(with_oauth2());
    token_calls_[0].second(answer(400, R"({"error":"invalid_client"})"));
    ASSERT_EQ(outcomes_.size(), 1U);
    EXPECT_EQ(outcomes_[0].kind, Outcome::Kind::failed) << "the endpoint's fault: it is retried";
    EXPECT_EQ(outcomes_[0].status, 0U);
    EXPECT_EQ(outcomes_[0].error, "no token: the token URL: answered 400 (invalid_client)");
}

TEST_F(WebhookTest, RefusesAConfigurationItCannotUse) {
    auto refuse = [&](const WebhookSink& webhook) {
        WebhookPorts ports{.send = {}, .clock = clock_, .tokens = tokens_, .user_agent = "x"};
        Result<std::unique_ptr<Sink>> result = make_webhook_sink(webhook, ports);
        return result ? "made" : result.error().field;
    };
    EXPECT_EQ(refuse(config("nonsense")), "sink.url");
    EXPECT_EQ(refuse(config("https://h/")), "made");
    WebhookSink webhook = config();
    webhook.secrets = {"whsec_short"};
    EXPECT_EQ(refuse(webhook), "sink.secret");
}

// A listener on the loopback that answers what it is told, and remembers what it heard.
class Listener final : public HttpService {
 public:
    Listener(Loop& loop, const Limits& limits) : server_(loop, *this, limits) {
        EXPECT_TRUE(server_.listen("127.0.0.1:0").has_value());
    }
    Admission admit(const HttpRequest&) override { return {.body_limit = 1 << 20}; }
    void handle(const HttpRequest& request, Exchange exchange) override {
        heard += std::string(request.method_text) + " " + std::string(request.target) + " " +
                 std::string(request.header("ce-type").value_or("-")) + " " +
                 std::string(request.header("belfry-attempt").value_or("-")) + " " +
                 std::string(request.body) + "\n";
        exchange.respond({.status = status, .headers = headers, .body = "thanks"});
    }
    void refuse(const HttpRequest&, int refused, const Error&, Exchange exchange) override {
        heard += "refused\n";
        exchange.respond({.status = refused});
    }
    [[nodiscard]] std::string url() const { return "http://" + server_.address() + "/in"; }

    int status = 200;
    std::string headers;
    std::string heard;

 private:
    HttpServer server_;
};

class WebhookOnLoopback : public testing::Test {
 protected:
    Outcome attempt(const std::string& url, Duration timeout = 5s) {
        SinkFactory make = make_sink_factory(
            {.client = client_,
             .clock = loop_,
             .tokens = tokens_,
             .commands = *commands_,
             .extensions = extensions_,
             .leadership = [] { return Leadership::here; },
             .version = "9.9"}
        );
        Subscription subscription;
        subscription.sink = config(url);
        std::unique_ptr<Sink> sink = make(subscription).value();
        std::optional<Outcome> result;
        sink->attempt(
            {.event = make_order(), .number = 2, .timeout = timeout},
            [&](Outcome outcome) {
                result = std::move(outcome);
                loop_.stop();
            }
        );
        sink.reset();
        if (!result) {
            loop_.run();
        }
        return result.value();
    }

    Limits limits_;
    Loop loop_;
    Listener listener_{loop_, limits_};
    const OutboundGuard guard_ = OutboundGuard::unrestricted();
    HttpClient client_{loop_, limits_, guard_};
    OAuth2Tokens tokens_{{.send = {}, .clock = loop_, .limits = limits_, .user_agent = "x"}};
    WorkerThread spawner_{"spawner"};
    SteadybitExtensions extensions_;
    std::unique_ptr<Commands> commands_ =
        Commands::make({}, {}, {.loop = loop_, .clock = loop_, .spawner = spawner_}).value();
};

TEST_F(WebhookOnLoopback, DeliversToARealListener) {
    Outcome outcome = attempt(listener_.url());
    EXPECT_EQ(outcome.kind, Outcome::Kind::settled) << outcome.error;
    EXPECT_EQ(outcome.status, 200U);
    EXPECT_EQ(outcome.response, "thanks");
    EXPECT_EQ(listener_.heard, "POST /in deploy 2 {\"version\":7}\n");
    listener_.status = 503;
    listener_.headers = "Retry-After: 7\r\n";
    outcome = attempt(listener_.url());
    EXPECT_EQ(outcome.kind, Outcome::Kind::wait);
    EXPECT_EQ(outcome.retry_after, 7s);
}

TEST_F(WebhookOnLoopback, ADeadListenerIsAFailure) {
    std::string url;
    {
        Listener gone(loop_, limits_);
        url = gone.url();
    }
    Outcome outcome = attempt(url);
    EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
    EXPECT_EQ(outcome.status, 0U);
    EXPECT_THAT(outcome.error, HasSubstr("refused"));
}

}  // namespace
}  // namespace belfry
