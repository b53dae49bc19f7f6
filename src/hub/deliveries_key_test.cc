// Which attribute orders events when the order is by key.
#include "hub/deliveries_fixture.h"

namespace belfry {
namespace {

class DeliveriesByKeyTest : public DeliveriesTest {
 protected:
    struct Attributes {
        std::string_view partitionkey;  // empty: none
        std::string_view subject;
        std::string_view tenure;
    };
    void subscribe_by(const std::string& key) {
        subscribe("chat", {.order = DeliveryPolicy::Order::key, .key = key});
    }
    void publish_each(const std::vector<Attributes>& events) {
        for (const Attributes& attributes : events) {
            Event event;
            event.source = "/test";
            event.type = "t";
            event.subject = attributes.subject;
            if (!attributes.partitionkey.empty()) {
                event.extensions.push_back({"partitionkey", attributes.partitionkey});
            }
            if (!attributes.tenure.empty()) {
                event.extensions.push_back({"tenure", attributes.tenure});
            }
            log.append(std::span(&event, 1), [](auto) {});
        }
        run();
    }
};

TEST_F(DeliveriesByKeyTest, OrderByThePartitionKeyBeforeTheSubject) {
    subscribe_by("");
    publish_each({
        {.partitionkey = "p", .subject = "a"},
        {.partitionkey = "p", .subject = "b"},
        {.partitionkey = "q", .subject = "a"},
    });
    EXPECT_EQ(record.offsets(), (Offsets{0, 2}));
    record.answer(Offset{0}, kSettled);
    run();
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 1}));
}

TEST_F(DeliveriesByKeyTest, OrderByTheSubjectWhereThereIsNoPartitionKey) {
    subscribe_by("");
    publish_each({{.subject = "a"}, {.subject = "a"}, {.subject = "b"}});
    EXPECT_EQ(record.offsets(), (Offsets{0, 2}));
}

TEST_F(DeliveriesByKeyTest, TakeAPartitionKeyAndASubjectOfTheSameTextForOneKey) {
    subscribe_by("");
    publish_each({{.partitionkey = "a"}, {.subject = "a"}});
    EXPECT_EQ(record.offsets(), (Offsets{0}));
}

TEST_F(DeliveriesByKeyTest, DoNotOrderEventsThatHaveNeither) {
    subscribe_by("");
    publish_each({{}, {}, {.subject = "a"}, {}});
    EXPECT_EQ(record.offsets(), (Offsets{0, 1, 2, 3}));
    EXPECT_TRUE(delivery("chat").exceptions().empty());
}

TEST_F(DeliveriesByKeyTest, OrderByTheAttributeThatTheSubscriptionNamesAndNoOther) {
    subscribe_by("tenure");
    publish_each({
        {.subject = "a", .tenure = "x"},
        {.subject = "b", .tenure = "x"},
        {.subject = "a", .tenure = "y"},
        {.partitionkey = "p", .subject = "a"},
        {.partitionkey = "p", .subject = "a"},
    });
    EXPECT_EQ(record.offsets(), (Offsets{0, 2, 3, 4}));
}

}  // namespace
}  // namespace belfry
