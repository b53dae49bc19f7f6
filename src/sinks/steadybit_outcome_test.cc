#include "sinks/steadybit_outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using testing::HasSubstr;

SteadybitAnswer judge(
    int status, std::string body = {}, std::vector<std::pair<std::string, std::string>> headers = {}
) {
    HttpReply reply;
    reply.status = status;
    reply.body = std::move(body);
    reply.headers = std::move(headers);
    return steadybit_outcome(reply, WallTime{});
}

TEST(SteadybitOutcome, AnySuccessSettlesWhateverTheBody) {
    for (int status : {200, 201, 202, 204, 299}) {
        for (const char* body : {"", "{}", "\"{}\"\n", "<html>", "{\"eventName\":"}) {
            const SteadybitAnswer answer = judge(status, body);
            EXPECT_EQ(answer.outcome.kind, Kind::settled) << status << body;
            EXPECT_EQ(answer.warning, "") << body;
        }
    }
}

TEST(SteadybitOutcome, AnIndexForAnAnswerIsWarnedOf) {
    for (const char* body :
         {R"({"eventListeners":null})", " \n{\"actions\":[],\"eventListeners\":[{\"path\":\"/"}) {
        const SteadybitAnswer answer = judge(200, body);
        EXPECT_EQ(answer.outcome.kind, Kind::settled);
        EXPECT_THAT(answer.warning, HasSubstr("path probably not served")) << body;
    }
    EXPECT_EQ(judge(200, R"(["eventListeners"])").warning, "");
}

TEST(SteadybitOutcome, OfALongIndexOtherListsThanThatOfListenersTell) {
    for (const char* list : {"actions", "discoveries"}) {
        HttpReply reply;
        reply.status = 200;
        reply.body = std::string("{\"") + list + "\":[{\"path\":\"/a";
        EXPECT_EQ(steadybit_outcome(reply, WallTime{}).warning, "") << "it is no index";
        reply.body_truncated = true;
        EXPECT_THAT(
            steadybit_outcome(reply, WallTime{}).warning, HasSubstr("path probably not served")
        );
    }
    HttpReply other;
    other.status = 200;
    other.body = R"({"answer":"long)";
    other.body_truncated = true;
    EXPECT_EQ(steadybit_outcome(other, WallTime{}).warning, "");
}

TEST(SteadybitOutcome, EachStatusHasItsKind) {
    for (int status : {400, 413, 415, 422}) {
        EXPECT_EQ(judge(status).outcome.kind, Kind::rejected) << status;
    }
    EXPECT_EQ(judge(410).outcome.kind, Kind::gone);
    for (int status : {408, 425, 429, 502, 503, 504}) {
        EXPECT_EQ(judge(status).outcome.kind, Kind::failed) << status;
    }
    for (int status : {301, 302, 304, 307, 308, 401, 403, 404, 405, 409, 500, 501, 505}) {
        EXPECT_EQ(judge(status).outcome.kind, Kind::unclear) << status;
    }
    const SteadybitAnswer none =
        steadybit_outcome(fail(Errc::unavailable, "connection refused"), WallTime{});
    EXPECT_EQ(none.outcome.kind, Kind::failed);
    EXPECT_EQ(none.outcome.status, 0U);
    EXPECT_EQ(none.outcome.error, "connection refused");
}

TEST(SteadybitOutcome, TellsTitleAndDetailOfTheExtensionsError) {
    EXPECT_EQ(
        judge(500, R"({"title":"Failed to decode","detail":"bad é"})").outcome.error,
        "answered 500 Internal Server Error: Failed to decode: bad é"
    );
    EXPECT_EQ(
        judge(500, R"({"detail":7,"title":"Down"})").outcome.error,
        "answered 500 Internal Server Error: Down"
    );
    for (const char* body : {"", "Timeout", "[]", "{", R"({"title":""})"}) {
        EXPECT_EQ(judge(500, body).outcome.error, "answered 500 Internal Server Error") << body;
    }
    const Outcome long_one = judge(500, R"({"title":")" + std::string(60'000, 'x') + "\"}").outcome;
    EXPECT_LT(long_one.error.size(), 600U);
    EXPECT_EQ(long_one.response.size(), 1024U);
    EXPECT_EQ(judge(503, "Timeout").outcome.response, "Timeout");
}

TEST(SteadybitOutcome, RetryAfterIsKept) {
    for (int status : {429, 500, 503}) {
        EXPECT_EQ(judge(status, "", {{"retry-after", "7"}}).outcome.retry_after, 7s) << status;
    }
    for (int status : {200, 400, 410}) {
        EXPECT_FALSE(judge(status, "", {{"retry-after", "7"}}).outcome.retry_after) << status;
    }
}

TEST(SteadybitOutcome, ARedirectNamesItsTargetWithoutItsSecrets) {
    const auto told = [](const std::string& location) {
        return judge(302, "", {{"location", location}}).outcome.error;
    };
    EXPECT_EQ(
        told("/events/rec?token=s3cr3t"), "answered 302 Found to /events/rec, which is not followed"
    );
    EXPECT_EQ(
        told("https://other.example:8443/in?token=s3cr3t#x"),
        "answered 302 Found to https://other.example:8443/in, which is not followed"
    );
    for (const char* location :
         {"", "https://u:s3cr3t@other/", "//u:s3cr3t@other/", "javascript:s3cr3t"}) {
        EXPECT_EQ(told(location), "answered 302 Found, which is not followed") << location;
    }
    EXPECT_THAT(judge(301).outcome.error, HasSubstr("not followed"));
}

}  // namespace
}  // namespace belfry
