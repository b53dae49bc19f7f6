#include "doors/native/policies.h"

#include "doors/native/closed_hub_fixture.h"

namespace belfry {
namespace {

constexpr const char* kPoliciesPath = "/api/v1/policies";
constexpr const char* kTokensPath = "/api/v1/tokens";

class PoliciesTest : public ClosedHubTest {
 protected:
    void SetUp() override {
        close();
        policy("ci", R"({"event_prefix":{"deploy":"write"}})");
        authorization_ = "Bearer " + operator_;
    }
    Answer change(Method method, std::string_view body, std::string_view if_match) {
        Headers headers{{"Authorization", authorization_}};
        if (!if_match.empty()) {
            headers.push_back({"If-Match", if_match});
        }
        return ask(method, "/api/v1/policies/ci", body, std::move(headers));
    }
    std::string tag() {
        const Answer answer = ask_as(operator_, Method::get, "/api/v1/policies/ci");
        const std::size_t begin = answer.headers.find("ETag: ");
        EXPECT_NE(begin, std::string::npos) << answer.headers;
        return answer.headers.substr(begin + 6, answer.headers.find('\r', begin) - begin - 6);
    }
    std::string authorization_;
};

constexpr const char* kRead = R"({"name":"ci","rules":{"event_prefix":{"deploy":"read"}}})";

TEST_F(PoliciesTest, AReplacementCanNameTheRevisionItReplaces) {
    const std::string old_tag = tag();
    EXPECT_EQ(change(Method::put, kRead, old_tag).status, 200);
    EXPECT_NE(tag(), old_tag);
    const Answer late = change(Method::put, R"({"name":"ci","rules":{}})", old_tag);
    EXPECT_EQ(late.status, 412);
    EXPECT_TRUE(late.body.contains("precondition_failed")) << late.body;
    EXPECT_TRUE(ask_as(operator_, Method::get, "/api/v1/policies/ci").body.contains("deploy"));
    EXPECT_EQ(change(Method::put, kRead, "nonsense").status, 400);
    EXPECT_EQ(change(Method::put, kRead, "*").status, 200);
    EXPECT_EQ(change(Method::put, kRead, "").status, 200);
}

TEST_F(PoliciesTest, ARemovedOneIsGoneAndOneThatTokensNameStays) {
    const std::string user = token("ci");
    const std::string user_id = last_id_;
    const Answer used = change(Method::del, "", "");
    EXPECT_EQ(used.status, 409);
    EXPECT_TRUE(used.body.contains("tokens name this policy")) << used.body;
    EXPECT_EQ(ask_as(user, Method::post, "/api/v1/events?type=deploy", "x").status, 200);
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/" + user_id).status, 204);
    EXPECT_EQ(change(Method::del, "", "\"999\"").status, 412);
    EXPECT_EQ(change(Method::del, "", tag()).status, 204);
    EXPECT_EQ(ask_as(operator_, Method::get, "/api/v1/policies/ci").status, 404);
    EXPECT_EQ(change(Method::del, "", "").status, 404);
    EXPECT_EQ(ask_as(operator_, Method::post, kTokensPath, R"({"policies":["ci"]})").status, 400);
    EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/policies/operator").status, 409);
}

TEST_F(PoliciesTest, OneOnEveryEventTypeIsWorthALine) {
    auto logged = [&](const std::string& name, const std::string& rules) {
        testing::internal::CaptureStderr();
        policy(name, rules);
        return testing::internal::GetCapturedStderr();
    };
    const std::string words = "a policy allows something on every event type";
    const std::string all = logged("all", R"({"event_prefix":{"":"read"}})");
    EXPECT_TRUE(all.contains(words + " policy=all tenant=default rule=read")) << all;
    EXPECT_FALSE(logged("some", R"({"event_prefix":{"d":"write"}})").contains(words));
    EXPECT_FALSE(logged("none", R"({"event_prefix":{"":"deny"}})").contains(words));
}

TEST_F(PoliciesTest, MembersThatAreNotKnownAreRefusedByName) {
    const std::string rules = R"("rules":{"event_prefix":{"deploy":"write"}})";
    for (const auto& [target, body, field] :
         {std::tuple<std::string, std::string, std::string>{
              kPoliciesPath, R"({"name":"x",)" + rules + R"(,"admin":true})", "admin"
          },
          {kPoliciesPath, R"({"name":"x",)" + rules + R"(,"revision":7})", "revision"},
          {kPoliciesPath, R"({"name":"x","rules":{"evnt":{"a":"read"}}})", "rules.evnt"},
          {kTokensPath, R"({"policies":["ci"],"id":"tk_000000000000"})", "id"},
          {kTokensPath, R"({"policies":["ci"],"secret":"belfry_"})", "secret"},
          {kTokensPath, R"({"policies":["ci"],"hash":""})", "hash"},
          {kTokensPath, R"({"policies":["ci"],"created_by":"open"})", "created_by"},
          {kTokensPath, R"({"policies":["ci"],"expire":"1h"})", "expire"}}) {
        const Answer answer = ask_as(operator_, Method::post, target, body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_TRUE(answer.body.contains(R"("code":"unknown_field")")) << body << answer.body;
        EXPECT_TRUE(answer.body.contains(R"("field":")" + field + '"')) << body << answer.body;
    }
    EXPECT_EQ(change(Method::put, R"({"name":"ci","rules":{},"tennant":"x"})", "").status, 400);
    const std::string listed = ask_as(operator_, Method::get, kTokensPath).body;
    EXPECT_EQ(listed.find("tk_", listed.find("tk_") + 3), std::string::npos) << "one token only";
}

}  // namespace
}  // namespace belfry
