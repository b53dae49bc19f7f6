// The routes of extensions, and behind them the registry: what extensions answer, and what becomes
// of their listeners and their subscription.
#include "doors/native/extensions_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST_F(ExtensionRoutes, ARegistrationAsksForTheIndexBeforeItAnswers) {
    const std::uint64_t number =
        send(Method::post, "/api/v1/extensions", R"({"url":"http://u:p@ext.example:8080/p/?k=1"})");
    ASSERT_EQ(index_calls_.size(), 1U);
    const HttpCall& call = index_calls_.front().call;
    EXPECT_EQ(call.host, "ext.example");
    EXPECT_EQ(call.port, 8080);
    EXPECT_EQ(call.timeout, 10s);
    EXPECT_EQ(call.body_most, 4UL << 20U);
    EXPECT_EQ(
        call.head,
        "GET /p/?k=1 HTTP/1.1\r\nHost: ext.example:8080\r\nUser-Agent: Belfry/1.2.3\r\n"
        "Authorization: Basic dTpw\r\nAccept: application/json\r\n\r\n"
    );
    EXPECT_EQ(connection_.answer(number).status, 0);
    ASSERT_NE(subscription(), nullptr) << "events count from the registration on";
    EXPECT_TRUE(subscription()->filter.types.empty()) << "every type until the index is known";
    answer_index(200, kOne, {{"etag", "token-1"}});
    const Answer& answer = connection_.answer(number);
    EXPECT_EQ(answer.status, 201);
    EXPECT_THAT(answer.headers, HasSubstr("Location: /api/v1/extensions/ext.example:8080\r\n"));
    EXPECT_EQ(
        answer.body,
        R"({"name":"ext.example:8080","url":"http://ext.example:8080/p/?k=…","origin":"api",)"
        R"("method":"GET","basic":{"username":"u","password":{"set":true}},)"
        R"("pathResolution":"prefix","profile":"push","delivery":{"order":"all","timeout":"30s",)"
        R"("max_in_flight":1,"retry":["1s","5s","30s","2m","5m"],"max_unsettled":10000},)"
        R"("index":{"fetched":"2026-01-01T00:00:00.000000Z","etag":"token-1"},)"
        R"("listeners":[{"method":"POST","path":"/e","listenTo":["deploy","test.run"],)"
        R"("restrictTo":"leader","state":"active"}],)"
        R"("subscription":"steadybit/ext.example:8080","offset":0,"lag":0,"dead":0})"
    );
    EXPECT_THAT(types(), testing::ElementsAre("deploy", "test.run"));
    EXPECT_EQ(subscription()->delivery.order, DeliveryPolicy::Order::all);
    EXPECT_EQ(subscription()->delivery.pace, std::nullopt);
    ASSERT_NE(served(), nullptr);
    EXPECT_EQ(served()->target->prefix, "/p");
    EXPECT_EQ(served()->listeners->size(), 1U);
}

