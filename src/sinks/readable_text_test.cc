#include "sinks/readable_text.h"

#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace belfry {
namespace {

TEST(ReadableText, KeepsUtf8) {
    EXPECT_EQ(readable_text("", 10), "");
    EXPECT_EQ(readable_text("plain\n\x1b[0m", 100), "plain\n\x1b[0m");
    EXPECT_EQ(readable_text("aé€😀", 100), "aé€😀");
}

TEST(ReadableText, CutsBetweenCharacters) {
    EXPECT_EQ(readable_text("abc", 2), "ab");
    EXPECT_EQ(readable_text("aé", 2), "a");
    EXPECT_EQ(readable_text("aé", 3), "aé");
    EXPECT_EQ(readable_text("😀😀", 7), "😀");
}

TEST(ReadableText, ReplacesWhatIsNotUtf8) {
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(readable_text("a\xff", 10), "a" + r);
    EXPECT_EQ(readable_text("\xc3(", 10), r + "(");
    EXPECT_EQ(readable_text("\xe2\x82", 10), r) << "a character that was cut off";
    EXPECT_EQ(readable_text("\xc0\xaf", 10), r + r) << "overlong";
    EXPECT_EQ(readable_text("\xed\xa0\x80", 10), r + r + r) << "a surrogate";
    EXPECT_EQ(readable_text("\xf4\x90\x80\x80", 10), r + r + r + r) << "past the last character";
    EXPECT_EQ(readable_text("\x80x", 10), r + "x");
}

TEST(ReadableText, IsAlwaysUtf8) {
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes;
        for (auto count = random() % 12; count > 0; --count) {
            // Mostly bytes that stand at the edges of the ranges.
            constexpr std::string_view kEdges =
                "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff";
            bytes +=
                random() % 4 == 0 ? static_cast<char>(random()) : kEdges[random() % kEdges.size()];
        }
        std::string text = readable_text(bytes, 9);
        ASSERT_TRUE(is_utf8(text));
        if (is_utf8(bytes) && bytes.size() <= 9) {
            ASSERT_EQ(text, bytes);
        }
    }
}

}  // namespace
}  // namespace belfry
