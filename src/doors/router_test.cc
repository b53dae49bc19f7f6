#include "doors/router.h"

#include "doors/recording_connection.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

// Which routes compile: everything but `doc`'s rows must be said.
template <typename R>
concept CompilesWithoutNeeds = requires {
    R{.method = Method::get, .path = "/x", .handler = Handler(), .doc = {.summary = "x"}};
};
static_assert(!std::is_default_constructible_v<Needs>);
static_assert(!CompilesWithoutNeeds<Route>);

// Lets read, and write whom it was made to; notes what it was asked about.
class AskedGrant final : public Grant {
 public:
    AskedGrant(std::string& checked, bool writes) : checked_(checked), writes_(writes) {}
    bool allows(Resource, Verb verb, std::string_view name) const override {
        checked_ = std::string(name);
        return verb == Verb::read || writes_;
    }
    bool covers(Verb, const TypePattern&) const override { return true; }
    std::shared_ptr<const Rights> rights() const override { return nullptr; }
    bool valid() const override { return true; }
    std::uint64_t revision() const override { return 0; }

 private:
    std::string& checked_;
    bool writes_;
};

// Knows the token "good", refuses "bad", lets anonymous callers read.
class ScriptedAccess final : public Access {
 public:
    Result<Caller> identify(const Credentials& credentials) override {
        seen = std::string(credentials.token) + "|" + std::string(credentials.host) + "|" +
               std::string(credentials.origin) + "|" + std::string(credentials.sec_fetch_site);
        ++asked;
        if (credentials.token == "bad") {
            return fail(Errc::unauthenticated, "the token is unknown");
        }
        return Caller{
            .tenant = "acme",
            .token_id = std::string(credentials.token),
            .grant = std::make_shared<AskedGrant>(checked, !credentials.token.empty())
        };
    }
    std::string seen;
    std::string checked = "-";
    int asked = 0;
};

Handler echo() {
    return [](RequestContext& context) {
        std::string body = context.caller.tenant + ":";
        for (std::size_t i = 0; i < context.path.names->size(); ++i) {
            body += (*context.path.names)[i] + "=" + std::string(context.path.values[i]) + ";";
        }
        context.exchange.respond(
            HttpResponse{.body = body + std::string(context.query.get("q").value_or(""))}
        );
    };
}

WriteRefusal worded(const std::string& door) {
    return [door](const DoorRefusal& refusal, Exchange exchange) {
        std::string body = door + " " + std::string(errc_name(refusal.error.code)) + " " +
                           std::string(refusal.allow) + refusal.error.field;
        exchange.respond(
            HttpResponse{.status = refusal.status == 0 ? 499 : refusal.status, .body = body}
        );
    };
}

Route route(
    Method method, std::string path, Needs needs, BodyKind body = BodyKind::none, bool waits = false
) {
    return Route{
        .method = method,
        .path = std::move(path),
        .needs = needs,
        .handler = echo(),
        .doc = {.summary = "echo", .parameters = {{.name = "q", .text = "anything"}}},
        .body = body,
        .waits = waits,
    };
}

std::vector<Door> two_doors() {
    Needs read(Resource::event, Verb::read, "id");
    Door first{.name = "first", .prefixes = {"/api/"}, .routes = {}, .refuse = worded("first")};
    first.routes.push_back(route(Method::get, "/api/events/{id}", read));
    first.routes.push_back(
        route(Method::post, "/api/events", Needs(Resource::event, Verb::write), BodyKind::events)
    );
    first.routes.push_back(
        route(Method::put, "/api/one", Needs(Resource::event, Verb::write), BodyKind::event, true)
    );
    Door second{.name = "second", .prefixes = {"/v1/"}, .routes = {}, .refuse = worded("second")};
    second.routes.push_back(route(
        Method::put,
        "/v1/fire/{name*}",
        Needs(Resource::event, Verb::write, "name"),
        BodyKind::document
    ));
    second.routes.push_back(route(Method::get, "/v1/list", Needs(Resource::event, Verb::read)));
    second.routes.push_back(
        route(Method::put, "/v1/judge/{name*}", Needs(Resource::event, Verb::write, "name"))
    );
    second.routes.back().handler_asks = true;
    second.routes.push_back(second.routes.front());
    second.routes.back().path = "/v1/fetch/{name*}";
    second.routes.back().handler_asks = true;
    second.head_is_get = false;
    second.repeated_parameter = Query::Repeated::first_counts;
    second.query_content = Query::Content::any_bytes;
    second.answer_options = [](std::string_view allow, Exchange exchange) {
        exchange.respond(HttpResponse{.body = "second " + std::string(allow)});
    };
    second.decide_by_path = [](const HttpRequest& request) -> AnswerByPath {
        if (request.path != "/v1/moved") {
            return nullptr;
        }
        return [](Exchange& exchange) { exchange.respond(HttpResponse{.status = 301}); };
    };
    second.unknown_parameter = Door::UnknownParameter::ignore;
    second.slash_in_parameter = true;
    second.token_header = "X-Second-Token";
    second.token_places = Door::TokenPlaces::query_header_authorization;
    std::vector<Door> doors;
    doors.push_back(std::move(first));
    doors.push_back(std::move(second));
    return doors;
}