TEST_F(ExtensionRoutes, APollProfileIsThePaceOfTheSubscription) {
    EXPECT_EQ(
        add(R"({"url":"http://ext.example:8080","profile":{"poll":{"limit":7}}})").status, 201
    );
    EXPECT_EQ(subscription()->delivery.pace, (Pace{.events = 7, .every = 5s}));
}

TEST_F(ExtensionRoutes, WhatIsNoIndexIsToldAndThePositionIsSet) {
    struct Case {
        int status;
        std::string body;
        Fields headers;
        std::string error;
    };
    const std::vector<Case> cases{
        {500, "", {}, "the index was answered with 500"},
        {301,
         "",
         {{"location", "http://u:secret-1@elsewhere.example/x?token=secret-2"}},
         "the index was answered with 301 to http://elsewhere.example/x; redirects are not "
         "followed"},
        {304, "", {}, "the index was answered with 304"},
        {200, "<html></html>", {}, "the index cannot be read: malformed JSON at byte 0"},
        {200, R"({"eventListeners":7})", {}, "\"eventListeners\" must be an array"},
        {200, "[]", {}, "the index must be a JSON object"},
        {200, "x", {{"content-encoding", "gzip"}}, "the index is encoded (gzip), which was not"},
    };
    int i = 0;
    for (const Case& one : cases) {
        const std::string name = fmt::format("e{}", ++i);
        const Answer answer =
            add(fmt::format(R"({{"name":"{0}","url":"http://{0}.example"}})", name),
                one.body,
                one.status,
                one.headers);
        EXPECT_EQ(answer.status, 201) << one.error;
        std::string quoted = one.error;
        for (std::size_t at = 0; (at = quoted.find('"', at)) != std::string::npos; at += 2) {
            quoted.insert(at, 1, '\\');
        }
        EXPECT_THAT(answer.body, HasSubstr("\"index\":{\"error\":\"" + quoted)) << answer.body;
        EXPECT_THAT(answer.body, Not(HasSubstr("secret-")));
        EXPECT_NE(subscription(name), nullptr);
        ASSERT_NE(served(name), nullptr);
        EXPECT_EQ(served(name)->listeners, nullptr) << "none are known";
    }
}

TEST_F(ExtensionRoutes, AnIndexThatIsTooLargeIsToldAsOne) {
    const std::uint64_t number = send(Method::post, "/api/v1/extensions", kUrl);
    IndexCall asked = std::move(index_calls_.front());
    index_calls_.pop_front();
    asked.done(HttpReply{.status = 200, .headers = {}, .body = "{", .body_truncated = true});
    run();
    EXPECT_THAT(
        connection_.answer(number).body, HasSubstr("the index is larger than 4194304 bytes")
    );
}

TEST_F(ExtensionRoutes, RefusedListenersAreShownBesideTheOthers) {
    const Answer answer =
        add(kUrl,
            R"({"eventListeners":[{"path":"e","method":"POST","listenTo":["a"]},)"
            R"({"path":"/e","method":"PUT","listenTo":["*"],"restrictTo":"any"}]})");
    EXPECT_THAT(
        answer.body,
        HasSubstr(
            R"("listeners":[{"method":"PUT","path":"/e","listenTo":["*"],"restrictTo":"any",)"
            R"("state":"active"},{"method":"POST","path":"e","listenTo":["a"],"state":"refused",)"
            R"("reason":"\"path\" must begin with a slash"}])"
        )
    );
    EXPECT_THAT(types(), testing::IsEmpty()) << "every type";
    std::string many = R"({"eventListeners":[)";
    for (int i = 0; i < 10'000; ++i) {
        many += fmt::format(R"({}{{"path":"/{}","method":"POST"}})", i == 0 ? "" : ",", i);
    }
    const Answer flood = add(R"({"url":"http://flood.example"})", many + "]}");
    EXPECT_THAT(flood.body, HasSubstr("an extension has at most 1000 listeners"));
    EXPECT_THAT(flood.body, HasSubstr(R"("refused_beyond":8000)"));
}

TEST_F(ExtensionRoutes, AnIndexWithoutListenersLetsNothingThrough) {
    EXPECT_EQ(add(kUrl, R"({"actions":[],"eventListeners":null})").status, 201);
    EXPECT_FALSE(subscription()->filter.matches(Event{.id = "1", .source = "/s", .type = "-"}));
    EXPECT_THAT(
        show(),
        HasSubstr(R"("index":{"fetched":"2026-01-01T00:00:00.000000Z",)"
                  R"("note":"it names no listeners"},"listeners":[])")
    );
}

TEST_F(ExtensionRoutes, TheEtagGoesBackByteForByteAndA304KeepsListeners) {
    add(kUrl, kOne, 200, {{"etag", "W/raw \"token\""}});
    const SteadybitListeners before = served()->listeners;
    served_extensions_.refuse("default/ext.example:8080", before, 0, "answered 410");
    pass(5min);
    ASSERT_EQ(index_calls_.size(), 1U);
    EXPECT_THAT(
        index_calls_.front().call.head, HasSubstr("\r\nIf-None-Match: W/raw \"token\"\r\n")
    );
    answer_index(304, "");
    EXPECT_EQ(served()->listeners, before);
    EXPECT_THAT(show(), HasSubstr(R"("state":"refused","reason":"answered 410")"));
    EXPECT_THAT(show(), HasSubstr(R"("fetched":"2026-01-01T00:05:00.000000Z")"));
    pass(5min);
    answer_index(200, kOne, {{"etag", "other"}});
    EXPECT_NE(served()->listeners, before);
    EXPECT_THAT(show(), Not(HasSubstr("refused"))) << "who wanted no more is asked again";
}

TEST_F(ExtensionRoutes, AChangedIndexChangesListenersAndFilter) {
    add(kUrl);
    const std::uint64_t number = send(Method::post, "/api/v1/extensions/ext.example:8080/refresh");
    answer_index(200, R"({"eventListeners":[{"path":"/n","method":"POST","listenTo":["other"]}]})");
    EXPECT_EQ(connection_.answer(number).status, 200);
    EXPECT_THAT(connection_.answer(number).body, HasSubstr(R"("path":"/n")"));
    EXPECT_THAT(types(), testing::ElementsAre("other"));
    EXPECT_EQ(served()->listeners->front().path, "/n");
}

