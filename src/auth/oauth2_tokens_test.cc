#include "auth/oauth2_tokens.h"

#include "base/manual_clock.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class OAuth2TokensTest : public testing::Test {
 protected:
    // What was asked for goes to `got_`: a token, "kept " and a token, or what went wrong.
    void get(const OAuth2Auth& client, Duration timeout = 15s) {
        tokens_.get(client, timeout, [this](Result<AccessToken> token) {
            got_.push_back(
                !token ? token.error().detail : (token->was_kept ? "kept " : "") + token->text
            );
        });
    }
    void answer(Result<HttpReply> reply) {
        ASSERT_FALSE(calls_.empty());
        HttpReplyDone done = std::move(calls_.front().second);
        calls_.erase(calls_.begin());
        done(std::move(reply));
    }
    static HttpReply reply(int status, std::string body) {
        HttpReply reply;
        reply.status = status;
        reply.body = std::move(body);
        return reply;
    }
    static HttpReply token(const std::string& text, int seconds = 3600) {
        return reply(
            200,
            R"({"access_token":")" + text + R"(","token_type":"bearer","expires_in":)" +
                std::to_string(seconds) + "}"
        );
    }
    static OAuth2Auth client(const std::string& secret = "s3cr3t") {
        return {"http://issuer:9000/t?x=1", "id", secret, "a b"};
    }

    ManualClock clock_;
    Limits limits_;
    std::vector<std::pair<HttpCall, HttpReplyDone>> calls_;
    std::vector<std::string> got_;
    OAuth2Tokens tokens_{
        {.send = [this](
                     HttpCall call, HttpReplyDone done
                 ) { calls_.emplace_back(std::move(call), std::move(done)); },
         .clock = clock_,
         .limits = limits_,
         .user_agent = "Belfry/9.9"}
    };
};

TEST_F(OAuth2TokensTest, AsksAsTheStandardSays) {
    OAuth2Auth odd{"http://issuer:9000/t?x=1", "a:b c", "ö%&=+", "read write"};
    get(odd);
    const HttpCall& call = calls_.at(0).first;
    EXPECT_EQ(call.host, "issuer");
    EXPECT_EQ(call.port, 9000);
    EXPECT_EQ(
        call.head,
        "POST /t?x=1 HTTP/1.1\r\nHost: issuer:9000\r\nUser-Agent: Belfry/9.9\r\n"
        // a%3Ab+c:%C3%B6%25%26%3D%2B
        "Authorization: Basic YSUzQWIrYzolQzMlQjYlMjUlMjYlM0QlMkI=\r\n"
        "Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 46\r\n\r\n"
    );
    EXPECT_EQ(call.body, "grant_type=client_credentials&scope=read+write");
    EXPECT_NE(call.body_owner, nullptr);
}

TEST_F(OAuth2TokensTest, OneRequestServesAllWhoWait) {
    get(client());
    get(client());
    get(client());
    ASSERT_EQ(calls_.size(), 1U);
    answer(token("t1"));
    EXPECT_EQ(got_, (std::vector<std::string>{"t1", "t1", "t1"}));
    get(client());
    EXPECT_EQ(got_.back(), "kept t1");
    EXPECT_EQ(calls_.size(), 0U);
}

TEST_F(OAuth2TokensTest, NobodyGetsTheTokenOfAnotherSecretScopeOrPlace) {
    get(client());
    answer(token("t1"));
    OAuth2Auth other = client();
    other.scope = "a";
    get(other);
    get(client("guessed"));
    other = client();
    other.client_id = "id2";
    get(other);
    other = client();
    other.token_url = "http://other/";
    get(other);
    EXPECT_EQ(calls_.size(), 4U);
    EXPECT_EQ(got_.size(), 1U);
}

TEST_F(OAuth2TokensTest, IsRenewedBeforeItExpires) {
    get(client());
    answer(token("t1", 3600));
    clock_.advance(3539s);
    get(client());
    EXPECT_EQ(got_.back(), "kept t1");
    clock_.advance(1s);
    get(client());
    ASSERT_EQ(calls_.size(), 1U) << "a minute before";
    answer(token("t2", 40));
    EXPECT_EQ(got_.back(), "t2");
    clock_.advance(29s);
    get(client());
    EXPECT_EQ(got_.back(), "kept t2");
    clock_.advance(1s);
    get(client());
    EXPECT_EQ(calls_.size(), 1U) << "a quarter of a short life before";
}

TEST_F(OAuth2TokensTest, WhenItCannotBeRenewedTheOldOneIsUsedToItsEnd) {
    get(client());
    answer(token("t1", 3600));
    clock_.advance(3550s);
    get(client());
    answer(reply(503, ""));
    EXPECT_EQ(got_.back(), "kept t1");
    clock_.advance(50s);
    get(client());
    answer(reply(503, ""));
    EXPECT_EQ(got_.back(), "the token URL: answered 503");
}

