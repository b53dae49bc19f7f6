#include "engine/embedded/embedded_log.h"

#include "engine/embedded/log_test_bed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace belfry {
namespace {

using testing::ElementsAre;

class EmbeddedLogTest : public testing::Test {
 protected:
    void SetUp() override { open(); }
    void open() {
        auto opened = bed_.open();
        ASSERT_TRUE(opened) << opened.error().detail;
        bed_.settle();
    }
    std::vector<std::string> all() {
        auto entries = bed_.read_all();
        EXPECT_TRUE(entries) << entries.error().detail;
        return entries ? texts_of(*entries) : std::vector<std::string>();
    }
    LogTestBed bed_;
};

TEST_F(EmbeddedLogTest, StoresAndReadsBack) {
    auto first = bed_.append({{.data = "a"}, {.data = "b"}});
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_EQ(first->at(0).offset, Offset{0});
    EXPECT_EQ(first->at(1).offset, Offset{1});
    auto second = bed_.append({{.data = "c", .id = "one"}});
    ASSERT_TRUE(second);
    EXPECT_EQ(second->at(0).offset, Offset{2});
    EXPECT_EQ(bed_.log->next_offset(), Offset{3});
    EXPECT_THAT(all(), ElementsAre("a", "b", "c"));
}

TEST_F(EmbeddedLogTest, KeepsEverythingAcrossStopAndStart) {
    ASSERT_TRUE(bed_.append({{.data = "a"}, {.data = "b"}}));
    ASSERT_TRUE(bed_.append({{.data = "c"}}));
    EXPECT_TRUE(bed_.stop());
    open();
    EXPECT_THAT(all(), ElementsAre("a", "b", "c"));
    auto next = bed_.append({{.data = "d"}});
    ASSERT_TRUE(next);
    EXPECT_EQ(next->at(0).offset, Offset{3});
    EXPECT_THAT(all(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(EmbeddedLogTest, KeepsEverythingAcrossKillAndPowerCut) {
    ASSERT_TRUE(bed_.append({{.data = "a"}}));
    bed_.kill();
    open();
    ASSERT_TRUE(bed_.append({{.data = "b"}}));
    bed_.crash(7);
    open();
    EXPECT_THAT(all(), ElementsAre("a", "b"));
}

TEST_F(EmbeddedLogTest, RollsToNewSegments) {
    for (int i = 0; i < 40; ++i) {
        auto stored = bed_.append({{.data = std::to_string(i) + std::string(30'000, 'x')}});
        ASSERT_TRUE(stored) << stored.error().detail;
    }
    EXPECT_GE(bed_.log->segments().size(), 4U);
    EXPECT_EQ(all().size(), 40U);
    bed_.kill();
    open();
    EXPECT_GE(bed_.log->segments().size(), 4U);
    EXPECT_EQ(all().size(), 40U);
}

}  // namespace
}  // namespace belfry
