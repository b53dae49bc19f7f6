#include "eventkit/entity_tag.h"

#include <gtest/gtest.h>

namespace belfry::eventkit {
namespace {

TEST(EntityTag, IsNamedRawQuotedWeakInListsAndByAStar) {
    for (const char* value :
         {"abc-1",
          "\"abc-1\"",
          "W/\"abc-1\"",
          "\"x\", \"abc-1\"",
          "x,abc-1",
          "x , W/\"y\",\tabc-1 ",
          "*",
          " * ",
          "\"x\",*"}) {
        EXPECT_TRUE(names_tag(value, "abc-1")) << value;
    }
}

TEST(EntityTag, IsNotNamedByWhatOnlyLooksLikeIt) {
    for (const char* value :
         {"",
          " ",
          ",",
          "abc-2",
          "abc-1x",
          "\"abc-12\"",
          "\"*\"",
          "W/abc-1",
          "\"x, abc-1 ,y\"",
          "ABC-1",
          "\"\""}) {
        EXPECT_FALSE(names_tag(value, "abc-1")) << value;
    }
}

}  // namespace
}  // namespace belfry::eventkit