TEST_F(OAuth2TokensTest, ARefusedTokenIsForgottenButNotItsSuccessor) {
    get(client());
    answer(token("t1"));
    tokens_.forget(client(), "t0");
    get(client());
    EXPECT_EQ(got_.back(), "kept t1");
    tokens_.forget(client(), "t1");
    get(client());
    answer(token("t2"));
    tokens_.forget(client(), "t1");
    get(client());
    EXPECT_EQ(got_.back(), "kept t2");
}

TEST_F(OAuth2TokensTest, NobodyWaitsLongerThanAllowed) {
    get(client(), 2s);
    get(client(), 5s);
    clock_.advance(2s);
    EXPECT_EQ(got_, std::vector<std::string>{"timed out while waiting for it"});
    answer(token("t1"));
    EXPECT_EQ(got_.size(), 2U);
    EXPECT_EQ(got_.back(), "t1");
    clock_.advance(10s);
    EXPECT_EQ(got_.size(), 2U) << "and is told once";
}

TEST_F(OAuth2TokensTest, FailuresAreToldAndTheNextOneAsksAgain) {
    get(client());
    answer(fail(Errc::denied, "blocked_address: no"));
    EXPECT_EQ(got_.back(), "the token URL: blocked_address: no");
    get(client());
    answer(reply(401, R"({"error":"invalid_client","error_description":"s3cr3t is wrong"})"));
    EXPECT_EQ(got_.back(), "the token URL: answered 401 (invalid_client)");
    get(client());
    answer(reply(302, ""));
    EXPECT_EQ(got_.back(), "the token URL: answered 302") << "redirects are not followed";
    get(client());
    answer(reply(400, R"({"error":"<script>"})"));
    EXPECT_EQ(got_.back(), "the token URL: answered 400");
    get(client());
    answer(reply(200, "<html>"));
    EXPECT_EQ(got_.back(), "the token URL: the answer is not JSON");
    get(client());
    answer(token("t1"));
    EXPECT_EQ(got_.back(), "t1");
    for (const std::string& told : got_) {
        EXPECT_THAT(told, Not(HasSubstr("s3cr3t")));
    }
}

TEST_F(OAuth2TokensTest, WhoHearsOfAFailureMayAskAgainAtOnce) {
    tokens_.get(client(), 15s, [this](const Result<AccessToken>& token) {
        EXPECT_FALSE(token.has_value());
        get(client());
    });
    answer(reply(500, ""));
    ASSERT_EQ(calls_.size(), 1U);
    answer(token("t1"));
    EXPECT_EQ(got_, std::vector<std::string>{"t1"});
}

TEST(TokenAnswer, IsReadStrictlyWhereItMatters) {
    const Limits limits;
    auto lifetime = [&](const std::string& members) -> std::int64_t {
        Result<TokenAnswer> answer = parse_token_answer(
            R"({"access_token":"t","token_type":"Bearer","extra":[1])" + members + "}", limits
        );
        return answer ? answer->lifetime.count() : -1;
    };
    EXPECT_EQ(lifetime(""), 300);
    EXPECT_EQ(lifetime(R"(,"expires_in":null)"), 300);
    EXPECT_EQ(lifetime(R"(,"expires_in":120)"), 120);
    EXPECT_EQ(lifetime(R"(,"expires_in":"120")"), 120);
    EXPECT_EQ(lifetime(R"(,"expires_in":9000000000000)"), 86'400);
    for (const char* bad : {"0", "-1", "\"1h\"", "\"\"", "1.5", "true", "[]"}) {
        EXPECT_EQ(lifetime(R"(,"expires_in":)" + std::string(bad)), -1) << bad;
    }
    for (const std::string& bad :
         {std::string("[]"),
          std::string("{}"),
          std::string(R"({"access_token":"t"})"),
          std::string(R"({"access_token":"t","token_type":"mac"})"),
          std::string(R"({"access_token":"","token_type":"bearer"})"),
          std::string(R"({"access_token":5,"token_type":"bearer"})"),
          std::string(R"({"access_token":"a b","token_type":"bearer"})"),
          std::string(R"({"access_token":"a\r\nX: y","token_type":"bearer"})"),
          std::string(R"({"access_token":"t","access_token":"u","token_type":"bearer"})"),
          R"({"token_type":"bearer","access_token":")" + std::string(16'385, 'a') + "\"}"}) {
        EXPECT_FALSE(parse_token_answer(bad, limits).has_value()) << bad.substr(0, 80);
    }
}

}  // namespace
}  // namespace belfry
