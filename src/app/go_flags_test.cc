#include "app/go_flags.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using Words = std::vector<std::string>;

TEST(GoFlags, OneDashBecomesTwoAndAValueItsOwnWord) {
    EXPECT_EQ(
        with_double_dashes({"event", "-name=deploy", "-node", "^web-1$", "--tag=a=b", "payload"}),
        (Words{"event", "--name", "deploy", "--node", "^web-1$", "--tag", "a=b", "payload"})
    );
}

TEST(GoFlags, AValueMayBeEmptyOrBeginWithADash) {
    EXPECT_EQ(
        with_double_dashes({"watch", "-state=", "-name", "-x"}),
        (Words{"watch", "--state", "", "--name", "-x"})
    );
    EXPECT_EQ(with_double_dashes({"watch", "-name"}), (Words{"watch", "--name"}));
}

TEST(GoFlags, FlagsWithoutValueAndShortOnesStay) {
    EXPECT_EQ(
        with_double_dashes({"watch", "-shell=false", "-json", "-h", "-q", "--help"}),
        (Words{"watch", "--shell=false", "--json", "-h", "-q", "--help"})
    );
}

TEST(GoFlags, TheCommandOfAWatchIsLeftAlone) {
    EXPECT_EQ(
        with_double_dashes({"watch", "-name=a", "tee", "-append", "--", "-x"}),
        (Words{"watch", "--name", "a", "--", "tee", "-append", "--", "-x"})
    );
    EXPECT_EQ(
        with_double_dashes({"watch", "-name=a", "--", "-odd"}),
        (Words{"watch", "--name", "a", "--", "-odd"})
    );
}

TEST(GoFlags, ThePayloadOfAnEventMayStandBeforeFlags) {
    EXPECT_EQ(with_double_dashes({"event", "-", "-name=a"}), (Words{"event", "-", "--name", "a"}));
    EXPECT_EQ(
        with_double_dashes({"event", "-name=a", "--", "-5"}),
        (Words{"event", "--name", "a", "--", "-5"})
    );
}

TEST(GoFlags, TheCommandIsFoundBehindGlobalFlags) {
    EXPECT_EQ(
        with_double_dashes({"--url", "event", "--json", "event", "-name=a"}),
        (Words{"--url", "event", "--json", "event", "--name", "a"})
    );
}

TEST(GoFlags, OtherCommandsAreNotTouched) {
    const Words fire = {"fire", "event", "-name=a"};
    EXPECT_EQ(with_double_dashes(fire), fire);
    EXPECT_EQ(with_double_dashes({}), Words{});
    EXPECT_EQ(with_double_dashes({"--url"}), Words{"--url"});
}

}  // namespace
}  // namespace belfry
