#include "event/consul_index.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(ConsulIndex, IsTheXorOfTheHalves) {
    EXPECT_EQ(
        consul_index(*parse_uuid("cb9a81ad-fff6-52ac-92a7-5f70687805ec")), 6430540886266763072U
    );
    EXPECT_EQ(consul_index(Uuid{.high = 7, .low = 7}), 1U);
}

TEST(ConsulIndex, OfOurEventsRisesFromTwoOn) {
    EXPECT_EQ(consul_index(event_uuid(0x8877665544332211, Offset{0})), 2U);
    EXPECT_EQ(consul_index(event_uuid(42, Offset{17})), 19U);
}

}  // namespace
}  // namespace belfry
