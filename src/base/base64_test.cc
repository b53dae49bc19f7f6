#include "base/base64.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

std::string encoded(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
}

TEST(Base64, FollowsTheVectorsOfRfc4648) {
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("f"), "Zg==");
    EXPECT_EQ(encoded("fo"), "Zm8=");
    EXPECT_EQ(encoded("foo"), "Zm9v");
    EXPECT_EQ(encoded("foob"), "Zm9vYg==");
    EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encoded("\xfb\xff\xbf"), "+/+/");
}

TEST(Base64, ReadsBackEveryByte) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        std::string back = "kept";
        ASSERT_TRUE(decode_base64(encoded(bytes), back));
        ASSERT_EQ(back, "kept" + bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
    for (const std::string_view text :
         {"Z",
          "Zg",
          "Zg=",
          "Zm8",
          "Zm8==",
          "=",
          "====",
          "Z===",
          "Zh==",
          "Zm9=",
          "Zm9v\n",
          "Zm9 ",
          "Zm-_",
          "Zg==Zg==",
          "Z=g=",
          "\xC3\xA9g="}) {
        std::string out = "kept";
        EXPECT_FALSE(decode_base64(text, out)) << text;
        EXPECT_EQ(out, "kept") << text;
    }
}

}  // namespace
}  // namespace belfry
