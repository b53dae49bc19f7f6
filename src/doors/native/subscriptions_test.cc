#include "doors/native/subscriptions.h"

#include "base/rfc3339.h"
#include "doors/native/native_door_fixture.h"

namespace belfry {
namespace {

constexpr std::string_view kSubscriptionsPath = "/api/v1/subscriptions";
constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string document(std::string_view name, std::string_view more = "") {
    return R"({"name":")" + std::string(name) + R"(","filter":{"types":["deploy"]},)" +
           R"("sink":{"kind":"webhook","url":"http://127.0.0.1:9000/in","secret":")" +
           std::string(kSecret) + R"("})" + std::string(more) + "}";
}

class SubscriptionsTest : public NativeDoorTest {
 protected:
    Answer create(std::string_view name, std::string_view more = "") {
        return ask(
            Method::post,
            kSubscriptionsPath,
            document(name, more),
            {{"Content-Type", "application/json"}}
        );
    }
    static std::string at(std::string_view name) {
        return std::string(kSubscriptionsPath) + "/" + std::string(name);
    }
    static std::string etag(const Answer& answer) {
        std::size_t begin = answer.headers.find("ETag: ") + 6;
        return answer.headers.substr(begin, answer.headers.find("\r\n", begin) - begin);
    }
};

TEST_F(SubscriptionsTest, AreCreatedServedAndShownWithoutTheirSecrets) {
    Answer answer = create("chat");
    EXPECT_EQ(answer.status, 201) << answer.body;
    EXPECT_TRUE(answer.headers.contains("Location: /api/v1/subscriptions/chat\r\n"));
    EXPECT_TRUE(answer.headers.contains("ETag: \""));
    Answer shown = get(at("chat"));
    EXPECT_EQ(shown.status, 200);
    EXPECT_EQ(etag(shown), etag(answer));
    EXPECT_FALSE(shown.body.contains(kSecret));
    for (std::string_view part :
         {R"("name":"chat")",
          R"("state":"active")",
          R"("cursor":0)",
          R"("pending":0)",
          R"("retrying":0)",
          R"("dead":0)",
          R"("circuit":"closed")",
          R"("set":true)"}) {
        EXPECT_TRUE(shown.body.contains(part)) << part << "\n" << shown.body;
    }
    publish("deploy");
    ASSERT_EQ(record_.seen.size(), 1U);
    EXPECT_EQ(record_.seen.front().subscription, "default/chat");
}

TEST_F(SubscriptionsTest, RefuseASecondOfTheSameNameAndBadDocuments) {
    create("chat");
    EXPECT_EQ(create("chat").status, 409);
    EXPECT_EQ(create("web", R"(,"colour":"red")").status, 400);
    EXPECT_TRUE(create("web", R"(,"colour":"red")").body.contains(R"("code":"unknown_field")"));
    EXPECT_EQ(create("web", R"(,"state":"paused")").status, 400);
    EXPECT_EQ(create("Big Name").status, 400);
    EXPECT_EQ(ask(Method::post, kSubscriptionsPath, "{").status, 400);
    EXPECT_EQ(ask(Method::post, kSubscriptionsPath, "").status, 400);
}

TEST_F(SubscriptionsTest, AreListedInPagesByName) {
    for (std::string_view name : {"c", "a", "b"}) {
        ASSERT_EQ(create(name).status, 201);
    }
    std::string all = get(kSubscriptionsPath).body;
    EXPECT_LT(all.find(R"("name":"a")"), all.find(R"("name":"b")"));
    EXPECT_LT(all.find(R"("name":"b")"), all.find(R"("name":"c")"));
    EXPECT_FALSE(all.contains("\"next\""));
    std::string first = get(std::string(kSubscriptionsPath) + "?limit=2").body;
    EXPECT_TRUE(first.ends_with(R"("next":"b"})")) << first;
    std::string second = get(std::string(kSubscriptionsPath) + "?limit=2&after=b").body;
    EXPECT_TRUE(second.contains(R"("name":"c")"));
    EXPECT_FALSE(second.contains(R"("name":"b")") || second.contains("\"next\""));
    EXPECT_EQ(get(std::string(kSubscriptionsPath) + "?after=zzz").body, R"({"subscriptions":[]})");
}

