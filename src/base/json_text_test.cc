#include "base/json_text.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace belfry {
namespace {

std::string as_json(std::string_view text) {
    std::string out = "x";
    append_json_string(out, text);
    return out.substr(1);
}

TEST(JsonText, EscapesWhatMustBeEscaped) {
    EXPECT_EQ(as_json(""), "\"\"");
    EXPECT_EQ(as_json("plain"), "\"plain\"");
    EXPECT_EQ(as_json("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    EXPECT_EQ(as_json("\b\f\n\r\t\x01\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    EXPECT_EQ(as_json("\xC3\xA9\xF0\x9F\x94\x94"), "\"\xC3\xA9\xF0\x9F\x94\x94\"");
}

// Every byte at every place of a word, since sixteen or eight are looked at together.
TEST(JsonText, ReadsBackWhereverTheByteStands) {
    for (std::size_t size = 0; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 128; ++byte) {
                std::string text(size, 'a');
                text[at] = static_cast<char>(byte);
                ASSERT_EQ(parse_json(as_json(text), {}).value().as_string(), text) << byte;
            }
        }
    }
}

TEST(JsonText, BytesAbove127AreNeverTakenForSmallOnes) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
        text += i % 2 == 0 ? "\xC3\xA9" : "\xF4\x8F\xBF\xBF";
        EXPECT_EQ(as_json(text), '"' + text + '"');
    }
}

TEST(JsonText, WritesNamesAndNumbers) {
    std::string out;
    append_json_name(out, "offset");
    append_json_number(out, 0);
    append_json_number(out, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(out, "\"offset\":018446744073709551615");
}

}  // namespace
}  // namespace belfry
