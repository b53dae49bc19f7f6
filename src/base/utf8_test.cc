#include "base/utf8.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(Utf8, IsTextOfWholeCharacters) {
    for (const std::string_view text :
         {"", "a", "\x7f", "\xc3\xa4", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
    }
    EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, IsNothingElse) {
    for (const std::string_view bytes :
         {"\x80",              // no beginning
          "a\xc3",             // no end
          "\xc0\xaf",          // overlong
          "\xe0\x80\xaf",      // overlong
          "\xed\xa0\x80",      // half of a surrogate pair
          "\xf4\x90\x80\x80",  // over U+10FFFF
          "\xff"}) {
        EXPECT_FALSE(is_utf8(bytes)) << testing::PrintToString(bytes);
    }
}

}  // namespace
}  // namespace belfry
