#include "app/url_text.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(UrlText, TargetsAreEncoded) {
    EXPECT_EQ(percent_encoded("a b/ü?&=+%~._-"), "a%20b%2F%C3%BC%3F%26%3D%2B%25~._-");
    Target target("/api/v1/events");
    target.segment("a/b").parameter("type", "x*").parameter("source", "").parameter("q", "\r\n");
    EXPECT_EQ(target.text(), "/api/v1/events/a%2Fb?type=x%2A&q=%0D%0A");
}

TEST(UrlText, AHubIsNamedByHostAndPort) {
    Result<Url> plain = parse_hub_url("http://127.0.0.1:8420");
    ASSERT_TRUE(plain.has_value());
    EXPECT_EQ(plain->host, "127.0.0.1");
    EXPECT_EQ(plain->port, 8420);
    EXPECT_TRUE(parse_hub_url("http://belfry.example/").has_value());
    EXPECT_TRUE(parse_hub_url("http://[::1]:1").has_value());
    EXPECT_TRUE(parse_hub_url("https://belfry.example").has_value());
}

TEST(UrlText, EverythingElseIsRefused) {
    for (std::string_view url :
         {"",
          "127.0.0.1:8420",
          "http://",
          "ftp://x",
          "http://u@h",
          "http://h/path",
          "http://h?q",
          "http://h/?",
          "http://h#f",
          "http://h\r\nX: y"}) {
        EXPECT_FALSE(parse_hub_url(url).has_value()) << url;
    }
}

}  // namespace
}  // namespace belfry
