// What becomes of delivery's memory when a hub meets a subscription that another version stored.
#include "base/manual_clock.h"
#include "base/seeded_rng.h"
#include "engine/memory_kv.h"
#include "engine/memory_log.h"
#include "engine/memory_state.h"
#include "hub/append_events.h"
#include "hub/hub.h"
#include "hub/recording_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class HubStartTest : public testing::Test {
 protected:
    HubStartTest() {
        record.answer_at_once = [](const auto&) {
            return Outcome{.kind = Outcome::Kind::settled, .status = 200};
        };
    }
    ~HubStartTest() override { kill(); }

    Result<void> start() {
        catalog = std::make_unique<Catalog>(kv, limits);
        hub = std::make_unique<Hub>(
            HubPorts{
                .clock = clock,
                .rng = rng,
                .log = log,
                .state = state,
                .catalog = *catalog,
                .make_sink = [this](const Subscription& subscription
                             ) -> Result<std::unique_ptr<Sink>> {
                    return std::make_unique<RecordingSink>(record, subscription.key(), "here");
                },
            },
            HubOptions{},
            limits
        );
        Result<void> outcome = fail(Errc::internal, "no answer");
        hub->start([&](Result<void> started) { outcome = std::move(started); });
        loop.run_all();
        return outcome;
    }
    // Nothing that was not committed is left.
    void kill() {
        log.on_durable(nullptr);
        hub.reset();
        catalog.reset();
        clock.clear();
        loop.clear();
        kv.crash();
        state.crash();
    }
    void subscribe(const std::string& name) {
        Subscription subscription{
            .name = name, .sink = WebhookSink{.url = "http://127.0.0.1:1/" + name}
        };
        Result<Subscription> created = fail(Errc::internal, "no answer");
        hub->create_subscription(subscription, [&](Result<Subscription> done) {
            created = std::move(done);
        });
        loop.run_all();
        ASSERT_TRUE(created.has_value());
    }
    void publish(int count) {
        append_events(log, count);
        loop.run_all();
    }
    void pass(Duration time) {
        clock.advance(time);
        loop.run_all();
    }
    std::string document() {
        std::string text;
        kv.get(std::string(kKey), [&](Result<KvEntry> entry) { text = entry.value().value; });
        loop.run_all();
        return text;
    }
    void put_document(std::string text) {
        kv.put(std::string(kKey), std::move(text), {}, [](auto) {});
        loop.run_all();
    }

    static constexpr std::string_view kKey = "subscriptions/default/chat";
    Limits limits;
    ManualClock clock;
    ManualExecutor loop;
    SeededRng rng{1};
    MemoryLog log{clock, rng, loop};
    MemoryKv kv{loop};
    MemoryState state{loop};
    SinkRecord record;
    std::unique_ptr<Catalog> catalog;
    std::unique_ptr<Hub> hub;
};

TEST_F(HubStartTest, ASubscriptionOfAnotherVersionKeepsItsPlaceAndRefusesTheStart) {
    ASSERT_TRUE(start().has_value());
    subscribe("chat");
    subscribe("other");
    publish(2);
    pass(1s);
    kill();
    publish(3);  // stored, and the hub died before it delivered them
    const std::string readable = document();
    std::string newer = readable;
    newer.insert(1, R"("later":1,)");
    put_document(newer);
    record.seen.clear();

    const Result<void> started = start();
    const std::string refused = started ? "" : started.error().detail;
    EXPECT_THAT(refused, HasSubstr("subscriptions/default/chat cannot be read"));
    EXPECT_THAT(refused, HasSubstr("\"later\" is not known here"));
    EXPECT_FALSE(hub->status().ready);
    pass(1s);
    EXPECT_TRUE(record.seen.empty()) << "and no other one begins";
    kill();

    put_document(readable);  // the version that can read it is back
    ASSERT_TRUE(start().has_value());
    pass(1s);
    std::vector<std::uint64_t> offsets;
    for (const SinkRecord::Seen& seen : record.seen) {
        if (seen.subscription == "default/chat") {
            offsets.push_back(seen.offset.value);
        }
    }
    EXPECT_THAT(offsets, ElementsAre(2, 3, 4));
}

TEST_F(HubStartTest, RemovingTheDocumentLetsTheHubStart) {
    ASSERT_TRUE(start().has_value());
    kill();
    put_document("{");
    ASSERT_FALSE(start().has_value());
    kill();
    kv.remove(std::string(kKey), {}, [](auto) {});
    loop.run_all();
    EXPECT_TRUE(start().has_value());
}

}  // namespace
}  // namespace belfry
