#include "app/screen_text.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(ScreenText, OrdinaryTextStaysAsItIs) {
    EXPECT_EQ(screen_text("deploy web-1 Grüße 東京 🚀 a\\b"), "deploy web-1 Grüße 東京 🚀 a\\b");
}

TEST(ScreenText, ControlsOfATerminalAreShownNotObeyed) {
    EXPECT_EQ(screen_text("\x1b[2J\x1b]0;title\a"), "\\x1b[2J\\x1b]0;title\\x07");
    EXPECT_EQ(screen_text("a\r\nb\tc"), "a\\r\\nb\\tc");
    EXPECT_EQ(screen_text(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
    EXPECT_EQ(
        screen_text("\xc2\x9b"
                    "31m"),
        "\\u{9b}31m"
    );  // C1: CSI in one character
}

TEST(ScreenText, CharactersThatReorderOrHideAreShown) {
    EXPECT_EQ(screen_text("user\u202eexe.txt"), "user\\u{202e}exe.txt");
    EXPECT_EQ(
        screen_text("a\u2066b\u2069\u200bc\ufeff"), "a\\u{2066}b\\u{2069}\\u{200b}c\\u{feff}"
    );
    EXPECT_EQ(screen_text("a\u2028b"), "a\\u{2028}b");
    EXPECT_EQ(screen_text("\U000e0041"), "\\u{e0041}");
}

TEST(ScreenText, BytesThatAreNotUtf8AreShown) {
    EXPECT_EQ(screen_text("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(screen_text("\xc3"), "\\xc3");
    EXPECT_EQ(screen_text("\xc0\xaf"), "\\xc0\\xaf");           // overlong
    EXPECT_EQ(screen_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
    EXPECT_EQ(screen_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(ScreenText, WidthCutsBetweenCharacters) {
    EXPECT_EQ(screen_text("hello", 5), "hello");
    EXPECT_EQ(screen_text("hello!", 5), "hell…");
    EXPECT_EQ(screen_text("äöüß", 3), "äö…");
    EXPECT_EQ(screen_text("a\x1b[", 4), "a…");  // an escape is whole or absent
    EXPECT_EQ(screen_text("", 0), "");
}

TEST(ScreenJson, SameValueWithoutDangerousCharacters) {
    EXPECT_EQ(screen_json("{\"a\":\"b\u202ec\x7f\"}"), "{\"a\":\"b\\u202ec\\u007f\"}");
    EXPECT_EQ(screen_json("{\n \"a\": 1\r\n}"), "{  \"a\": 1  }");
    EXPECT_EQ(screen_json("\"\U000e0041\""), "\"\\udb40\\udc41\"");
    EXPECT_EQ(screen_json("\"\xff\""), "\"\\ufffd\"");
    EXPECT_EQ(screen_json("\"\\n 東\""), "\"\\n 東\"");
}

}  // namespace
}  // namespace belfry