class RouterTest : public testing::Test {
 protected:
    RecordingConnection::Answer ask(
        Method method, std::string_view target, const std::vector<HeaderField>& headers = {}
    ) {
        HttpRequest request = head(method, target, headers);
        auto [exchange, number] = connection_.open();
        router_.handle(request, std::move(exchange));
        return connection_.answer(number);
    }
    static HttpRequest head(
        Method method, std::string_view target, const std::vector<HeaderField>& headers
    ) {
        HttpRequest request;
        request.method = method;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        request.query = target.contains('?') ? target.substr(target.find('?') + 1) : "";
        request.headers = headers;
        request.peer_is_loopback = true;
        return request;
    }
    HttpService::Admission admit(
        Method method, std::string_view target, const std::vector<HeaderField>& headers = {}
    ) {
        return router_.admit(head(method, target, headers));
    }

    bool admits_body(
        Method method, std::string_view target, const std::vector<HeaderField>& headers = {}
    ) {
        return router_.admit_body(head(method, target, headers));
    }

    Limits limits_;
    ScriptedAccess access_;
    Router router_{two_doors(), access_, limits_};
    RecordingConnection connection_;
};

TEST_F(RouterTest, GivesTheHandlerPathQueryAndCaller) {
    EXPECT_EQ(ask(Method::get, "/api/events/a%20b?q=c%26d").body, "acme:id=a b;c&d");
    EXPECT_EQ(access_.checked, "a b");
    EXPECT_EQ(ask(Method::head, "/api/events/1").status, 200);
}