TEST_F(SubscriptionsTest, AreReplacedOnlyOnTheRevisionThatWasSeen) {
    std::string old_tag = etag(create("chat"));
    auto put = [&](std::string_view tag) {
        return ask(Method::put, at("chat"), document("chat"), {{"If-Match", tag}});
    };
    Answer replaced = put(old_tag);
    EXPECT_EQ(replaced.status, 200) << replaced.body;
    EXPECT_NE(etag(replaced), old_tag);
    EXPECT_EQ(put(old_tag).status, 412);
    EXPECT_EQ(put("W/" + etag(replaced)).status, 412);
    EXPECT_EQ(put("nonsense").status, 400);
    EXPECT_EQ(put("*").status, 200);
    EXPECT_EQ(ask(Method::put, at("chat"), document("web")).status, 400);
    EXPECT_EQ(ask(Method::put, at("web"), document("web")).status, 404);
}

TEST_F(SubscriptionsTest, AreRemoved) {
    std::string tag = etag(create("chat"));
    EXPECT_EQ(ask(Method::del, at("chat"), {}, {{"If-Match", "\"999\""}}).status, 412);
    Answer removed = ask(Method::del, at("chat"), {}, {{"If-Match", tag}});
    EXPECT_EQ(removed.status, 204);
    EXPECT_EQ(removed.body, "");
    EXPECT_EQ(get(at("chat")).status, 404);
    EXPECT_EQ(ask(Method::del, at("chat")).status, 404);
}

TEST_F(SubscriptionsTest, ArePausedAndResumed) {
    create("chat");
    Answer paused = ask(Method::post, at("chat/pause"));
    EXPECT_EQ(paused.status, 200) << paused.body;
    EXPECT_TRUE(paused.body.contains(R"("state":"paused")"));
    publish("deploy");
    EXPECT_EQ(record_.seen.size(), 0U);
    EXPECT_TRUE(ask(Method::post, at("chat/resume")).body.contains(R"("state":"active")"));
    EXPECT_EQ(record_.seen.size(), 1U);
    EXPECT_EQ(ask(Method::post, at("nobody/pause")).status, 404);
    EXPECT_EQ(ask(Method::get, at("chat/pause")).status, 405);
}

TEST_F(SubscriptionsTest, AnEndpointThatIsGoneDisablesOnlyWhoStillPointsThere) {
    const Outcome gone{.kind = Outcome::Kind::gone, .status = 410, .error = "answered 410"};
    const auto shows = [&](std::string_view part) { return get(at("chat")).body.contains(part); };
    create("chat");
    publish("deploy");
    publish("deploy");
    ASSERT_EQ(record_.waiting.size(), 2U);

    Subscription elsewhere = *catalog_.find("default/chat");
    std::get<WebhookSink>(elsewhere.sink).url = "http://127.0.0.1:9000/elsewhere";
    catalog_.replace(std::move(elsewhere), Expect{}, [](const auto&) {});
    record_.answer(gone);  // while that is being written
    run();
    EXPECT_TRUE(shows("/elsewhere") && shows(R"("state":"active")")) << get(at("chat")).body;
    record_.answer(gone);  // of the endpoint that it had before
    run();
    EXPECT_TRUE(shows("/elsewhere") && shows(R"("state":"active")")) << get(at("chat")).body;

    publish("deploy");
    ASSERT_EQ(record_.waiting.size(), 1U);
    record_.answer(gone);
    run();
    EXPECT_TRUE(shows("/elsewhere") && shows(R"("state":"disabled")")) << get(at("chat")).body;
}

