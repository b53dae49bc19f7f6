#include "doors/json_writer.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

void write_sample(JsonWriter& json) {
    json.begin_object().member("a", "x\"y").member("n", 7U).member("yes", true);
    json.name("list").begin_array().number(1).raw("{}").end_array();
    json.name("empty").begin_array().end_array().end_object();
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
    std::string out;
    JsonWriter json(out);
    write_sample(json);
    EXPECT_EQ(out, R"({"a":"x\"y","n":7,"yes":true,"list":[1,{}],"empty":[]})");
}

TEST(JsonWriter, IndentsWhereWanted) {
    std::string out;
    JsonWriter json(out, JsonWriter::Layout::indented);
    write_sample(json);
    EXPECT_EQ(
        out,
        "{\n  \"a\": \"x\\\"y\",\n  \"n\": 7,\n  \"yes\": true,\n  \"list\": [\n    1,\n    {}\n  "
        "],\n"
        "  \"empty\": []\n}"
    );
}

TEST(JsonWriter, RepairsTextThatIsNotUtf8) {
    std::string out;
    JsonWriter(out).text(
        "a\xff"
        "b\xe2\x82\xac\xe2\x82\xc3"
    );
    EXPECT_EQ(
        out,
        "\"a\xef\xbf\xbd"
        "b€\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""
    );
}

}  // namespace
}  // namespace belfry
