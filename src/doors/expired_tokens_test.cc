#include "auth/expired_tokens.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

class ExpiredTokensTest : public testing::Test {
 protected:
    ExpiredTokensTest() {
        documents_.start([] {}, [] {});
        loop_.run_all();
    }
    void put(std::string id, std::optional<Duration> expires) {
        Token token{.id = std::move(id), .policies = {"operator"}, .created = clock_.wall()};
        if (expires) {
            token.expires =
                clock_.wall() + std::chrono::duration_cast<std::chrono::microseconds>(*expires);
        }
        documents_.put_token(token, [](const Result<void>& written) { EXPECT_TRUE(written); });
        loop_.run_all();
    }
    bool has(std::string_view id) { return documents_.find_token(id) != nullptr; }
    void pass(Duration by) {
        clock_.advance(by);
        loop_.run_all();
    }

    ManualClock clock_;
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
    AccessDocuments documents_{kv_};
};

TEST_F(ExpiredTokensTest, StayListedForThirtyDaysAndGoThen) {
    put("tk_000000000001", 1h);
    put("tk_000000000002", 48h);
    put("tk_000000000003", std::nullopt);
    ExpiredTokens expired(documents_, clock_);
    expired.start();
    pass(std::chrono::days(30));
    EXPECT_TRUE(has("tk_000000000001"));
    pass(3h);
    EXPECT_FALSE(has("tk_000000000001"));
    EXPECT_TRUE(has("tk_000000000002"));
    pass(48h);
    EXPECT_FALSE(has("tk_000000000002"));
    pass(std::chrono::days(3'650));
    EXPECT_TRUE(has("tk_000000000003")) << "one without an end has none";
    EXPECT_TRUE(documents_.closed());
}

TEST_F(ExpiredTokensTest, AClockThatIsWrongForAMomentRemovesNothing) {
    put("tk_000000000001", 24h);
    ExpiredTokens expired(documents_, clock_);
    clock_.jump_wall(std::chrono::days(400));
    expired.start();
    clock_.jump_wall(-std::chrono::days(400));
    pass(1h);
    EXPECT_TRUE(has("tk_000000000001"));
    clock_.jump_wall(std::chrono::days(400));
    pass(1h);
    EXPECT_TRUE(has("tk_000000000001")) << "found overdue once";
    pass(1h);
    EXPECT_FALSE(has("tk_000000000001"));
}

TEST_F(ExpiredTokensTest, ADiskThatFailsIsTriedAgain) {
    put("tk_000000000001", 1h);
    ExpiredTokens expired(documents_, clock_);
    expired.start();
    pass(std::chrono::days(30) + 1h);
    kv_.device().fail_writes({.code = Errc::disk_full, .detail = "full"});
    testing::internal::CaptureStderr();
    pass(1h);
    EXPECT_TRUE(testing::internal::GetCapturedStderr().contains("cannot be removed"));
    EXPECT_TRUE(has("tk_000000000001"));
    pass(1h);
    EXPECT_FALSE(has("tk_000000000001"));
}

}  // namespace
}  // namespace belfry
