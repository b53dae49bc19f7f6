#include "event/cloudevents_http.h"

#include "event/small_event.h"

#include <gtest/gtest.h>

#include <string>

namespace belfry {
namespace {

struct ParsedBinary {
    std::vector<std::string> memory;
    Result<Event> result;
};

std::vector<HeaderField> headers_with(std::vector<HeaderField> more) {
    more.insert(
        more.begin(),
        {{"ce-specversion", "1.0"}, {"ce-type", "t"}, {"ce-source", "/s"}, {"Host", "example.com"}}
    );
    return more;
}

ParsedBinary parse_binary(const std::vector<HeaderField>& headers, std::string_view body = {}) {
    ParsedBinary parsed{.memory = {}, .result = Event{}};
    parsed.result = parse_binary_event(headers, body, Limits{}, parsed.memory);
    return parsed;
}

// The one value that comes out of `ce-x: header`.
std::string decoded(std::string_view header) {
    const ParsedBinary parsed = parse_binary(headers_with({{"ce-x", header}}));
    if (!parsed.result) {
        return errc_name(parsed.result.error().code).data() + (' ' + parsed.result.error().field);
    }
    return std::string(parsed.result->extensions.front().value);
}

TEST(CloudEventsHttp, TellsTheMode) {
    const auto mode = [](std::vector<HeaderField> headers) { return cloudevents_mode(headers); };
    EXPECT_EQ(mode({}), CloudEventsMode::none);
    EXPECT_EQ(mode({{"Content-Type", "application/json"}}), CloudEventsMode::none);
    EXPECT_EQ(mode({{"ce-id", "1"}}), CloudEventsMode::none);
    EXPECT_EQ(mode({{"CE-SpecVersion", "1.0"}}), CloudEventsMode::binary);
    for (const std::string_view type :
         {"application/cloudevents+json",
          "Application/CloudEvents+JSON; charset=utf-8",
          "application/cloudevents",
          "application/cloudevents+xml"}) {
        EXPECT_EQ(mode({{"content-type", type}}), CloudEventsMode::structured) << type;
        EXPECT_EQ(
            mode({{"ce-specversion", "1.0"}, {"content-type", type}}), CloudEventsMode::structured
        );
    }
    EXPECT_EQ(
        mode({{"Content-Type", "application/cloudevents-batch+json"}}), CloudEventsMode::batch
    );
    EXPECT_EQ(mode({{"Content-Type", "application/cloudeventsx"}}), CloudEventsMode::none);
}

TEST(CloudEventsHttp, ReadsTheExampleOfTheSpecification) {
    const ParsedBinary parsed = parse_binary(
        {{"Host", "webhook.example.com"},
         {"ce-specversion", "1.0"},
         {"ce-type", "com.example.someevent"},
         {"ce-time", "2018-04-05T03:56:24Z"},
         {"ce-id", "1234-1234-1234"},
         {"ce-source", "/mycontext/subcontext"},
         {"ce-subject", "b"},
         {"ce-dataschema", "urn:x"},
         {"Content-Type", "application/json; charset=utf-8"},
         {"Content-Length", "2"}},
        "{}"
    );
    ASSERT_TRUE(parsed.result.has_value()) << parsed.result.error().detail;
    const Event& event = *parsed.result;
    EXPECT_EQ(event.type, "com.example.someevent");
    EXPECT_EQ(event.time, "2018-04-05T03:56:24Z");
    EXPECT_EQ(event.id, "1234-1234-1234");
    EXPECT_EQ(event.source, "/mycontext/subcontext");
    EXPECT_EQ(event.subject, "b");
    EXPECT_EQ(event.dataschema, "urn:x");
    EXPECT_EQ(event.datacontenttype, "application/json; charset=utf-8");
    EXPECT_EQ(event.data, "{}");
    EXPECT_TRUE(event.extensions.empty());
    EXPECT_TRUE(parsed.memory.empty());
}

TEST(CloudEventsHttp, NamesOfHeadersHaveNoCase) {
    const ParsedBinary parsed = parse_binary(
        {{"CE-SpecVersion", "1.0"}, {"Ce-Type", "t"}, {"CE-SOURCE", "/s"}, {"Ce-FooBar", "1"}}
    );
    ASSERT_TRUE(parsed.result.has_value()) << parsed.result.error().detail;
    EXPECT_EQ(parsed.result->source, "/s");
    EXPECT_EQ(parsed.result->extensions, (std::vector<Extension>{{"foobar", "1"}}));
}

TEST(CloudEventsHttp, DecodesValues) {
    EXPECT_EQ(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro \xE2\x82\xAC \xF0\x9F\x98\x80");
    EXPECT_EQ(decoded("%e2%82%ac"), "\xE2\x82\xAC");
    EXPECT_EQ(decoded("%41%2541"), "A%41");  // one round
    EXPECT_EQ(decoded("plain text"), "plain text");
    EXPECT_EQ(decoded("\"quoted \\\"text\\\" \\\\ %20\""), "quoted \"text\" \\  ");
    EXPECT_EQ(decoded("\"\""), "");
    EXPECT_EQ(decoded(""), "");
    EXPECT_EQ(decoded("in \"the\" middle"), "in \"the\" middle");
    EXPECT_EQ(decoded("\xC3\xA9"), "\xC3\xA9");
    for (const std::string_view bad :
         {"%",
          "%4",
          "%4g",
          "a%",
          "%%41",
          "\"open",
          "\"",
          "\"a\\\"",
          "\"a\"b",
          "%C0%A0",
          "%FF",
          "%ED%A0%80",
          "%0A",
          "%00",
          "%7F",
          "%C2%80",
          "\xFF"}) {
        EXPECT_EQ(decoded(bad), "invalid_event x") << bad;
    }
}

TEST(CloudEventsHttp, NamesTheAttributeAtFault) {
    const auto fault = [](const std::vector<HeaderField>& headers) {
        const ParsedBinary parsed = parse_binary(headers);
        EXPECT_FALSE(parsed.result.has_value());
        if (parsed.result) {
            return std::string();
        }
        EXPECT_EQ(parsed.result.error().code, Errc::invalid_event);
        return parsed.result.error().field;
    };
    EXPECT_EQ(fault({{"ce-type", "t"}, {"ce-source", "/s"}}), "specversion");
    EXPECT_EQ(
        fault({{"ce-specversion", "0.3"}, {"ce-type", "t"}, {"ce-source", "/s"}}), "specversion"
    );
    EXPECT_EQ(fault({{"ce-specversion", "1.0"}, {"ce-source", "/s"}}), "type");
    EXPECT_EQ(fault({{"ce-specversion", "1.0"}, {"ce-type", "t"}}), "source");
    EXPECT_EQ(fault(headers_with({{"ce-id", "a"}, {"Ce-Id", "b"}})), "id");
    EXPECT_EQ(fault(headers_with({{"ce-specversion", "1.0"}})), "specversion");
    EXPECT_EQ(fault(headers_with({{"ce-x", "a"}, {"ce-X", "a"}})), "x");
    EXPECT_EQ(fault(headers_with({{"ce-id", ""}})), "id");
    EXPECT_EQ(fault(headers_with({{"ce-subject", "\"\""}})), "subject");
    EXPECT_EQ(fault(headers_with({{"ce-datacontenttype", "a/b"}})), "datacontenttype");
    EXPECT_EQ(fault(headers_with({{"ce-data", "x"}})), "data");
    EXPECT_EQ(fault(headers_with({{"ce-", "x"}})), "");
    EXPECT_EQ(fault(headers_with({{"ce-a_b", "x"}})), "a_b");
    EXPECT_EQ(fault(headers_with({{"ce-time", "now"}})), "time");
    EXPECT_EQ(
        fault(headers_with({{"Content-Type", "a/b"}, {"content-type", "a/b"}})), "datacontenttype"
    );
    EXPECT_EQ(fault(headers_with({{"Content-Type", "nonsense"}})), "datacontenttype");
}

// Short decoded texts live inside their strings, so a vector that grew would move them.
TEST(CloudEventsHttp, DecodedTextsStayWhereTheyAre) {
    std::vector<std::string> names;
    for (int i = 0; i < 60; ++i) {
        names.push_back("Ce-X" + std::to_string(i));
    }
    std::vector<HeaderField> headers = headers_with({});
    for (const std::string& name : names) {
        headers.push_back({name, "%41"});
    }
    const ParsedBinary parsed = parse_binary(headers);
    ASSERT_TRUE(parsed.result.has_value()) << parsed.result.error().detail;
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ(parsed.result->extensions[i].name, "x" + std::to_string(i));
        EXPECT_EQ(parsed.result->extensions[i].value, "A");
    }
}

std::string headers_of(const Event& event) {
    StoredEvent stored;
    stored.event = event;
    stored.offset = Offset{17};
    stored.uuid_low = 0x8877665544332211;
    std::string out;
    append_binary_headers(stored, out);
    return out;
}

TEST(CloudEventsHttp, WritesHeaders) {
    Event event = small_event();
    event.id = "1";
    event.subject = "Euro \xE2\x82\xAC \xF0\x9F\x98\x80 \"100%\"";
    event.time = "2024-01-01T00:00:00Z";
    event.dataschema = "#";
    event.extensions = {{"k", "~!"}};
    event.datacontenttype = "text/plain; charset=\"utf-8\"";
    EXPECT_EQ(
        headers_of(event),
        "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n"
        "ce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22\r\n"
        "ce-time: 2024-01-01T00:00:00Z\r\nce-dataschema: #\r\nce-k: ~!\r\n"
        "Content-Type: text/plain; charset=\"utf-8\"\r\n"
    );
    EXPECT_EQ(
        headers_of(small_event()),
        "ce-specversion: 1.0\r\nce-id: 88776655-4433-2202-8877-665544332211\r\n"
        "ce-source: /s\r\nce-type: t\r\n"
    );
}

TEST(CloudEventsHttp, NamesJsonDataWithoutAType) {
    Event event = small_event();
    event.data = "{}";
    EXPECT_TRUE(headers_of(event).ends_with("\r\nContent-Type: application/json\r\n"));
    event.data = "plain";
    EXPECT_EQ(headers_of(event).find("Content-Type"), std::string::npos);
}

// Even an event that no check has seen cannot add a header of its own.
TEST(CloudEventsHttp, LetsNoLineEndThrough) {
    Event event = small_event();
    event.id = "a\r\nX-Evil: 1";
    event.datacontenttype = "a/b\r\nX-Evil: 1";
    EXPECT_EQ(
        headers_of(event),
        "ce-specversion: 1.0\r\nce-id: a%0D%0AX-Evil:%201\r\nce-source: /s\r\nce-type: t\r\n"
    );
}

TEST(CloudEventsHttp, ReadsBackWhatItWrites) {
    std::string all;
    for (int byte = 0x20; byte < 0x7F; ++byte) {
        all += static_cast<char>(byte);
    }
    all += "\xC2\xA0\xF0\x9F\x94\x94";
    Event event = small_event();
    event.id = all;
    event.subject = all;
    event.extensions = {{"k", all}, {"quoted", "\"x\""}, {"spaces", "  a  "}};
    const std::string text = headers_of(event);
    std::vector<HeaderField> headers;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(line.size() + 2);
        headers.push_back({line.substr(0, line.find(':')), line.substr(line.find(':') + 2)});
    }
    const ParsedBinary parsed = parse_binary(headers);
    ASSERT_TRUE(parsed.result.has_value()) << parsed.result.error().detail;
    EXPECT_EQ(parsed.result->id, event.id);
    EXPECT_EQ(parsed.result->subject, event.subject);
    EXPECT_EQ(parsed.result->extensions, event.extensions);
}

}  // namespace
}  // namespace belfry
