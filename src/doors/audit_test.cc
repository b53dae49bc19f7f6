#include "doors/audit.h"

#include "base/logging.h"
#include "doors/native/closed_hub_fixture.h"

namespace belfry {
namespace {

using namespace std::chrono_literals;

class AuditTest : public ClosedHubTest {
 protected:
    AuditTest() {
        peer_ = "10.0.0.7";
        set_up_logging(LogLevel::info, LogFormat::text);  // what other tests logged counts no more
    }

    // What was written to the log meanwhile and has `word`, from behind it on.
    std::vector<std::string> logged(std::string_view word, auto acts) {
        testing::internal::CaptureStderr();
        acts();
        log_left_out(LeftOutLines::all);
        std::string log = testing::internal::GetCapturedStderr();
        std::vector<std::string> lines;
        std::size_t end = 0;
        for (std::size_t begin = 0; (end = log.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            std::string line = log.substr(begin, end - begin);
            if (std::size_t at = line.find(word); at != std::string::npos) {
                lines.push_back(line.substr(at + word.size()));
            }
        }
        return lines;
    }
    std::vector<std::string> audited(auto acts) { return logged(" audit ", acts); }
    // As the server does with a request that it does not take.
    void refuse(Method method, std::string_view target, int status) {
        HttpRequest head{.method = method, .method_text = name_of(method), .target = target};
        head.path = status == 400 ? "" : target;
        head.peer = peer_;
        auto [exchange, number] = connection_.open();
        router_->refuse(
            head, status, Error{.code = Errc::too_large, .detail = "no"}, std::move(exchange)
        );
        EXPECT_FALSE(connection_.answer(number).dropped);
    }
    std::string line(
        const std::string& who,
        const std::string& act,
        const std::string& result,
        const std::string& tenant = "default"
    ) {
        return "token=" + who + " tenant=" + tenant + " " + act + " peer=10.0.0.7 result=" + result;
    }
    using Lines = std::vector<std::string>;
};

constexpr const char* kTokens = "/api/v1/tokens";
constexpr const char* kPolicies = "/api/v1/policies";
constexpr const char* kSubscription =
    R"({"name":"chat","sink":{"kind":"webhook","url":"http://127.0.0.1:9/?key=canary"}})";

TEST_F(AuditTest, NamesWhoDidWhatFromWhereAndWhatCameOfIt) {
    EXPECT_EQ(
        audited([&] { close(); }),
        Lines{line("none", "method=POST path=/api/v1/tokens", "done status=201")}
    );
    const std::string id = member(ask_as(operator_, Method::get, kTokens).body, "id");
    EXPECT_EQ(
        audited([&] {
            ask_as(operator_, Method::post, "/api/v1/subscriptions?q=canary", kSubscription);
            ask_as(operator_, Method::post, "/api/v1/subscriptions", kSubscription);
            ask_as(operator_, Method::post, "/api/v1/subscriptions", "{");
            ask_as(operator_, Method::del, "/api/v1/subscriptions/chat");
            ask_as(operator_, Method::del, "/api/v1/dead-letters/1");
        }),
        (Lines{
            line(id, "method=POST path=/api/v1/subscriptions", "failed status=400"),
            line(id, "method=POST path=/api/v1/subscriptions", "done status=201"),
            line(id, "method=POST path=/api/v1/subscriptions", "failed status=400"),
            line(id, "method=DELETE path=/api/v1/subscriptions/chat", "done status=204"),
            line(id, "method=DELETE path=/api/v1/dead-letters/1", "failed status=404"),
        })
    ) << "and nothing of queries and bodies";
}

TEST_F(AuditTest, NamesWhoWasRefused) {
    close();
    policy("few", R"({"event_prefix":{"":"write"}})");
    const std::string few = token("few");
    const std::string few_id = last_id_;
    policy("lead", R"({"token":"write"})", R"(,"tenant":"acme")");
    const std::string lead = token("lead", R"(,"tenant":"acme")");
    const std::string lead_id = last_id_;
    const std::string wide = R"({"name":"wide","rules":{"event_prefix":{"":"write"}}})";
    EXPECT_EQ(
        audited([&] {
            ask_as(few, Method::post, kPolicies, wide);
            ask_as(lead, Method::post, kPolicies, wide);
            ask_as("", Method::del, "/api/v1/tokens/" + few_id);
            ask_as("belfry_nonsense", Method::del, "/api/v1/tokens/" + few_id);
        }),
        (Lines{
            line(few_id, "method=POST path=/api/v1/policies", "denied status=403"),
            line(lead_id, "method=POST path=/api/v1/policies", "denied status=403", "acme"),
            line("none", "method=DELETE path=/api/v1/tokens/" + few_id, "denied status=401"),
            line("none", "method=DELETE path=/api/v1/tokens/" + few_id, "denied status=401"),
        })
    ) << "a right that is missing, one that is not his to give, no token, a wrong one";
}

TEST_F(AuditTest, NamesAForeignPage) {
    EXPECT_EQ(
        audited([&] {
            ask(Method::post,
                kTokens,
                R"({"policies":["operator"]})",
                {{"Origin", "http://evil.example"}});
        }),
        Lines{line("none", "method=POST path=/api/v1/tokens", "denied status=403")}
    );
}

TEST_F(AuditTest, IsSilentAboutEventsAndWhatIsOnlyRead) {
    close();
    EXPECT_EQ(
        audited([&] {
            ask_as(operator_, Method::post, "/api/v1/events?type=t", "x");
            ask_as("", Method::post, "/api/v1/events?type=t", "x");
            ask_as(operator_, Method::get, kTokens);
            ask_as("", Method::get, kTokens);
            ask_as("", Method::post, "/api/v1/nothing");
        }),
        Lines{}
    );
}

TEST_F(AuditTest, NamesWhatWasRefusedBeforeItWasKnownWhoAsks) {
    close();
    EXPECT_EQ(
        audited([&] {
            EXPECT_EQ(ask_as(operator_, Method::post, "/api/v1/tokens?x=%zz").status, 400);
            EXPECT_EQ(ask_as(operator_, Method::del, "/api/v1/tokens/%zz").status, 400);
            refuse(Method::post, "/api/v1/tokens", 413);
            refuse(Method::put, "/v1/agent/service/register", 408);
            refuse(Method::del, "/api/v1/tokens/%00?x", 400);
            refuse(Method::put, "/v1/agent/./service/register", 400);
            EXPECT_EQ(ask(Method::put, "/v1/agent/service/register?a;b").status, 500);
            EXPECT_EQ(ask(Method::put, "/v1/agent/service/deregister/%01").status, 400);
            EXPECT_EQ(ask(Method::put, "/v1/agent/service/deregister/a%01b?a;b").status, 400);
        }),
        (Lines{
            line("none", "method=POST path=/api/v1/tokens", "failed status=400"),
            line("none", "method=DELETE path=/api/v1/tokens/%zz", "failed status=400"),
            line("none", "method=POST path=/api/v1/tokens", "failed status=413"),
            line("none", "method=PUT path=/v1/agent/service/register", "failed status=408"),
            line("none", "method=DELETE path=/api/v1/tokens/%00", "failed status=400"),
            line("none", "method=PUT path=/v1/agent/./service/register", "failed status=301"),
            line("none", "method=PUT path=/v1/agent/service/register", "failed status=500"),
            line("none", "method=PUT path=/v1/agent/service/deregister/%01", "failed status=400"),
            line("none", "method=PUT path=/v1/agent/service/deregister/a%01b", "failed status=400"),
        })
    ) << "a query and a path that cannot be read, and what the server does not take";
    EXPECT_EQ(
        audited([&] {
            ask_as(operator_, Method::get, "/api/v1/tokens?x=%zz");
            ask_as(operator_, Method::get, "/api/v1/tokens/%zz");
            ask_as(operator_, Method::post, "/api/v1/events?type=%zz", "x");
            refuse(Method::get, "/api/v1/tokens", 413);
            refuse(Method::post, "/api/v1/events", 413);
            ask(Method::put, "/v1/event/fire/x?a;b");
            ask(Method::get, "/v1/agent/services?a;b");
            ask(Method::put, "/v1//agent/nothing");
            refuse(Method::other, "", 400);
        }),
        Lines{}
    );
}

TEST_F(AuditTest, WhatStrangersTryInVainLeavesRoomForWhatIsDone) {
    constexpr int kTries = 1000;
    close();
    const std::string id = member(ask_as(operator_, Method::get, kTokens).body, "id");
    const Lines lines = logged("audit ", [&] {
        for (int i = 0; i < kTries; i += 4) {
            ask_as("", Method::del, "/api/v1/tokens/x");
            ask_as("belfry_nonsense", Method::del, "/api/v1/tokens/x");
            ask_as("", Method::post, "/api/v1/tokens?x=%zz");
            refuse(Method::post, "/api/v1/tokens", 413);
        }
        ask_as(operator_, Method::post, "/api/v1/subscriptions", kSubscription);
    });
    int tried = 0;
    int left_out = 0;
    int others = 0;
    for (const std::string& each : lines) {
        if (each.starts_with("lines=")) {
            left_out += std::stoi(each.substr(6));
        } else if (each.starts_with("token=none ")) {
            ++tried;
        } else {
            EXPECT_EQ(each, line(id, "method=POST path=/api/v1/subscriptions", "done status=201"));
            ++others;
        }
    }
    EXPECT_EQ(others, 1);
    EXPECT_GE(tried, 10);
    EXPECT_LT(tried, kTries / 2) << "ten a second";
    EXPECT_EQ(tried + left_out, kTries);
}

TEST_F(AuditTest, APathCannotForgeALine) {
    close();
    const Lines lines = audited([&] {
        ask_as(operator_, Method::del, "/api/v1/subscriptions/a\" token=tk_1 result=done");
    });
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(
        lines.front().contains(R"( path="/api/v1/subscriptions/a\" token=tk_1 result=done" peer=)")
    ) << lines.front();
}

// The answer of a handler that lost its exchange is the server's 500.
TEST(Audit, AnActThatIsNotAnsweredFailed) {
    RecordingConnection connection;
    Audit audit;
    auto [exchange, number] = connection.open();
    HttpRequest request{.method_text = "PUT", .path = "/api/v1/policies/p", .peer = "10.0.0.7"};
    testing::internal::CaptureStderr();
    {
        Exchange watched = audit.watch(request, Caller{.token_id = "tk_1"}, std::move(exchange));
    }
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(
        log.contains("token=tk_1 tenant=default method=PUT path=/api/v1/policies/p peer=10.0.0.7 "
                     "result=failed status=500")
    ) << log;
    EXPECT_TRUE(connection.answer(number).dropped);
}

}  // namespace
}  // namespace belfry
