#include "catalog/subscription.h"

#include "catalog/name.h"
#include "catalog/signing_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const Limits kLimits;
constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Result<Subscription> parse(std::string_view json) {
    return parse_subscription(json, kLimits);
}

// A document with one member of the sink, of the delivery, or of the top replaced or added.
std::string with_sink(const std::string& members) {
    return R"({"name":"a","sink":{"kind":"webhook",)" + members + "}}";
}
std::string with_header(const std::string& header) {
    return with_sink(R"("url":"http://h/","headers":{)" + header + "}");
}
std::string with_delivery(const std::string& members) {
    return R"({"name":"a","sink":{"kind":"webhook","url":"http://h/"},"delivery":{)" + members +
           "}}";
}
std::string with_top(const std::string& members) {
    return R"({"name":"a","sink":{"kind":"webhook","url":"http://h/"},)" + members + "}";
}

std::string refused(const std::string& json) {
    Result<Subscription> result = parse(json);
    if (result) {
        return "accepted";
    }
    EXPECT_FALSE(result.error().detail.empty());
    return std::string(errc_name(result.error().code)) + " " + result.error().field;
}

constexpr std::string_view kWhole = R"({
 "name": "chat",
 "filter": {"types": ["deploy", "experiment.*"],
            "filters": [{"exact": {"source": "/consul/web-1"}}]},
 "sink": {"kind": "webhook", "url": "http://127.0.0.1:9000/in", "format": "cloudevents-structured",
          "headers": {"X-Team": "ops"}, "auth": {"basic": {"username": "u", "password": "p\"w"}},
          "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
 "start": "earliest",
 "delivery": {"order": "key", "key": "subject", "timeout": "10s", "max_in_flight": 8,
              "retry": ["5s", "5m"], "pace": {"events": 50, "every": "5s"}, "max_unsettled": 100}
})";

