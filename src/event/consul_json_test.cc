#include "event/consul_json.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::string_view_literals;

std::string go_string(std::string_view text) {
    std::string out;
    append_go_string(text, out);
    return out;
}

std::string consul_event(const Event& event) {
    StoredEvent stored;
    stored.event = event;
    stored.offset = Offset{17};
    stored.uuid_low = 0x8877665544332211;
    std::string out;
    append_consul_event(stored, out);
    return out;
}

TEST(GoString, EscapesWhatBrowsersCouldReadAsMarkup) {
    EXPECT_EQ(go_string("a<b>&c"), R"("a\u003cb\u003e\u0026c")");
    EXPECT_EQ(go_string("x\u2028y\u2029z\u202a"), "\"x\\u2028y\\u2029z\u202a\"");
}

TEST(GoString, EscapesControlCharactersAsGoDoes) {
    EXPECT_EQ(go_string("\"\\/\b\f\n\r\t"), R"("\"\\/\b\f\n\r\t")");
    EXPECT_EQ(go_string("\0\x01\x1f\x7f"sv), "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(GoString, KeepsEveryCharacterOfUnicode) {
    constexpr std::string_view kText =
        "\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\U00010000\U0010ffff";
    EXPECT_EQ(go_string(kText), "\"" + std::string(kText) + "\"");
}

TEST(GoString, EachByteThatIsNotUtf8BecomesOneReplacement) {
    EXPECT_EQ(go_string("a\xff"), R"("a\ufffd")");
    EXPECT_EQ(go_string("\xc0\x80"), R"("\ufffd\ufffd")");                      // overlong
    EXPECT_EQ(go_string("\xe0\x9f\xbf"), R"("\ufffd\ufffd\ufffd")");            // overlong
    EXPECT_EQ(go_string("\xf0\x8f\xbf\xbf"), R"("\ufffd\ufffd\ufffd\ufffd")");  // overlong
    EXPECT_EQ(go_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");            // surrogate
    EXPECT_EQ(go_string("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // too high
    EXPECT_EQ(go_string("\xe2\x82"), R"("\ufffd\ufffd")");                      // cut
    EXPECT_EQ(go_string("\xe2\x82x\xf0\x9f\x98"), R"("\ufffd\ufffdx\ufffd\ufffd\ufffd")");
    EXPECT_EQ(go_string("\x80z"), R"("\ufffdz")");
}

TEST(ConsulEvent, HasConsulsMembersInConsulsOrder) {
    const Event event{
        .id = "an id of the publisher's own",
        .source = "/consul/web-1",
        .type = "deploy",
        .extensions = {{"nodefilter", "web-<1>"}, {"servicefilter", "web"}, {"tagfilter", "v1|v2"}},
        .data = "hello\0"sv
    };
    EXPECT_EQ(
        consul_event(event),
        R"({"ID":"88776655-4433-2202-8877-665544332211","Name":"deploy","Payload":"aGVsbG8A",)"
        R"("NodeFilter":"web-\u003c1\u003e","ServiceFilter":"web","TagFilter":"v1|v2",)"
        R"("Version":1,"LTime":18})"
    );
}

TEST(ConsulEvent, WithoutDataHasNoPayload) {
    constexpr std::string_view kNone =
        R"({"ID":"88776655-4433-2202-8877-665544332211","Name":"a","Payload":null,)"
        R"("NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":18})";
    EXPECT_EQ(consul_event({.source = "/s", .type = "a", .extensions = {}}), kNone);
    EXPECT_EQ(consul_event({.source = "/s", .type = "a", .extensions = {}, .data = ""}), kNone);
}

}  // namespace
}  // namespace belfry
