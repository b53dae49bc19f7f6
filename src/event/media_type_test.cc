#include "event/media_type.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(MediaType, TellsJson) {
    for (const std::string_view type :
         {"application/json",
          "Application/JSON; charset=utf-8",
          "text/json",
          "application/ld+json",
          "application/cloudevents+json ;x=y"}) {
        EXPECT_TRUE(is_json_media_type(type)) << type;
    }
    for (const std::string_view type :
         {"",
          "json",
          "application/jsonx",
          "application/x-ndjson",
          "text/plain; a=\"/json\"",
          "application/json-seq"}) {
        EXPECT_FALSE(is_json_media_type(type)) << type;
    }
}

TEST(MediaType, TellsTextInUtf8) {
    for (const std::string_view type :
         {"text/plain",
          "TEXT/HTML",
          "application/xml",
          "image/svg+xml",
          "application/yaml",
          "text/plain; charset=UTF-8",
          "text/plain;format=flowed; charset=\"us-ascii\"",
          "application/x-www-form-urlencoded",
          "text/plain;"}) {
        EXPECT_TRUE(is_text_media_type(type)) << type;
    }
    for (const std::string_view type :
         {"",
          "text",
          "image/png",
          "application/octet-stream",
          "application/json",
          "text/plain; charset=iso-8859-1",
          "text/plain; a=b; Charset=\"utf-16\""}) {
        EXPECT_FALSE(is_text_media_type(type)) << type;
    }
}

TEST(MediaType, ComparesWithoutParameters) {
    EXPECT_TRUE(has_essence("Text/Plain ; charset=x", "text/plain"));
    EXPECT_FALSE(has_essence("text/plainer", "text/plain"));
    EXPECT_FALSE(has_essence("", "text/plain"));
}

}  // namespace
}  // namespace belfry