TEST_F(ExtensionRoutes, AFailureKeepsTheLastGoodIndexAndIsTriedAgainSoon) {
    add(kUrl);
    pass(5min);
    fail_index("connection refused");
    EXPECT_THAT(show(), HasSubstr(R"("error":"connection refused")"));
    EXPECT_THAT(show(), HasSubstr(R"("path":"/e")"));
    EXPECT_EQ(served()->listeners->size(), 1U);
    EXPECT_THAT(types(), testing::ElementsAre("deploy", "test.run"));
    for (const Duration wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        pass(wait - 1ms);
        EXPECT_TRUE(index_calls_.empty());
        pass(1ms);
        fail_index("connection refused");
    }
    pass(60s);
    answer_index(200, kOne);
    EXPECT_THAT(show(), Not(HasSubstr("connection refused")));
    pass(4min);
    EXPECT_TRUE(index_calls_.empty());
}

TEST_F(ExtensionRoutes, ASecondRegistrationOfAUrlMerges) {
    EXPECT_EQ(add(R"({"name":"mine","url":"http://ext.example:8080/p"})").status, 201);
    const std::uint64_t number = send(
        Method::post,
        "/api/v1/extensions",
        R"({"name":"yours","url":"http://u:p@EXT.example:8080/p/","profile":"poll"})"
    );
    answer_index(200, kOne);
    EXPECT_EQ(connection_.answer(number).status, 200);
    EXPECT_THAT(connection_.answer(number).body, HasSubstr(R"("name":"mine",)"));
    EXPECT_EQ(catalog_.list("default").size(), 1U);
    EXPECT_EQ(subscription("mine")->delivery.pace, (Pace{.events = 50, .every = 5s}));
    EXPECT_TRUE(served("mine")->target->basic.has_value());
}

TEST_F(ExtensionRoutes, TwoAtOnceOfOneUrlAreOne) {
    const std::uint64_t first = send(Method::post, "/api/v1/extensions", kUrl);
    const std::uint64_t second = send(Method::post, "/api/v1/extensions", kUrl);
    while (!index_calls_.empty()) {
        answer_index(200, kOne);
    }
    EXPECT_EQ(connection_.answer(first).status, 201);
    EXPECT_EQ(connection_.answer(second).status, 200);
    EXPECT_EQ(catalog_.list("default").size(), 1U);
}

TEST_F(ExtensionRoutes, NamesAreOneExtensions) {
    EXPECT_EQ(add(R"({"url":"http://h:1/a"})").status, 201);
    EXPECT_THAT(add(R"({"url":"http://h:1/b"})").body, HasSubstr(R"("name":"h:1-2",)"));
    EXPECT_THAT(add(R"({"url":"http://h:1/c"})").body, HasSubstr(R"("name":"h:1-3",)"));
    const Answer taken =
        ask(Method::post, "/api/v1/extensions", R"({"name":"h:1-2","url":"http://i"})");
    EXPECT_EQ(taken.status, 409);
    EXPECT_THAT(taken.body, HasSubstr("another extension is named 'h:1-2'"));
}

TEST_F(ExtensionRoutes, ARemovedExtensionIsGoneWithItsSubscription) {
    add(kUrl);
    EXPECT_EQ(ask(Method::del, "/api/v1/extensions/ext.example:8080").status, 204);
    EXPECT_EQ(get("/api/v1/extensions/ext.example:8080").status, 404);
    EXPECT_EQ(subscription(), nullptr);
    EXPECT_EQ(served(), nullptr);
    pass(10min);
    EXPECT_TRUE(index_calls_.empty());
    EXPECT_EQ(ask(Method::del, "/api/v1/extensions/ext.example:8080").status, 404);
    EXPECT_EQ(ask(Method::post, "/api/v1/extensions/ext.example:8080/refresh").status, 404);
    EXPECT_EQ(get("/api/v1/extensions/ext.example:8080/attempts").status, 404);
}

TEST_F(ExtensionRoutes, RemovedWhileItsIndexIsOnTheWay) {
    const std::uint64_t number = send(Method::post, "/api/v1/extensions", kUrl);
    EXPECT_EQ(ask(Method::del, "/api/v1/extensions/ext.example:8080").status, 204);
    EXPECT_EQ(connection_.answer(number).status, 404);
    answer_index(200, kOne);
    EXPECT_EQ(served(), nullptr);
    EXPECT_EQ(subscription(), nullptr);
}

TEST_F(ExtensionRoutes, ListsPageByName) {
    add(R"({"url":"http://a","name":"a"})");
    add(R"({"url":"http://b","name":"b"})");
    const std::string first = get("/api/v1/extensions?limit=1").body;
    EXPECT_THAT(first, HasSubstr(R"("name":"a")"));
    EXPECT_THAT(first, testing::EndsWith(R"(],"next":"a"})"));
    const std::string second = get("/api/v1/extensions?limit=1&after=a").body;
    EXPECT_THAT(second, HasSubstr(R"("name":"b")"));
    EXPECT_THAT(second, Not(HasSubstr("next")));
    EXPECT_EQ(get("/api/v1/extensions?limit=0").status, 400);
}

TEST_F(ExtensionRoutes, AWrongRegistrationChangesNothing) {
    for (const char* document : {"", "[]", "{}", R"({"url":"h"})", R"({"url":"http://h","x":1})"}) {
        EXPECT_EQ(ask(Method::post, "/api/v1/extensions", document).status, 400) << document;
    }
    tls_ = fail(Errc::bad_request, "no certificate can be read from /ca.pem: no such file");
    const Answer unusable =
        ask(Method::post, "/api/v1/extensions", R"({"url":"https://h","tls":{"ca":"/ca.pem"}})");
    EXPECT_EQ(unusable.status, 400);
    EXPECT_THAT(unusable.body, HasSubstr(R"("field":"tls")"));
    EXPECT_TRUE(index_calls_.empty());
    EXPECT_TRUE(registered_extensions_.all().empty());
    EXPECT_TRUE(catalog_.list("default").empty());
}

TEST_F(ExtensionRoutes, WithoutRoomForItsSubscriptionNothingStays) {
    limits_.subscriptions = 0;
    EXPECT_EQ(ask(Method::post, "/api/v1/extensions", kUrl).status, 429);
    EXPECT_TRUE(registered_extensions_.all().empty());
    EXPECT_EQ(served(), nullptr);
}

TEST_F(ExtensionRoutes, WhatAListenerAnsweredIsForWhoMayReadEverything) {
    add(kUrl);
    served_extensions_.note_error("default/ext.example:8080", "answered 400: told-secret");
    EXPECT_THAT(show(), HasSubstr("told-secret"));
    close();
    policy("some", R"({"event_prefix":{"deploy":"read"},"subscription":"write"})");
    policy("every", R"({"event_prefix":{"":"read"},"subscription":"read"})");
    const std::string some = token("some");
    const std::string path = "/api/v1/extensions/ext.example:8080";
    EXPECT_THAT(ask_as(token("every"), Method::get, path).body, HasSubstr("told-secret"));
    const Answer shown = ask_as(some, Method::get, path);
    EXPECT_EQ(shown.status, 200);
    EXPECT_THAT(shown.body, Not(HasSubstr("told-secret")));
    const Answer listed = ask_as(some, Method::get, "/api/v1/extensions");
    EXPECT_THAT(listed.body, HasSubstr("ext.example"));
    EXPECT_THAT(listed.body, Not(HasSubstr("told-secret")));
    const std::uint64_t number = send_as(some, Method::post, path + "/refresh");
    answer_index(200, kOne);
    EXPECT_EQ(connection_.answer(number).status, 200);
    EXPECT_THAT(connection_.answer(number).body, Not(HasSubstr("told-secret")));
}

TEST_F(ExtensionRoutes, AListenerOfNothingIsWarnedAbout) {
    add(kUrl, R"({"eventListeners":[{"path":"/e","method":"POST","listenTo":null}]})");
    EXPECT_THAT(show(), HasSubstr(R"("state":"active","warning":"listens to no event")"));
    EXPECT_THAT(show(), Not(HasSubstr("note")));
}

TEST_F(ExtensionRoutes, AListenerForHubsInAnotherModeIsWarnedAbout) {
    add(kUrl,
        R"({"eventListeners":[{"path":"/a","method":"POST","listenTo":["*"],"restrictTo":"aws"},)"
        R"({"path":"/b","method":"POST","listenTo":["*"],"restrictTo":"any"}]})");
    EXPECT_THAT(
        show(),
        HasSubstr(R"("state":"active","warning":"only hubs with steadybit.agent_mode aws call it)")
    );
    EXPECT_THAT(show(), HasSubstr(R"("restrictTo":"any","state":"active"})"));
}

TEST_F(ExtensionRoutes, WhoRegistersMustBeAllowedToReadEverything) {
    close();
    policy("some", R"({"event_prefix":{"deploy":"read"},"subscription":"write"})");
    policy("every", R"({"event_prefix":{"":"read"},"subscription":"write"})");
    const std::string some = token("some");
    const std::string every = token("every");
    EXPECT_EQ(ask_as(some, Method::post, "/api/v1/extensions", kUrl).status, 403);
    const Answer files = ask_as(
        every, Method::post, "/api/v1/extensions", R"({"url":"https://h","tls":{"ca":"/ca.pem"}})"
    );
    EXPECT_EQ(files.status, 403);
    EXPECT_THAT(files.body, HasSubstr(R"("field":"tls")"));
    EXPECT_TRUE(index_calls_.empty());
    const std::uint64_t number = send_as(every, Method::post, "/api/v1/extensions", kUrl);
    answer_index(200, kOne);
    EXPECT_EQ(connection_.answer(number).status, 201);
}

}  // namespace
}  // namespace belfry