TEST_F(SubscriptionsTest, ATestAnswersWithTheAttempt) {
    create("chat");
    record_.answer_at_once = [](const auto&) {
        return Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "answered 500"};
    };
    Answer tested = ask(Method::post, at("chat/test"));
    EXPECT_EQ(tested.status, 200) << tested.body;
    EXPECT_TRUE(tested.body.contains(R"("outcome":"failed")"));
    EXPECT_TRUE(tested.body.contains(R"("status":500)"));
    EXPECT_EQ(log_.next_offset(), Offset{0});
    EXPECT_EQ(ask(Method::post, at("nobody/test")).status, 404);
}

TEST_F(SubscriptionsTest, ARotatedSecretIsShownOnce) {
    create("chat");
    Answer rotated = ask(Method::post, at("chat/rotate-secret"));
    EXPECT_EQ(rotated.status, 200) << rotated.body;
    EXPECT_TRUE(rotated.body.starts_with(R"({"secret":"whsec_)")) << rotated.body;
    std::string secret = rotated.body.substr(11, rotated.body.find('"', 11) - 11);
    EXPECT_FALSE(get(at("chat")).body.contains(secret));
}

TEST_F(SubscriptionsTest, TwoSecretsSignForADayUnlessToldOtherwise) {
    create("chat");
    const std::string rotate = at("chat/rotate-secret");
    Answer rotated = ask(Method::post, rotate);
    EXPECT_TRUE(rotated.body.contains(
        "\"previous_until\":\"" + rfc3339(clock_.wall() + std::chrono::hours(24))
    )) << rotated.body;
    EXPECT_TRUE(get(at("chat")).body.contains(R"("previous":{"fingerprint":")"));
    Answer again = ask(Method::post, rotate);
    EXPECT_EQ(again.status, 409) << again.body;
    EXPECT_TRUE(again.body.contains("force")) << again.body;
    EXPECT_EQ(ask(Method::post, rotate, R"({"force":true,"overlap":"1h"})").status, 200);
    pass(std::chrono::hours(1));
    EXPECT_FALSE(get(at("chat")).body.contains("previous")) << "it ended by itself";
    Answer compromised = ask(Method::post, rotate, R"({"overlap":"0s"})");
    EXPECT_EQ(compromised.status, 200) << compromised.body;
    EXPECT_FALSE(compromised.body.contains("previous_until"));
    EXPECT_FALSE(get(at("chat")).body.contains("previous"));
    for (const char* bad : {R"({"overlap":"31d"})", R"({"overlap":5})", R"({"secret":"x"})", "["}) {
        EXPECT_EQ(ask(Method::post, rotate, bad).status, 400) << bad;
    }
    EXPECT_EQ(ask(Method::post, at("nobody/rotate-secret")).status, 404);
}

TEST_F(SubscriptionsTest, AttemptsCanBeNarrowedToAnEventAndAnOutcome) {
    create("chat");
    bool fail_next = true;
    record_.answer_at_once = [&](const auto&) {
        return std::exchange(fail_next, false)
                   ? Outcome{.kind = Outcome::Kind::failed, .status = 500, .error = "answered 500"}
                   : Outcome{.kind = Outcome::Kind::settled, .status = 200};
    };
    publish("deploy", "x", "&id=one");
    publish("deploy", "x", "&id=two");
    pass(std::chrono::seconds(1));
    std::string all = get(at("chat/attempts")).body;
    EXPECT_TRUE(all.contains(R"("offset":0)") && all.contains(R"("offset":1)")) << all;
    std::string failed = get(at("chat/attempts?outcome=failed")).body;
    EXPECT_TRUE(failed.contains(R"("status":500)") && !failed.contains(R"("status":200)"))
        << failed;
    std::string two = get(at("chat/attempts?event=two")).body;
    EXPECT_TRUE(two.contains(R"("offset":1)") && !two.contains(R"("offset":0)")) << two;
    EXPECT_EQ(get(at("chat/attempts?event=three")).status, 404);
    EXPECT_EQ(get(at("chat/attempts?outcome=fine")).status, 400);
    EXPECT_EQ(get(at("nobody/attempts")).status, 404);
}

}  // namespace
}  // namespace belfry
