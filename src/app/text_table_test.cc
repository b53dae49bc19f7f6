#include "app/text_table.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(TextTable, ColumnsAlign) {
    EXPECT_EQ(
        text_table(
            {{"NAME", "STATE", "SINK"}, {"chät", "active", "u"}, {"a-long-name", "", "v"}}, 80
        ),
        "NAME         STATE   SINK\nchät         active  u\na-long-name          v\n"
    );
    EXPECT_EQ(text_table({}, 80), "");
}

TEST(TextTable, CellsCannotBreakOutOfTheirLine) {
    EXPECT_EQ(text_table({{"a\nb\x1b[31m", "c"}}, 80), "a\\nb\\x1b[31m  c\n");
}

TEST(TextTable, TheLastColumnIsCutToTheLine) {
    EXPECT_EQ(text_table({{"a", std::string(100, 'x')}}, 40), "a  " + std::string(36, 'x') + "…\n");
}

}  // namespace
}  // namespace belfry
