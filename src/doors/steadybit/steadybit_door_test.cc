// The Steadybit door against a whole hub in memory. Duplicates, which the log in memory does not
// know, are in test/e2e/steadybit.
#include "base/base64.h"
#include "doors/native/closed_hub_fixture.h"
#include "doors/steadybit/errors.h"
#include "doors/steadybit/index.h"

namespace belfry {
namespace {

constexpr std::string_view kIndex =
    R"({"eventListeners":[{"method":"POST","path":"/events","listenTo":["*"]}]})";
constexpr std::string_view kId = "da059724-a8ae-4b4b-b4f0-ee01898232d2";
constexpr std::string_view kTitle = R"({"title":"Failed to decode event request body","detail":")";

class SteadybitDoorTest : public ClosedHubTest {
 protected:
    static std::string event(
        std::string_view name = "killswitch.engaged",
        std::string_view tenant = "exmpl",
        std::string_view more = ""
    ) {
        return R"({ "id": ")" + std::string(kId) + R"(","eventName":")" + std::string(name) +
               R"(","eventTime":"2021-09-01T12:00:00Z","tenant":{"key":")" + std::string(tenant) +
               "\"}" + std::string(more) + " }\n";
    }
    Answer take(std::string_view body, Headers headers = {}) {
        return ask(Method::post, "/steadybit/events", body, std::move(headers));
    }
    static std::string etag_of(const Answer& answer) {
        const std::size_t at = answer.headers.find("ETag: \"") + 7;
        return answer.headers.substr(at, answer.headers.find('"', at) - at);
    }
    Answer index_if(std::string_view none_match) {
        return ask(Method::get, "/steadybit", "", {{"If-None-Match", none_match}});
    }
    void restart_door() {
        router_.reset();
        router_ = std::make_unique<Router>(doors(), access_, limits_);
    }
    Headers basic(const std::string& password, std::string_view user = "agent:") {
        authorization_ = "basic ";
        append_base64(authorization_, std::string(user) + password);
        return {{"Authorization", authorization_}};
    }
    std::string authorization_;
};

TEST_F(SteadybitDoorTest, TheIndexIsOneListenerForAllEvents) {
    for (std::string_view path : {"/steadybit", "/steadybit/", "/steadybit?a=1&a=2"}) {
        const Answer index = get(path);
        EXPECT_EQ(index.status, 200) << path;
        EXPECT_EQ(index.content_type, "application/json");
        EXPECT_EQ(index.body, kIndex);
    }
    EXPECT_EQ(ask(Method::head, "/steadybit").status, 200);
}

TEST_F(SteadybitDoorTest, TheIndexIsNotSentAgainToWhoHasIt) {
    const std::string etag = etag_of(get("/steadybit"));
    ASSERT_FALSE(etag.empty());
    const std::string quoted = '"' + etag + '"';
    for (const std::string& tag :
         {etag, quoted, "W/" + quoted, std::string("*"), "\"a\", " + quoted, "a,b , " + etag}) {
        const Answer answer = index_if(tag);
        EXPECT_EQ(answer.status, 304) << tag;
        EXPECT_EQ(answer.body, "");
        EXPECT_EQ(etag_of(answer), etag);
    }
    for (const std::string& tag : {std::string("x"), etag + "0", '"' + etag, std::string()}) {
        EXPECT_EQ(index_if(tag).body, kIndex) << tag;
    }
    EXPECT_EQ(
        ask(Method::get, "/steadybit/", "", {{"if-none-match", "x"}, {"If-None-Match", etag}}
        ).status,
        304
    ) << "a list may stand in several headers";
    pass(std::chrono::microseconds(1));
    restart_door();
    EXPECT_EQ(index_if(etag).status, 200) << "it was of the start before";
}

TEST_F(SteadybitDoorTest, AnEventIsStoredByteForByte) {
    const std::string body = event(
        "experiment.execution.step-started",
        "a b/\\u00e9",
        R"(,"experimentStepExecution":{"experimentKey":"ADM-4","executionId":9007199254740993})"
    );
    const Answer taken = take(body);
    EXPECT_EQ(taken.status, 200);
    EXPECT_EQ(taken.content_type, "application/json");
    EXPECT_EQ(taken.body, "{}");
    EXPECT_EQ(get("/api/v1/events/" + std::string(kId) + "/data").body, body);
    StoredEvent stored;
    log_.find("default", std::string(kId), "", [&](auto found) { stored = std::move(*found); });
    EXPECT_EQ(stored.event.id, kId);
    EXPECT_EQ(stored.event.type, "experiment.execution.step-started");
    EXPECT_EQ(stored.event.source, "/steadybit/a%20b%2F%C3%A9");
    EXPECT_EQ(stored.event.subject, "ADM-4/9007199254740993");
    EXPECT_EQ(stored.event.time, "2021-09-01T12:00:00Z");
    EXPECT_EQ(stored.event.datacontenttype, "application/json");
    EXPECT_EQ(stored.event.tenant, "default");
}

TEST_F(SteadybitDoorTest, AnyMediaTypeAndBothPathsAreTaken) {
    EXPECT_EQ(ask(Method::post, "/events", event()).status, 200);
    for (std::string_view type : {"application/json; charset=utf-8", "text/plain"}) {
        EXPECT_EQ(take(event(), {{"Content-Type", type}}).status, 200) << type;
    }
    EXPECT_EQ(log_.next_offset(), Offset{3});
}

TEST_F(SteadybitDoorTest, AMalformedEventIs500InTheWordsOfExtensions) {
    const std::string long_name(limits_.event_type_bytes + 1, 'x');
    for (const auto& [body, member] : std::vector<std::pair<std::string, std::string>>{
             {"", "malformed JSON"},
             {"[" + event() + "]", "an event must be an object"},
             {"{}", "\\\"id\\\" is missing"},
             {event("e", ""), "tenant.key"},
             {event("a\\u0000b"), "eventName"},
             {event(long_name), "eventName"},
             {event("e", std::string(limits_.event_source_bytes, 'x')), "tenant.key"},
             {event("e", "t", R"(,"experimentExecution":{"experimentKey":"\n","executionId":1})"),
              "experimentKey"},
         }) {
        const Answer answer = take(body);
        EXPECT_EQ(answer.status, 500) << body;
        EXPECT_EQ(answer.content_type, "application/json");
        EXPECT_TRUE(answer.body.starts_with(kTitle)) << answer.body;
        EXPECT_TRUE(answer.body.contains(member)) << answer.body;
    }
    EXPECT_EQ(log_.next_offset(), Offset{0});
    steadybit_options_.strict_status = true;
    restart_door();
    EXPECT_EQ(take("{}").status, 400);
    EXPECT_TRUE(take("{}").body.starts_with(kTitle));
    EXPECT_EQ(take(event()).status, 200);
}

TEST_F(SteadybitDoorTest, EveryRefusalHasATitleAndADetail) {
    const Answer get_events = get("/steadybit/events");
    EXPECT_EQ(get_events.status, 405);
    EXPECT_TRUE(get_events.headers.contains("Allow: POST, OPTIONS\r\n")) << get_events.headers;
    EXPECT_TRUE(get_events.body.starts_with(R"({"title":"Method Not Allowed","detail":")"));
    EXPECT_EQ(ask(Method::put, "/events", event()).status, 405);
    const Answer index = ask(Method::post, "/steadybit", event());
    EXPECT_EQ(index.status, 405);
    EXPECT_TRUE(index.headers.contains("Allow: GET, HEAD, OPTIONS\r\n")) << index.headers;
    for (std::string_view path : {"/steadybit/else", "/events/all", "/steadybit/events/"}) {
        const Answer unknown = ask(Method::post, path, event());
        EXPECT_EQ(unknown.status, 404) << path;
        EXPECT_TRUE(unknown.body.starts_with(R"({"title":"Not Found","detail":")"));
    }
    EXPECT_EQ(get("/steadybit?a=%zz").status, 400);
    EXPECT_EQ(get("/steadybit/%2e%2e").status, 400);
    EXPECT_EQ(get("/steadybit?token=x").status, 400);

    HttpRequest head{.method = Method::post, .path = "/steadybit/events"};
    EXPECT_EQ(router_->admit(head).body_limit, limits_.body_bytes);
    auto [exchange, number] = connection_.open();
    const Error error{.code = Errc::too_large, .detail = "over 1 byte"};
    router_->refuse(head, 413, error, std::move(exchange));
    EXPECT_EQ(connection_.answer(number).status, 413);
    EXPECT_EQ(
        connection_.answer(number).body, R"({"title":"Content Too Large","detail":"over 1 byte"})"
    );
}

TEST_F(SteadybitDoorTest, WhatTheLogRefusesIsSaidWithoutItsFiles) {
    log_.refusal = Error{.code = Errc::disk_full, .detail = "/data/log: no space"};
    const Answer full = take(event());
    EXPECT_EQ(full.status, 507);
    EXPECT_FALSE(full.body.contains("/data")) << full.body;
    EXPECT_TRUE(full.headers.contains("Retry-After: "));
    log_.refusal = Error{.code = Errc::overloaded, .detail = "as many bytes wait"};
    EXPECT_EQ(take(event()).status, 503);
    EXPECT_EQ(
        take(event()).body, R"({"title":"Service Unavailable","detail":"as many bytes wait"})"
    );
}

TEST_F(SteadybitDoorTest, AKnownIdWithOtherContentIsTakenOnceTheFirstIsStored) {
    const Error conflict{.code = Errc::id_conflict, .detail = "stored at offset 0"};
    log_.refusal = conflict;
    EXPECT_EQ(take(event()).status, 503) << "the first is not durable yet";
    log_.refusal.reset();
    EXPECT_EQ(take(event()).status, 200);
    log_.refusal = conflict;
    const Answer again = take(event("other"));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, "{}");
    EXPECT_EQ(log_.next_offset(), Offset{1});
}

TEST(SteadybitErrors, EveryCodeHasAStatus) {
    for (const ErrcInfo& info : errc_table()) {
        const int status = steadybit_status(info.code, MalformedStatus::strict);
        EXPECT_GE(status, 400) << info.name;
        const int lenient = steadybit_status(info.code, MalformedStatus::as_extensions);
        EXPECT_EQ(lenient, status == 400 ? 500 : status) << info.name;
    }
}

TEST_F(SteadybitDoorTest, AClosedHubTakesEventsOfItsTokens) {
    close();
    policy("agent", R"({"event_prefix":{"killswitch.":"write"}})");
    const std::string agent = token("agent");
    EXPECT_EQ(get("/steadybit").body, kIndex) << "the index is no secret";
    const Answer nobody = take(event());
    EXPECT_EQ(nobody.status, 401);
    EXPECT_TRUE(nobody.body.starts_with(R"({"title":"Unauthorized","detail":")")) << nobody.body;
    EXPECT_TRUE(nobody.headers.contains("WWW-Authenticate: Basic realm=\"belfry\""));
    EXPECT_EQ(take("{}").status, 401) << "a stranger hears nothing of the body";

    EXPECT_EQ(ask_as(agent, Method::post, "/steadybit/events", event()).status, 200);
    EXPECT_EQ(take(event(), basic(agent)).status, 200);
    EXPECT_EQ(take(event(), basic(agent, ":")).status, 200) << "any user, or none";
    EXPECT_EQ(take(event("experiment.execution.created"), basic(agent)).status, 403);
    EXPECT_EQ(take(event(), basic("belfry_" + std::string(56, '0'))).status, 401);
    EXPECT_EQ(take(event(), basic("")).status, 401);
    EXPECT_EQ(take(event(), basic(agent, "")).status, 401) << "no colon";
    EXPECT_EQ(take(event(), {{"Authorization", "Basic *"}}).status, 401);
    EXPECT_EQ(log_.next_offset(), Offset{3});
    EXPECT_EQ(ask(Method::get, "/api/v1/events", "", basic(operator_)).status, 401)
        << "a password is for this door alone";
}

TEST_F(SteadybitDoorTest, ABrowserCannotUseAPassword) {
    close();
    for (const HeaderField& header :
         {HeaderField{"Origin", "http://evil.example"}, HeaderField{"Sec-Fetch-Site", "none"}}) {
        Headers headers = basic(operator_);
        headers.push_back(header);
        EXPECT_EQ(take(event(), std::move(headers)).status, 403) << header.name;
    }
    EXPECT_EQ(take(event(), basic(operator_)).status, 200);
}

TEST_F(SteadybitDoorTest, AnOpenHubIgnoresThePassword) {
    EXPECT_EQ(take(event(), basic("anything")).status, 200);
}

}  // namespace
}  // namespace belfry