TEST_F(RouterTest, ReadsCredentialsFromTheHeaders) {
    auto answer =
        ask(Method::post,
            "/api/events",
            {{"HOST", "h:1"},
             {"origin", "o"},
             {"Sec-Fetch-Site", "none"},
             {"Authorization", "bearer  good"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(access_.seen, "good|h:1|o|none");
}

TEST_F(RouterTest, RefusesTwoTokensOrHosts) {
    for (const std::vector<HeaderField>& headers : std::vector<std::vector<HeaderField>>{
             {{"Authorization", "Bearer good"}, {"Authorization", "Bearer other"}},
             {{"Host", "a"}, {"Host", "b"}},
             {{"Origin", "a"}, {"Origin", "b"}}
         }) {
        EXPECT_EQ(ask(Method::get, "/api/events/1", headers).body, "first bad_request ");
    }
    EXPECT_EQ(
        ask(Method::get, "/api/events/1", {{"Authorization", "Basic eDp5"}}).body,
        "first unauthenticated "
    );
}

TEST_F(RouterTest, AuthorisesBeforeItSaysWhatThereIs) {
    std::vector<HeaderField> bad{{"Authorization", "Bearer bad"}};
    EXPECT_EQ(ask(Method::get, "/api/nothing", bad).body, "first unauthenticated ");
    EXPECT_EQ(ask(Method::del, "/api/events", bad).body, "first unauthenticated ");
    EXPECT_EQ(ask(Method::post, "/api/events").body, "first unauthenticated ");
    EXPECT_EQ(ask(Method::post, "/api/events?typo=1").body, "first unauthenticated ");
}

TEST_F(RouterTest, RefusesOddPathsBeforeAuthorisation) {
    EXPECT_EQ(ask(Method::get, "/api/events/%2e%2e").body, "first bad_request ");
    EXPECT_EQ(ask(Method::get, "/api/events/a%2fb").body, "first bad_request ");
    EXPECT_EQ(access_.seen, "");
}

TEST_F(RouterTest, ALongBodyIsForWhoMayDoWhatItIsFor) {
    const std::vector<HeaderField> good{{"Authorization", "Bearer good"}};
    EXPECT_TRUE(admits_body(Method::post, "/api/events", good));
    EXPECT_FALSE(admits_body(Method::post, "/api/events"));
    EXPECT_TRUE(admits_body(Method::put, "/v1/fire/a%2fb?token=good"));
    EXPECT_EQ(access_.checked, "a/b");
    EXPECT_FALSE(admits_body(Method::put, "/v1/fire/x"));
    EXPECT_FALSE(admits_body(Method::put, "/v1/judge/x")) << "though its handler asks itself";
    EXPECT_TRUE(admits_body(Method::put, "/v1/judge/x", {{"X-Second-Token", "good"}}));
}

TEST_F(RouterTest, ALongBodyIsJudgedByTheQueryThatItsDoorReads) {
    for (const char* odd : {"y=%FF", "y=a%0A", "token=x", "%00"}) {
        const std::string target = "/v1/fire/x?token=good&" + std::string(odd);
        EXPECT_TRUE(admits_body(Method::put, target)) << odd;
        EXPECT_EQ(ask(Method::put, target).status, 200) << odd;
    }
    const HeaderField token{"Authorization", "Bearer good"};
    EXPECT_FALSE(admits_body(Method::post, "/api/events?q=%FF", {token}));
    EXPECT_EQ(ask(Method::post, "/api/events?q=%FF", {token}).body, "first bad_request ");
}

// Whatever admit_body() and handle() may come to disagree about: here it is another token.
TEST_F(RouterTest, NoHandlerTakesARequestWhoseBodyWasTurnedAway) {
    for (const char* path : {"/v1/fire/x", "/v1/fetch/x"}) {
        EXPECT_FALSE(admits_body(Method::put, path));
        const auto answer = ask(Method::put, std::string(path) + "?token=good");
        EXPECT_EQ(answer.status, 500) << path;
        EXPECT_EQ(answer.body, "second internal ") << path;
        EXPECT_EQ(ask(Method::put, std::string(path) + "?token=good").status, 200) << "the next";
    }
    EXPECT_FALSE(admits_body(Method::put, "/v1/fetch/x"));
    EXPECT_EQ(ask(Method::put, "/v1/fetch/x").status, 200) << "its handler says no";
    EXPECT_FALSE(admits_body(Method::put, "/v1/judge/x"));
    EXPECT_EQ(ask(Method::put, "/v1/judge/x?token=good").status, 200) << "it looks at no body";
}

TEST_F(RouterTest, ALongBodyIsReadOnlyWhereSomebodyLooksAtIt) {
    const HeaderField token{"Authorization", "Bearer good"};
    EXPECT_FALSE(admits_body(Method::post, "/api/nothing", {token}));
    EXPECT_FALSE(admits_body(Method::del, "/api/events", {token}));
    EXPECT_FALSE(admits_body(Method::post, "/api/events?%zz", {token}));
    EXPECT_FALSE(admits_body(Method::post, "/api/%2e%2e", {token}));
    EXPECT_FALSE(admits_body(Method::get, "/api/events/1", {token, {"Content-Length", "20000"}}));
    EXPECT_TRUE(admits_body(Method::get, "/api/events/1", {token, {"Transfer-Encoding", "chunked"}})
    ) << "that may be the whole of it";
}

TEST_F(RouterTest, AWrongTokenBeforeALongBodyIsAskedAboutOnce) {
    const std::vector<HeaderField> bad{{"Authorization", "Bearer bad"}};
    EXPECT_FALSE(admits_body(Method::post, "/api/events", bad));
    EXPECT_EQ(ask(Method::post, "/api/events", bad).body, "first unauthenticated ");
    EXPECT_EQ(access_.asked, 1);
    // What was found holds for that request alone.
    EXPECT_EQ(ask(Method::post, "/api/events", {{"Authorization", "Bearer good"}}).body, "acme:");
    EXPECT_FALSE(admits_body(Method::put, "/v1/fire/x?token=bad"));
    EXPECT_EQ(ask(Method::put, "/v1/moved").status, 301);
    EXPECT_EQ(ask(Method::put, "/v1/fire/x?token=good").body, "acme:name=x;");
}

TEST_F(RouterTest, ATokenInTheQueryIsRefusedWhereNoDoorAllowsIt) {
    EXPECT_EQ(ask(Method::get, "/api/events/1?token=good").body, "first bad_request ");
    EXPECT_EQ(ask(Method::put, "/v1/fire/x?token=good").body, "acme:name=x;");
    EXPECT_EQ(ask(Method::put, "/v1/fire/x", {{"x-second-token", "good"}}).body, "acme:name=x;");
    EXPECT_EQ(
        ask(Method::post, "/api/events", {{"x-second-token", "good"}}).body,
        "first unauthenticated "
    );
}

TEST_F(RouterTest, WhereADoorTakesTokensInSeveralPlacesTheFirstCounts) {
    const std::vector<HeaderField> both{{"X-Second-Token", "b"}, {"Authorization", "Bearer c"}};
    ask(Method::put, "/v1/fire/x?token=a", both);
    EXPECT_EQ(access_.seen.substr(0, 2), "a|");
    ask(Method::put, "/v1/fire/x?token=", both);
    EXPECT_EQ(access_.seen.substr(0, 2), "b|");
    ask(Method::put, "/v1/fire/x", {{"Authorization", "Bearer c d"}});
    EXPECT_EQ(access_.seen.substr(0, 2), "c|");
    ask(Method::put, "/v1/fire/x", {{"Authorization", "Basic dTpw"}});
    EXPECT_EQ(access_.seen.substr(0, 1), "|");
}

TEST_F(RouterTest, ADoorMayTakeTheFirstOfARepeatedParameter) {
    EXPECT_EQ(ask(Method::put, "/v1/fire/x?q=1&q=2&token=good").body, "acme:name=x;1");
    EXPECT_EQ(ask(Method::get, "/api/events/1?q=1&q=2").body, "first bad_request q");
}

TEST_F(RouterTest, ADoorMayServeNoHeadAndAnswerOptionsAndPathsItself) {
    EXPECT_EQ(ask(Method::head, "/v1/list").status, 405);
    EXPECT_EQ(ask(Method::get, "/v1/list").status, 200);
    auto options = ask(Method::options, "/v1/list");
    EXPECT_EQ(options.status, 200);
    EXPECT_EQ(options.body, "second GET, HEAD, OPTIONS");
    access_.seen = "";
    EXPECT_EQ(ask(Method::put, "/v1/moved?%zz").status, 301);
    EXPECT_EQ(access_.seen, "");
}

TEST_F(RouterTest, AHandlerThatAsksItselfIsCalledForWhoMayNot) {
    EXPECT_EQ(ask(Method::put, "/v1/judge/x").body, "acme:name=x;");
    EXPECT_EQ(ask(Method::put, "/v1/fire/x").body, "second unauthenticated ");
}

TEST_F(RouterTest, UnknownParametersAreRefusedUnlessTheDoorIgnoresThem) {
    EXPECT_EQ(ask(Method::get, "/api/events/1?typ=x").body, "first unknown_field typ");
    EXPECT_EQ(ask(Method::put, "/v1/fire/x?typ=x&token=good").body, "acme:name=x;");
}

TEST_F(RouterTest, UnknownPathsAndMethodsAreWordedByTheDoorOfThePath) {
    EXPECT_EQ(ask(Method::get, "/nothing").body, "first not_found ");
    EXPECT_EQ(ask(Method::get, "/v1/nothing").body, "second not_found ");
    auto answer = ask(Method::del, "/v1/fire/x");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.body, "second method_not_allowed PUT, OPTIONS");
    EXPECT_EQ(ask(Method::other, "/api/events").status, 405);
    EXPECT_EQ(ask(Method::head, "/api/events").status, 405);
}

TEST_F(RouterTest, OptionsNamesTheMethods) {
    auto answer = ask(Method::options, "/api/events/1");
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.headers, "Allow: GET, HEAD, OPTIONS\r\n");
    EXPECT_EQ(ask(Method::options, "/nothing").body, "first not_found ");
}

TEST_F(RouterTest, ServerRefusalsKeepTheirStatusAndTheWordsOfThePath) {
    std::vector<HeaderField> none;
    auto [exchange, number] = connection_.open();
    router_.refuse(
        head(Method::put, "/v1/fire/x", none),
        413,
        Error{.code = Errc::too_large},
        std::move(exchange)
    );
    EXPECT_EQ(connection_.answer(number).status, 413);
    EXPECT_EQ(connection_.answer(number).body, "second too_large ");
    auto [early, early_number] = connection_.open();
    router_.refuse(HttpRequest(), 400, Error{.code = Errc::bad_request}, std::move(early));
    EXPECT_EQ(connection_.answer(early_number).body, "first bad_request ");
}

TEST_F(RouterTest, BodiesAreBoundedByTheRoute) {
    EXPECT_EQ(admit(Method::put, "/v1/fire/x").body_limit, limits_.document_bytes);
    EXPECT_EQ(admit(Method::put, "/api/one").body_limit, limits_.body_bytes);
    EXPECT_TRUE(admit(Method::put, "/api/one").waits);
    EXPECT_EQ(admit(Method::post, "/api/events").body_limit, limits_.body_bytes);
    for (std::string_view type :
         {"application/x-ndjson", "Application/CloudEvents-Batch+JSON; charset=utf-8"}) {
        EXPECT_EQ(
            admit(Method::post, "/api/events", {{"Content-Type", type}}).body_limit,
            limits_.batch_bytes
        );
    }
    EXPECT_EQ(admit(Method::post, "/nothing").body_limit, limits_.document_bytes);
    EXPECT_FALSE(admit(Method::post, "/%").waits);
}

TEST_F(RouterTest, ServesTheDocumentOfAllDoors) {
    auto answer = ask(Method::get, "/openapi.json");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/json");
    for (std::string_view path :
         {"\"/api/events/{id}\"", "\"/api/events\"", "\"/v1/fire/{name}\"", "\"/openapi.json\""}) {
        EXPECT_TRUE(answer.body.contains(path)) << path;
    }
}

}  // namespace
}  // namespace belfry
