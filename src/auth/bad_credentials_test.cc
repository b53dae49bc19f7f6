#include "auth/bad_credentials.h"

#include "base/manual_clock.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using enum BadCredentials::Verdict;

TEST(BadCredentials, EachAddressHasItsShareOfAMinute) {
    ManualClock clock;
    BadCredentials bad(clock, 3);
    EXPECT_EQ(bad.count("10.0.0.1"), counted);
    EXPECT_EQ(bad.count("10.0.0.1"), counted);
    EXPECT_EQ(bad.count("10.0.0.1"), last);
    EXPECT_EQ(bad.count("10.0.0.1"), too_many);
    EXPECT_EQ(bad.count("10.0.0.2"), counted) << "another one's";
    clock.advance(20s);
    EXPECT_EQ(bad.count("10.0.0.1"), last) << "a third of a minute gives back a third";
    EXPECT_EQ(bad.count("10.0.0.1"), too_many);
}

TEST(BadCredentials, ANetworkOfIpv6IsOneAddress) {
    ManualClock clock;
    BadCredentials bad(clock, 1);
    EXPECT_EQ(bad.count("2001:db8::1"), last);
    EXPECT_EQ(bad.count("2001:db8::ffff:1"), too_many);
    EXPECT_EQ(bad.count("2001:db8:0:1::1"), last);
}

TEST(BadCredentials, KnowsNoMoreAddressesThanItMay) {
    ManualClock clock;
    BadCredentials bad(clock, 2);
    for (std::size_t i = 0; i < BadCredentials::kAddressesMax + 500; ++i) {
        static_cast<void>(bad.count("10." + std::to_string(i)));
    }
    EXPECT_LE(bad.addresses(), BadCredentials::kAddressesMax + 1);
    EXPECT_EQ(bad.count("11.0.0.1"), too_many) << "newcomers share what is left";
    clock.advance(1min);
    EXPECT_EQ(bad.count("12.0.0.1"), counted) << "full buckets were forgotten";
    EXPECT_LE(bad.addresses(), 2U);
}

}  // namespace
}  // namespace belfry