TEST(CommandSinkDocument, NamesACommandAndNothingElse) {
    Subscription subscription =
        parse(R"({"name":"a","sink":{"kind":"command","command":"deploy.web"}})").value();
    EXPECT_EQ(subscription.sink, SinkConfig(CommandSink{.command = "deploy.web"}));
    EXPECT_THAT(
        public_subscription_json(subscription),
        testing::HasSubstr(R"("sink":{"kind":"command","command":"deploy.web"},)")
    );
    EXPECT_EQ(parse_stored_subscription(stored_subscription_json(subscription)), subscription);
    EXPECT_EQ(refused(R"({"name":"a","sink":{"kind":"command"}})"), "bad_request sink.command");
    EXPECT_EQ(
        refused(R"({"name":"a","sink":{"kind":"command","command":"/bin/sh"}})"),
        "bad_request sink.command"
    );
    EXPECT_EQ(
        refused(R"({"name":"a","sink":{"kind":"command","command":"x","argv":["/bin/sh"]}})"),
        "unknown_field sink.argv"
    );
    EXPECT_EQ(
        refused(R"({"name":"a","sink":{"kind":"webhook","url":"http://h/","command":"x"}})"),
        "unknown_field sink.command"
    );
}

TEST(SteadybitSinkDocument, IsMadeByTheRegistrationAlone) {
    Subscription subscription{
        .name = "steadybit/chat:8080", .sink = SteadybitSink{.extension = "chat:8080"}
    };
    EXPECT_THAT(
        public_subscription_json(subscription),
        testing::HasSubstr(R"("sink":{"kind":"steadybit","extension":"chat:8080"},)")
    );
    EXPECT_EQ(parse_stored_subscription(stored_subscription_json(subscription)), subscription);
    Result<Subscription> asked =
        parse(R"({"name":"a","sink":{"kind":"steadybit","extension":"chat:8080"}})");
    ASSERT_FALSE(asked.has_value());
    EXPECT_EQ(asked.error().field, "sink.kind");
    EXPECT_THAT(asked.error().detail, testing::HasSubstr("/api/v1/extensions"));
    EXPECT_EQ(
        refused(R"({"name":"steadybit/a","sink":{"kind":"webhook","url":"http://h/"}})"),
        "bad_request name"
    );
}

TEST(Subscription, ReadsAWholeDocument) {
    Subscription subscription = parse(kWhole).value();
    EXPECT_EQ(subscription.name, "chat");
    EXPECT_EQ(subscription.tenant, "default");
    EXPECT_EQ(subscription.key(), "default/chat");
    ASSERT_EQ(subscription.filter.types.size(), 2U);
    EXPECT_EQ(subscription.filter.types[1].to_string(), "experiment.*");
    EXPECT_EQ(subscription.filter.filters.size(), 1U);
    const auto& sink = std::get<WebhookSink>(subscription.sink);
    EXPECT_EQ(sink.url, "http://127.0.0.1:9000/in");
    EXPECT_EQ(sink.format, WebhookSink::Format::cloudevents_structured);
    ASSERT_EQ(sink.headers.size(), 1U);
    EXPECT_EQ(sink.headers[0].first, "X-Team");
    EXPECT_EQ(std::get<BasicAuth>(sink.auth).password, "p\"w");
    EXPECT_EQ(sink.secrets, std::vector<std::string>{std::string(kSecret)});
    EXPECT_TRUE(std::holds_alternative<StartEarliest>(subscription.start));
    const DeliveryPolicy& delivery = subscription.delivery;
    EXPECT_EQ(delivery.order, DeliveryPolicy::Order::key);
    EXPECT_EQ(delivery.key, "subject");
    EXPECT_EQ(delivery.timeout, 10s);
    EXPECT_EQ(delivery.max_in_flight, 8U);
    EXPECT_EQ(delivery.retry, (std::vector<std::chrono::milliseconds>{5s, 5min}));
    ASSERT_TRUE(delivery.pace.has_value());
    EXPECT_EQ(delivery.pace->events, 50U);
    EXPECT_EQ(delivery.pace->every, 5s);
    EXPECT_EQ(delivery.max_unsettled, 100U);
    EXPECT_EQ(subscription.state, SubscriptionState::active);
}

TEST(Subscription, FillsInDefaults) {
    Subscription subscription =
        parse(R"({"name":"a","sink":{"kind":"webhook","url":"HTTP://Host:80"}})").value();
    const auto& sink = std::get<WebhookSink>(subscription.sink);
    EXPECT_EQ(sink.url, "http://host/") << "the one spelling";
    EXPECT_EQ(sink.format, WebhookSink::Format::cloudevents_binary);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(sink.auth));
    EXPECT_TRUE(sink.secrets.empty()) << "what has no secret is not signed";
    EXPECT_TRUE(std::holds_alternative<StartNew>(subscription.start));
    EXPECT_EQ(subscription.delivery, DeliveryPolicy{});
    EXPECT_EQ(subscription.delivery.timeout, 15s);
    EXPECT_EQ(
        subscription.delivery.retry,
        (std::vector<std::chrono::milliseconds>{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h})
    );
    EXPECT_TRUE(subscription.filter.types.empty());
}

TEST(Subscription, ReadsWhereToStart) {
    EXPECT_EQ(
        std::get<Offset>(parse(with_top(R"("start":{"offset":7})")).value().start), Offset{7}
    );
    WallTime time = std::get<WallTime>(
        parse(with_top(R"("start":{"time":"2026-01-01T01:00:00+01:00"})")).value().start
    );
    EXPECT_EQ(time, WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));
    for (const char* bad :
         {R"("start":"old")",
          R"("start":7)",
          R"("start":null)",
          R"("start":[])",
          R"("start":{})",
          R"("start":{"offset":1,"time":"2026-01-01T00:00:00Z"})"}) {
        EXPECT_EQ(refused(with_top(bad)), "bad_request start") << bad;
    }
    EXPECT_EQ(refused(with_top(R"("start":{"offset":-1})")), "bad_request start.offset");
    EXPECT_EQ(
        refused(with_top(R"("start":{"offset":9223372036854775808})")), "bad_request start.offset"
    );
    EXPECT_EQ(refused(with_top(R"("start":{"time":"yesterday"})")), "bad_request start.time");
    EXPECT_EQ(refused(with_top(R"("start":{"at":1})")), "unknown_field start.at");
}

TEST(Subscription, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(refused(with_top(R"("extra":1)")), "unknown_field extra");
    EXPECT_EQ(refused(with_top(R"("state":"paused")")), "unknown_field state");
    EXPECT_EQ(refused(with_top(R"("reason":"x")")), "unknown_field reason");
    EXPECT_EQ(refused(with_top(R"("tenant":"other")")), "unknown_field tenant");
    EXPECT_EQ(refused(with_top(R"("revision":1)")), "unknown_field revision");
    EXPECT_EQ(refused(with_sink(R"("url":"http://h/","color":1)")), "unknown_field sink.color");
    EXPECT_EQ(
        refused(with_sink(R"("url":"http://h/","secrets":[])")), "unknown_field sink.secrets"
    );
    EXPECT_EQ(refused(with_delivery(R"("retries":[])")), "unknown_field delivery.retries");
    EXPECT_EQ(
        refused(with_delivery(R"("pace":{"events":1,"every":"1s","burst":1})")),
        "unknown_field delivery.pace.burst"
    );
    EXPECT_EQ(refused(with_top(R"("filter":{"kinds":[]})")), "unknown_field filter.kinds");
}

TEST(Subscription, RefusesWhatIsMissingOrOfAnotherType) {
    EXPECT_EQ(refused(""), "bad_request ");
    EXPECT_EQ(refused("[]"), "bad_request ");
    EXPECT_EQ(refused("{"), "bad_request ");
    EXPECT_EQ(refused(R"({"sink":{"kind":"webhook","url":"http://h/"}})"), "bad_request name");
    EXPECT_EQ(refused(R"({"name":"a"})"), "bad_request sink");
    EXPECT_EQ(refused(R"({"name":"a","sink":"http://h/"})"), "bad_request sink");
    EXPECT_EQ(refused(R"({"name":"a","sink":{}})"), "bad_request sink.kind");
    EXPECT_EQ(refused(R"({"name":"a","sink":{"kind":"webhook"}})"), "bad_request sink.url");
    EXPECT_EQ(
        refused(R"({"name":"a","sink":{"kind":"letter","command":"x"}})"), "bad_request sink.kind"
    );
    EXPECT_EQ(
        refused(R"({"name":1,"sink":{"kind":"webhook","url":"http://h/"}})"), "bad_request name"
    );
    EXPECT_EQ(
        refused(R"({"name":"a","name":"a","sink":{"kind":"webhook","url":"http://h/"}})")
            .substr(0, 11),
        "bad_request"
    );
    EXPECT_EQ(refused(with_sink(R"("url":"http://h/","format":"xml")")), "bad_request sink.format");
    EXPECT_EQ(refused(with_sink(R"("url":"http://h/","headers":[])")), "bad_request sink.headers");
    EXPECT_EQ(refused(with_sink(R"("url":"http://h/","secret":null)")), "bad_request sink.secret");
    EXPECT_EQ(refused(with_top(R"("delivery":[])")), "bad_request delivery");
    EXPECT_EQ(
        refused(with_top(R"("filter":{"filters":[{"sql":"1"}]})")).substr(0, 14), "invalid_filter"
    );
}

TEST(Subscription, HoldsNamesToTheirCharacters) {
    for (const std::string& good : {"a"s, "0"s, "a.b_c-9"s, std::string(128, 'x'), "..."s}) {
        EXPECT_TRUE(check_name(good).has_value()) << good;
    }
    for (const std::string& bad :
         {""s, "A"s, "a b"s, "a/b"s, "é"s, std::string(129, 'x'), "."s, ".."s, "a\n"s, "a\0"s}) {
        EXPECT_FALSE(check_name(bad).has_value()) << bad;
    }
    EXPECT_EQ(
        refused(R"({"name":"a/b","sink":{"kind":"webhook","url":"http://h/"}})"), "bad_request name"
    );
}

TEST(Subscription, RefusesUrlsItCannotDeliverTo) {
    EXPECT_TRUE(parse(with_sink(R"("url":"https://h/")")).has_value());
    for (const char* bad :
         {"",
          "/in",
          "ftp://h/",
          "http://u:p@h/",
          "http://h/#f",
          "http://2130706433/",
          "http://h\\\\@x/",
          "http://h/\\r\\nX: 1"}) {
        EXPECT_EQ(
            refused(with_sink("\"url\":\"" + std::string(bad) + "\"")), "bad_request sink.url"
        ) << bad;
    }
}

TEST(Subscription, RefusesHeadersThatAreNotItsBusiness) {
    for (const char* bad :
         {"Host",
          "HOST",
          "Content-Length",
          "Content-Type",
          "Transfer-Encoding",
          "Connection",
          "Keep-Alive",
          "Proxy-Authorization",
          "TE",
          "Trailer",
          "Upgrade",
          "Expect",
          "User-Agent",
          "Authorization",
          "webhook-id",
          "Webhook-Signature",
          "ce-type",
          "CE-x",
          "Belfry-Attempt",
          "",
          "a b",
          "a:b",
          "é",
          "a\\n",
          "a\\u0000"}) {
        EXPECT_EQ(
            refused(with_header("\"" + std::string(bad) + "\":\"x\"")), "bad_request sink.headers"
        ) << bad;
    }
    for (const char* bad : {"a\\r\\nb", "a\\nb", "a\\u0000", " a", "a ", "a\\u007f"}) {
        EXPECT_EQ(
            refused(with_header("\"X-A\":\"" + std::string(bad) + "\"")), "bad_request sink.headers"
        ) << bad;
    }
    EXPECT_EQ(refused(with_header(R"("X-A":1)")), "bad_request sink.headers");
    EXPECT_EQ(refused(with_header(R"("X-A":"1","x-a":"2")")), "bad_request sink.headers");
    EXPECT_EQ(
        refused(with_header("\"X\":\"" + std::string(4097, 'x') + "\"")), "bad_request sink.headers"
    );
    std::string many;
    for (int i = 0; i < 33; ++i) {
        many += (i == 0 ? "" : ",") + ("\"X" + std::to_string(i)) + "\":\"x\"";
    }
    EXPECT_EQ(refused(with_header(many)), "bad_request sink.headers");
    EXPECT_EQ(refused(with_header(R"("X-A":"","X_b":"a	b é")")).substr(0, 11), "bad_request")
        << "a raw tab is not JSON";
    EXPECT_EQ(refused(with_header(R"("X-A":"","X_b":"a\tb é")")), "accepted");
}

TEST(Subscription, HoldsCredentialsToWhatAHeaderCanCarry) {
    auto auth = [](const std::string& text) {
        return with_sink(R"("url":"http://h/","auth":)" + text);
    };
    EXPECT_EQ(refused(auth(R"({"bearer":{"token":"abc.def-_~+/=="}})")), "accepted");
    EXPECT_EQ(refused(auth(R"({"basic":{"username":"ü","password":""}})")), "accepted");
    EXPECT_EQ(refused(auth(R"({})")), "bad_request sink.auth");
    EXPECT_EQ(
        refused(auth(R"({"basic":{"username":"u","password":"p"},"bearer":{"token":"t"}})")),
        "bad_request sink.auth"
    );
    EXPECT_EQ(refused(auth(R"("secret")")), "bad_request sink.auth");
    EXPECT_EQ(
        refused(auth(R"({"oauth2":{"token_url":"http://h/"}})")),
        "bad_request sink.auth.oauth2.client_id"
    );
    EXPECT_EQ(refused(auth(R"({"digest":{}})")).substr(0, 11), "bad_request");
    EXPECT_EQ(
        refused(auth(R"({"basic":{"username":"u"}})")), "bad_request sink.auth.basic.password"
    );
    EXPECT_EQ(
        refused(auth(R"({"basic":{"username":"u:v","password":"p"}})")),
        "bad_request sink.auth.basic.username"
    );
    EXPECT_EQ(
        refused(auth(R"({"basic":{"username":"u","password":"p\n"}})")),
        "bad_request sink.auth.basic.password"
    );
    EXPECT_EQ(refused(auth(R"({"bearer":{"token":"a b"}})")), "bad_request sink.auth.bearer.token");
    EXPECT_EQ(refused(auth(R"({"bearer":{"token":""}})")), "bad_request sink.auth.bearer.token");
    EXPECT_EQ(
        refused(auth(R"({"bearer":{"token":"a\r\nX: b"}})")), "bad_request sink.auth.bearer.token"
    );
    EXPECT_EQ(
        refused(auth(R"({"bearer":{"token":"t","scheme":"x"}})")),
        "unknown_field sink.auth.bearer.scheme"
    );
}

TEST(Subscription, HoldsSecretsToStandardWebhooks) {
    EXPECT_EQ(signing_key(kSecret).value().size(), 24U);
    auto secret = [](const std::string& text) {
        return refused(with_sink(R"("url":"http://h/","secret":")" + text + "\""));
    };
    EXPECT_EQ(secret(std::string(kSecret)), "accepted");
    EXPECT_EQ(secret("whsec_" + std::string(84, 'A') + "AA=="), "accepted") << "64 bytes";
    for (const char* bad :
         {"",
          "whsec_",
          "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
          "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "}) {
        EXPECT_EQ(secret(bad), "bad_request sink.secret") << bad;
    }
    EXPECT_EQ(secret("whsec_" + std::string(88, 'A')), "bad_request sink.secret") << "66 bytes";
    Result<std::string> wrong = signing_key("whsec_hunter2");
    EXPECT_EQ(wrong.error().detail.find("hunter2"), std::string::npos) << "errors repeat no secret";
}

TEST(Subscription, HoldsDeliveryToItsBounds) {
    for (const char* good :
         {R"("timeout":"1s")",
          R"("timeout":"30s")",
          R"("max_in_flight":1)",
          R"("max_in_flight":1000)",
          R"("retry":["1ms"])",
          R"("retry":["30d"])",
          R"("max_unsettled":1)",
          R"("max_unsettled":10000)",
          R"("pace":{"events":1,"every":"1ms"})",
          R"("order":"all")",
          R"("key":"myattr2")"}) {
        EXPECT_EQ(refused(with_delivery(good)), "accepted") << good;
    }
    EXPECT_EQ(refused(with_delivery(R"("timeout":"999ms")")), "bad_request delivery.timeout");
    EXPECT_EQ(refused(with_delivery(R"("timeout":"31s")")), "bad_request delivery.timeout");
    EXPECT_EQ(refused(with_delivery(R"("timeout":15)")), "bad_request delivery.timeout");
    EXPECT_EQ(refused(with_delivery(R"("max_in_flight":0)")), "bad_request delivery.max_in_flight");
    EXPECT_EQ(
        refused(with_delivery(R"("max_in_flight":1001)")), "bad_request delivery.max_in_flight"
    );
    EXPECT_EQ(
        refused(with_delivery(R"("max_in_flight":1.5)")), "bad_request delivery.max_in_flight"
    );
    EXPECT_EQ(
        refused(with_delivery(R"("max_in_flight":4294967297)")),
        "bad_request delivery.max_in_flight"
    );
    EXPECT_EQ(refused(with_delivery(R"("max_unsettled":0)")), "bad_request delivery.max_unsettled");
    EXPECT_EQ(
        refused(with_delivery(R"("max_unsettled":10001)")), "bad_request delivery.max_unsettled"
    );
    EXPECT_EQ(refused(with_delivery(R"("retry":[])")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery(R"("retry":["0s"])")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery(R"("retry":["1500us"])")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery(R"("retry":["31d"])")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery(R"("retry":"5s")")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery(R"("retry":[5])")).substr(0, 26), "bad_request delivery.retry");
    std::string waits = R"("1s")";
    for (int i = 1; i < 51; ++i) {
        waits += R"(,"1s")";
    }
    EXPECT_EQ(refused(with_delivery("\"retry\":[" + waits + "]")), "bad_request delivery.retry");
    EXPECT_EQ(refused(with_delivery("\"retry\":[" + waits.substr(5) + "]")), "accepted") << "fifty";
    EXPECT_EQ(
        refused(with_delivery(R"("pace":{"events":0,"every":"1s"})")),
        "bad_request delivery.pace.events"
    );
    EXPECT_EQ(refused(with_delivery(R"("pace":{"events":1})")), "bad_request delivery.pace.every");
    EXPECT_EQ(
        refused(with_delivery(R"("pace":{"every":"1s"})")), "bad_request delivery.pace.events"
    );
    EXPECT_EQ(
        refused(with_delivery(R"("pace":{"events":1,"every":"0s"})")),
        "bad_request delivery.pace.every"
    );
    EXPECT_EQ(refused(with_delivery(R"("order":"random")")), "bad_request delivery.order");
    EXPECT_EQ(refused(with_delivery(R"("key":"Not-One")")), "bad_request delivery.key");
}

TEST(Subscription, StoresEverythingAndReadsItBackEqual) {
    Subscription subscription = parse(kWhole).value();
    subscription.tenant = "acme";
    subscription.state = SubscriptionState::disabled;
    subscription.reason = "it answered 410 \"gone\"";
    auto& sink = std::get<WebhookSink>(subscription.sink);
    sink.secrets.push_back("whsec_" + std::string(32, 'A'));
    sink.previous_until = WallTime(1'767'225'600'123'456us);
    EXPECT_EQ(
        parse_stored_subscription(stored_subscription_json(subscription)).value(), subscription
    );

    sink.auth = OAuth2Auth{"http://issuer/token", "id", "s3cr3t", "events:write"};
    EXPECT_EQ(
        parse_stored_subscription(stored_subscription_json(subscription)).value(), subscription
    );
    sink.auth = BearerAuth{"token"};
    subscription.start = Offset{9};
    subscription.delivery.pace = std::nullopt;
    EXPECT_EQ(
        parse_stored_subscription(stored_subscription_json(subscription)).value(), subscription
    );
    subscription.start = WallTime(1'767'225'600'123'456us);
    sink.auth = std::monostate{};
    sink.headers.clear();
    sink.secrets.clear();
    sink.previous_until.reset();
    EXPECT_EQ(
        parse_stored_subscription(stored_subscription_json(subscription)).value(), subscription
    );
}

TEST(Subscription, ClientCredentialsAreChecked) {
    auto oauth2 = [](const std::string& members) {
        return refused(with_sink(R"("url":"http://h/","auth":{"oauth2":{)" + members + "}}"));
    };
    const std::string secret = R"("client_id":"id","client_secret":"s")";
    EXPECT_EQ(oauth2(R"("token_url":"http://i/t",)" + secret), "accepted");
    EXPECT_EQ(oauth2(R"("token_url":"http://i/t","scope":"a b",)" + secret), "accepted");
    EXPECT_EQ(oauth2(secret), "bad_request sink.auth.oauth2.token_url");
    EXPECT_EQ(
        oauth2(R"("token_url":"http://u:p@i/t",)" + secret),
        "bad_request sink.auth.oauth2.token_url"
    );
    EXPECT_EQ(
        oauth2(R"("token_url":"http://2130706433/",)" + secret),
        "bad_request sink.auth.oauth2.token_url"
    );
    EXPECT_EQ(
        oauth2(R"("token_url":"http://i/t","client_id":"","client_secret":"s")"),
        "bad_request sink.auth.oauth2.client_id"
    );
    EXPECT_EQ(
        oauth2(R"("token_url":"http://i/t","client_id":"i","client_secret":"a\nb")"),
        "bad_request sink.auth.oauth2.client_secret"
    );
    EXPECT_EQ(
        oauth2(R"("token_url":"http://i/t","scope":"\u0000",)" + secret),
        "bad_request sink.auth.oauth2.scope"
    );
    EXPECT_EQ(
        oauth2(R"("token_url":"http://i/t","audience":"x",)" + secret),
        "unknown_field sink.auth.oauth2.audience"
    );
}

TEST(Subscription, ADamagedStoredDocumentIsAnError) {
    std::string stored = stored_subscription_json(parse(kWhole).value());
    ASSERT_TRUE(parse_stored_subscription(stored).has_value());
    EXPECT_FALSE(parse_stored_subscription(stored.substr(0, stored.size() / 2)).has_value());
    EXPECT_FALSE(parse_stored_subscription("").has_value());
    EXPECT_FALSE(parse_stored_subscription(kWhole).has_value()) << "it has no tenant";
}

TEST(Subscription, ShowsNoSecret) {
    Subscription subscription = parse(kWhole).value();
    subscription.revision = Revision{17};
    EXPECT_EQ(
        public_subscription_json(subscription),
        R"({"name":"chat","filter":{"types":["deploy","experiment.*"],)"
        R"("filters":[{"exact":{"source":"/consul/web-1"}}]},)"
        R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in",)"
        R"("format":"cloudevents-structured",)"
        R"("headers":{"X-Team":"ops"},"auth":{"basic":{"username":"u","password":{"set":true}}},)"
        R"("secret":{"set":true,"fingerprint":"96ad2ccd"}},"start":"earliest",)"
        R"("delivery":{"order":"key","key":"subject","timeout":"10s","max_in_flight":8,)"
        R"("retry":["5s","5m"],)"
        R"("pace":{"events":50,"every":"5s"},"max_unsettled":100},"state":"active","revision":17})"
    );
    auto& sink = std::get<WebhookSink>(subscription.sink);
    sink.auth = BearerAuth{"s3cr3t"};
    EXPECT_EQ(public_subscription_json(subscription).find("s3cr3t"), std::string::npos);
    sink.auth = OAuth2Auth{"http://issuer/token", "id", "s3cr3t", ""};
    EXPECT_NE(
        public_subscription_json(subscription)
            .find(R"("auth":{"oauth2":{"token_url":"http://issuer/token","client_id":"id",)"
                  R"("client_secret":{"set":true}}})"),
        std::string::npos
    );
    sink.secrets.push_back("whsec_" + std::string(32, 'A'));
    sink.previous_until = WallTime(1'767'225'600'000'000us);
    EXPECT_NE(
        public_subscription_json(subscription)
            .find(R"("previous":{"fingerprint":"d3a8bab5","until":"2026-01-01T00:00:00.000000Z"})"),
        std::string::npos
    ) << public_subscription_json(subscription);
    end_overlap(subscription, WallTime(1'767'225'599'999'999us));
    EXPECT_EQ(sink.secrets.size(), 2U);
    end_overlap(subscription, WallTime(1'767'225'600'000'000us));
    EXPECT_EQ(sink.secrets.size(), 1U);
    EXPECT_EQ(sink.previous_until, std::nullopt);
    subscription.state = SubscriptionState::disabled;
    subscription.reason = "gone";
    EXPECT_NE(
        public_subscription_json(subscription).find(R"("state":"disabled","reason":"gone")"),
        std::string::npos
    );
}

}  // namespace
}  // namespace belfry
