#include "event/check_event.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>

namespace belfry {
namespace {

Event good() {
    Event event;
    event.source = "/mycontext";
    event.type = "com.example.someevent";
    return event;
}

// Empty: the event is good.
std::string fault(const Event& event, const Limits& limits = {}) {
    const auto checked = check_event(event, limits);
    if (checked) {
        return {};
    }
    EXPECT_FALSE(checked.error().detail.empty());
    return std::string(errc_name(checked.error().code)) + ' ' + checked.error().field;
}

TEST(CheckEvent, AcceptsAFullEvent) {
    Event event = good();
    event.id = "A234-1234-1234";
    event.subject = "Euro \xE2\x82\xAC \xF0\x9F\x98\x80";
    event.time = "2018-04-05T17:31:00Z";
    event.datacontenttype = "application/json; charset=utf-8";
    event.dataschema = "https://example.com/schema#v1";
    event.extensions = {{"comexampleextension1", "value"}, {"partitionkey", ""}};
    event.data = "{}";
    EXPECT_EQ(fault(event), "");
    EXPECT_EQ(fault(good()), "");
}

TEST(CheckEvent, WantsSourceAndType) {
    Event event = good();
    event.source = {};
    EXPECT_EQ(fault(event), "invalid_event source");
    event = good();
    event.type = {};
    EXPECT_EQ(fault(event), "invalid_event type");
}

TEST(CheckEvent, RefusesTextThatCloudEventsForbids) {
    using std::string_view_literals::operator""sv;
    for (const std::string_view text :
         {"\x01"sv,
          "a\0b"sv,
          "a\nb"sv,
          "tab\there"sv,
          "12345678\x1f"sv,
          "\x7f"sv,
          "1234567\x7f"sv,
          "\xC2\x80"sv,
          "\xC2\x9F"sv,
          "\xFF"sv,
          "\xC0\x80"sv,
          "\xED\xA0\x80"sv,
          "\xE2\x82"sv,
          "\xEF\xB7\x90"sv,
          "\xEF\xBF\xBE"sv,
          "\xEF\xBF\xBF"sv,
          "\xF0\x9F\xBF\xBF"sv}) {
        Event event = good();
        event.subject = text;
        EXPECT_EQ(fault(event), "invalid_event subject");
        event = good();
        event.id = text;
        EXPECT_EQ(fault(event), "invalid_event id");
        event = good();
        event.type = text;
        EXPECT_EQ(fault(event), "invalid_event type");
        event = good();
        event.extensions = {{"x", text}};
        EXPECT_EQ(fault(event), "invalid_event x");
        event = good();
        event.source = text;
        EXPECT_EQ(fault(event), "invalid_event source");
    }
    for (const std::string_view text :
         {" ", "~", "\xC2\xA0", "\xEF\xB7\x8F", "\xEF\xBF\xBD", "\xF0\x9F\xBF\xBD", "12345678 ~"}) {
        Event event = good();
        event.subject = text;
        EXPECT_EQ(fault(event), "") << text;
    }
}

TEST(CheckEvent, WantsUriReferences) {
    for (const std::string_view text :
         {"/",
          "a",
          "a/b",
          "./a:b",
          "/a:b",
          "?q=a:b",
          "#f",
          "//host/path",
          "http://[::1]:80/x",
          "https://u:p@example.com:8080/a/b?c=d&e=f#g",
          "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
          "mailto:cncf-wg-serverless@lists.cncf.io",
          "1-555-123-4567",
          "cloudevents/spec/pull/123",
          "/a%20b",
          "x+y-z.1:opaque",
          "a,b;c='(d)!*~"}) {
        Event event = good();
        event.source = text;
        EXPECT_EQ(fault(event), "") << text;
        event = good();
        event.dataschema = text;
        EXPECT_EQ(fault(event), "") << text;
    }
    for (const std::string_view text :
         {"a b",
          "<x>",
          "a\"b",
          "a\\b",
          "a^b",
          "a`b",
          "{a}",
          "a|b",
          "%",
          "%2",
          "%2g",
          "1a:b",
          ":a",
          "10.0.0.1:80",
          "a#b#c",
          "/[a]",
          "http://h/[::1]",
          "http://[::1",
          "http://a]b/",
          "\xC3\xA9"}) {
        Event event = good();
        event.source = text;
        EXPECT_EQ(fault(event), "invalid_event source") << text;
        event = good();
        event.dataschema = text;
        EXPECT_EQ(fault(event), "invalid_event dataschema") << text;
    }
}

TEST(CheckEvent, WantsATimeAndAMediaType) {
    Event event = good();
    event.time = "yesterday";
    EXPECT_EQ(fault(event), "invalid_event time");
    for (const std::string_view type :
         {"json",
          "a/",
          "/b",
          "a/b/c",
          "a b/c",
          "a/b;c",
          "a/b;c=",
          "a/b;c=\"x",
          "a/b;c=d e",
          "a/b\r\nX: y",
          "a/ b",
          "\xC3\xA9/x",
          "a/b;c=\"\xC3\xA9\""}) {
        event = good();
        event.datacontenttype = type;
        EXPECT_EQ(fault(event), "invalid_event datacontenttype") << type;
    }
    for (const std::string_view type :
         {"a/b",
          "application/vnd.x+json",
          "text/plain;charset=utf-8",
          "text/plain ; a=b ;c=\"d;\\\"e\"",
          "text/plain;"}) {
        event = good();
        event.datacontenttype = type;
        EXPECT_EQ(fault(event), "") << type;
    }
}

TEST(CheckEvent, WantsNamesOfExtensions) {
    for (const std::string_view name :
         {"", "camelCase", "with_underscore", "a-b", "\xC3\xA9", "a b"}) {
        Event event = good();
        event.extensions = {{name, "v"}};
        EXPECT_TRUE(fault(event).starts_with("invalid_event ")) << name;
    }
    for (const std::string_view name :
         {"id",
          "source",
          "specversion",
          "type",
          "datacontenttype",
          "dataschema",
          "subject",
          "time",
          "data"}) {
        Event event = good();
        event.extensions = {{name, "v"}};
        EXPECT_EQ(fault(event), "invalid_event " + std::string(name));
    }
    Event event = good();
    event.extensions = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
    EXPECT_EQ(fault(event), "invalid_event a");
}

// Each limit one below, at and one past it.
TEST(CheckEvent, KeepsEveryLimit) {
    const Limits limits;
    struct Case {
        std::string_view field;
        std::uint64_t limit;
        std::function<void(Event&, std::string_view)> set;
    };
    const std::vector<Case> cases{
        {"id", limits.event_id_bytes, [](Event& e, std::string_view v) { e.id = v; }},
        {"type", limits.event_type_bytes, [](Event& e, std::string_view v) { e.type = v; }},
        {"source", limits.event_source_bytes, [](Event& e, std::string_view v) { e.source = v; }},
        {"subject", limits.event_subject_bytes, [](Event& e, std::string_view v) { e.subject = v; }
        },
        {"dataschema",
         limits.event_attribute_bytes,
         [](Event& e, std::string_view v) { e.dataschema = v; }},
        {"x",
         limits.event_attribute_bytes,
         [](Event& e, std::string_view v) { e.extensions = {{"x", v}}; }},
    };
    for (const Case& c : cases) {
        for (const std::uint64_t size : {c.limit - 1, c.limit, c.limit + 1}) {
            const std::string text(size, 'a');
            Event event = good();
            c.set(event, text);
            const auto checked = check_event(event, limits);
            EXPECT_EQ(checked.has_value(), size <= c.limit) << c.field << ' ' << size;
            if (!checked) {
                EXPECT_EQ(checked.error().code, Errc::invalid_event);
                EXPECT_EQ(checked.error().field, c.field);
                EXPECT_EQ(checked.error().limit, c.limit);
            }
        }
    }
}

TEST(CheckEvent, KeepsTheLimitsOfMediaTypeTimeAndNames) {
    const Limits limits;
    for (const std::uint64_t size :
         {limits.event_attribute_bytes, limits.event_attribute_bytes + 1}) {
        const bool fits = size <= limits.event_attribute_bytes;
        const std::string type = "a/" + std::string(size - 2, 'b');
        Event event = good();
        event.datacontenttype = type;
        EXPECT_EQ(fault(event), fits ? "" : "invalid_event datacontenttype");
        const std::string time = "2024-01-01T00:00:00." + std::string(size - 21, '0') + "Z";
        event = good();
        event.time = time;
        EXPECT_EQ(fault(event), fits ? "" : "invalid_event time");
        const std::string name(size, 'n');
        event = good();
        event.extensions = {{name, ""}};
        EXPECT_EQ(check_event(event, limits).has_value(), fits);
    }
}

TEST(CheckEvent, KeepsTheLimitOfExtensionsAndData) {
    Limits limits;
    limits.body_bytes = 100;
    std::deque<std::string> names;
    Event event = good();
    for (std::uint64_t count = 1; count <= limits.event_extensions + 1; ++count) {
        event.extensions.push_back({names.emplace_back("x" + std::to_string(count)), "v"});
        EXPECT_EQ(check_event(event, limits).has_value(), count <= limits.event_extensions);
    }
    for (const std::size_t size : {99U, 100U, 101U}) {
        const std::string data(size, '\0');
        event = good();
        event.data = data;
        const auto checked = check_event(event, limits);
        EXPECT_EQ(checked.has_value(), size <= 100);
        if (!checked) {
            EXPECT_EQ(checked.error().code, Errc::too_large);
            EXPECT_EQ(checked.error().limit, 100U);
        }
    }
}

}  // namespace
}  // namespace belfry
