#include "engine/lease.h"

#include "base/manual_clock.h"
#include "engine/memory_kv.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Standing = Lease::Standing;

class LeaseTest : public testing::Test {
 protected:
    std::unique_ptr<Lease> lease(const std::string& holder) {
        auto made = std::make_unique<Lease>(
            kv_, clock_, LeaseOptions{.key = kKey, .holder = holder, .time_to_live = 15s}
        );
        made->begin();
        run();
        return made;
    }
    void run() { loop_.run_all(); }
    void pass(Duration time) {
        for (; time > Duration::zero(); time -= 500ms) {
            clock_.advance(500ms);
            run();
        }
    }
    std::optional<KvEntry> document() {
        std::optional<KvEntry> found;
        kv_.get(kKey, [&](Result<KvEntry> entry) {
            if (entry) {
                found = *std::move(entry);
            }
        });
        run();
        return found;
    }
    void write(const std::string& text) {
        kv_.put(kKey, text, {}, [](auto) {});
        run();
    }

    const std::string kKey = "leases/x";
    ManualClock clock_;
    ManualExecutor loop_;
    MemoryKv kv_{loop_};
};

TEST_F(LeaseTest, WhoIsAloneHoldsItAndGoesOnHoldingIt) {
    Lease lease(kv_, clock_, {.key = kKey, .holder = "a", .time_to_live = 15s});
    run();
    EXPECT_FALSE(document().has_value()) << "nothing is written before begin()";
    EXPECT_EQ(lease.standing(), Standing::unknown);
    lease.begin();
    lease.begin();
    EXPECT_EQ(lease.standing(), Standing::unknown) << "nobody answered yet";
    run();
    EXPECT_EQ(lease.standing(), Standing::held);
    const Revision first = document()->revision;
    for (int i = 0; i < 100; ++i) {
        pass(1s);
        ASSERT_EQ(lease.standing(), Standing::held) << i;
    }
    const std::uint64_t renewals = document()->revision.value - first.value;
    EXPECT_GE(renewals, 18U) << "every third of 15 s";
    EXPECT_LE(renewals, 20U);
}

TEST_F(LeaseTest, WhileAnotherHoldsItItIsElsewhere) {
    auto a = lease("a");
    auto b = lease("b");
    for (int i = 0; i < 60; ++i) {
        ASSERT_EQ(a->standing(), Standing::held) << i;
        ASSERT_EQ(b->standing(), Standing::elsewhere) << i;
        pass(1s);
    }
}

TEST_F(LeaseTest, AnotherTakesOverWithinTheTimeToLive) {
    auto a = lease("a");
    auto b = lease("b");
    pass(7s);
    a.reset();  // dies without a word, a renewal at 5 s behind it
    pass(12s);
    EXPECT_EQ(b->standing(), Standing::elsewhere) << "it may still act";
    pass(2s);
    EXPECT_EQ(b->standing(), Standing::held);
    auto again = lease("a");
    EXPECT_EQ(again->standing(), Standing::elsewhere);
}

TEST_F(LeaseTest, WhoGivesItUpIsFollowedAtOnce) {
    auto a = lease("a");
    auto b = lease("b");
    a->release();
    EXPECT_EQ(a->standing(), Standing::unknown);
    run();
    EXPECT_EQ(b->standing(), Standing::held);
    pass(30s);
    EXPECT_EQ(a->standing(), Standing::elsewhere) << "it does not try again";
}

TEST_F(LeaseTest, TheDocumentOfOnesOwnLastRunDoesNotMakeItWait) {
    lease("a").reset();
    ASSERT_TRUE(document().has_value());
    EXPECT_EQ(lease("a")->standing(), Standing::held);
}

TEST_F(LeaseTest, WhoCannotRenewItHoldsItNoLonger) {
    auto a = lease("a");
    kv_.device().fail_writes({.code = Errc::unavailable, .detail = "no disk"}, 1'000);
    pass(14s);
    EXPECT_EQ(a->standing(), Standing::held);
    pass(2s);
    EXPECT_EQ(a->standing(), Standing::unknown);
    kv_.device().heal();
    pass(3s);
    EXPECT_EQ(a->standing(), Standing::held) << "it went on trying";
}

TEST_F(LeaseTest, OnlyOneOfTwoThatTryAtOnceGetsIt) {
    Lease a(kv_, clock_, {.key = kKey, .holder = "a"});
    Lease b(kv_, clock_, {.key = kKey, .holder = "b"});
    a.begin();
    b.begin();
    run();
    EXPECT_EQ(a.standing(), Standing::held);
    EXPECT_EQ(b.standing(), Standing::elsewhere);
}

TEST_F(LeaseTest, AHolderThatWasOvertakenKnowsIt) {
    auto a = lease("a");
    write(R"({"holder":"b","ttl_ms":15000})");
    EXPECT_EQ(a->standing(), Standing::elsewhere);
    kv_.remove(kKey, {}, [](auto) {});
    run();
    EXPECT_EQ(a->standing(), Standing::held);
}

TEST_F(LeaseTest, ADocumentThatSaysNothingIsSomebodyElses) {
    for (const char* text : {"", "[]", R"({"holder":7,"ttl_ms":1})", R"({"holder":"a"})"}) {
        write(text);
        auto a = lease("a");
        EXPECT_EQ(a->standing(), Standing::elsewhere) << text;
        pass(16s);
        EXPECT_EQ(a->standing(), Standing::held) << text;
    }
    write(R"({"holder":"b","ttl_ms":18446744073709551615})");
    auto a = lease("a");
    pass(1h);
    EXPECT_EQ(a->standing(), Standing::held) << "an hour at most";
}

TEST_F(LeaseTest, OtherDocumentsAreNotLookedAt) {
    kv_.put(kKey + "y", R"({"holder":"b","ttl_ms":15000})", {}, [](auto) {});
    EXPECT_EQ(lease("a")->standing(), Standing::held);
}

}  // namespace
}  // namespace belfry
