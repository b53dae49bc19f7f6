#include "base/secret_box.h"

#include "base/base64.h"

#include <gmock/gmock.h>

#include <set>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string key_line(char fill) {
    std::string line;
    append_base64(line, std::string(SecretBox::kKeyBytes, fill));
    return line + "\n";
}

SecretBox box_with(const std::string& key_file) {
    return SecretBox::with(key_file).value();
}

TEST(SecretBox, OpensWhatItSealed) {
    const SecretBox box = box_with(SecretBox::new_key_line());
    for (const std::string& text :
         {std::string(), std::string("x"), std::string("\0\xff\n", 3), std::string(70'000, 'a')}) {
        const std::string sealed = box.seal(text, "here");
        EXPECT_TRUE(SecretBox::is_sealed(sealed));
        EXPECT_TRUE(box.is_current(sealed));
        EXPECT_EQ(box.open(sealed, "here").value(), text);
    }
    EXPECT_THAT(box.seal("canary-secret", "here"), Not(HasSubstr("canary")));
}

TEST(SecretBox, SealsTheSameTextDifferentlyEachTime) {
    const SecretBox box = box_with(key_line('k'));
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        seen.insert(box.seal("text", "here"));
    }
    EXPECT_EQ(seen.size(), 100U);
}

TEST(SecretBox, OpensNothingThatWasChangedOrMoved) {
    const SecretBox box = box_with(key_line('k'));
    const std::string sealed = box.seal("a secret", "subscriptions/default/a");
    EXPECT_FALSE(box.open(sealed, "subscriptions/default/b").has_value());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(box.open(changed, "subscriptions/default/a").has_value()) << i;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_FALSE(box.open(sealed.substr(0, size), "subscriptions/default/a").has_value());
    }
}

TEST(SecretBox, TheFirstKeySealsAndAllOpen) {
    const SecretBox before = box_with(key_line('a'));
    const SecretBox both = box_with("# new since today\n" + key_line('b') + "\n  " + key_line('a'));
    const SecretBox after = box_with(key_line('b'));
    const std::string old = before.seal("text", "here");
    EXPECT_EQ(both.open(old, "here").value(), "text");
    EXPECT_FALSE(both.is_current(old));
    const std::string sealed = both.seal("text", "here");
    EXPECT_EQ(after.open(sealed, "here").value(), "text");
    EXPECT_TRUE(after.is_current(sealed));
    EXPECT_THAT(after.open(old, "here").error().detail, HasSubstr(before.key_id()));
    EXPECT_EQ(both.key_id(), after.key_id());
    EXPECT_NE(both.key_id(), before.key_id());
}

TEST(SecretBox, AKeyFileIsReadStrictly) {
    const std::string secret = "c2VjcmV0";
    for (const std::string& bad :
         {std::string(),
          std::string("\n# nothing\n"),
          secret,
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + std::string("\n"),
          key_line('a') + "x" + key_line('b'),
          key_line('a').substr(1)}) {
        const Result<SecretBox> box = SecretBox::with(bad);
        ASSERT_FALSE(box.has_value()) << bad;
        EXPECT_THAT(box.error().detail, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(
        SecretBox::with(key_line('a') + "bad\n").error().detail, testing::StartsWith("line 2 ")
    );
    EXPECT_TRUE(SecretBox::with(key_line('a').substr(0, 44) + "\r\n").has_value());
}

TEST(SecretBox, PlainTextIsNotSealed) {
    const SecretBox box = box_with(key_line('a'));
    for (const char* text : {"", "{}", R"({"name":"chat"})", R"({"sealed":{"key":""}})"}) {
        EXPECT_FALSE(SecretBox::is_sealed(text)) << text;
        EXPECT_FALSE(box.is_current(text)) << text;
        EXPECT_FALSE(box.open(text, "here").has_value()) << text;
    }
}

}  // namespace
}  // namespace belfry
