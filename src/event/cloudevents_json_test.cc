#include "event/cloudevents_json.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace belfry {
namespace {

const Limits kLimits;

// Parsed events together with the text under them.
struct Parsed {
    std::unique_ptr<std::string> text;
    Result<ParsedEvents> result;

    [[nodiscard]] const Event& event() const { return result.value().events.front(); }
    [[nodiscard]] const Error& error() const { return result.error(); }
};

Parsed parse(std::string_view json, const Limits& limits = kLimits) {
    // A text of its own size on the heap: reading past it would be seen.
    auto text = std::make_unique<std::string>(json);
    text->shrink_to_fit();
    const CloudEventsJsonParser parser(limits);
    auto result = parser.parse_one(*text);
    return {std::move(text), std::move(result)};
}

std::string with(std::string_view members) {
    return R"({"specversion":"1.0","type":"t","source":"/s")" + std::string(members) + "}";
}

std::string written(const Event& event, LogMembers members = LogMembers::leave_out) {
    StoredEvent stored;
    stored.event = event;
    stored.offset = Offset{17};
    stored.recorded = WallTime{std::chrono::microseconds{1'234'567'890'123'456}};
    stored.uuid_low = 0x8877665544332211;
    std::string out;
    append_event_json(stored, members, out);
    return out;
}

TEST(CloudEventsJson, ReadsTheExamplesOfTheSpecification) {
    const Parsed json = parse(R"({
    "specversion" : "1.0",
    "type" : "com.example.someevent",
    "source" : "/mycontext",
    "subject": null,
    "id" : "C234-1234-1234",
    "time" : "2018-04-05T17:31:00Z",
    "comexampleextension1" : "value",
    "comexampleothervalue" : 5,
    "unsetextension": null,
    "datacontenttype" : "application/json",
    "data" : {
        "appinfoA" : "abc",
        "appinfoB" : 123,
        "appinfoC" : true
    }
})");
    ASSERT_TRUE(json.result.has_value()) << json.error().detail;
    const Event& event = json.event();
    EXPECT_EQ(event.tenant, "default");
    EXPECT_EQ(event.id, "C234-1234-1234");
    EXPECT_EQ(event.source, "/mycontext");
    EXPECT_EQ(event.type, "com.example.someevent");
    EXPECT_EQ(event.subject, "");
    EXPECT_EQ(event.time, "2018-04-05T17:31:00Z");
    EXPECT_EQ(event.datacontenttype, "application/json");
    EXPECT_EQ(
        event.extensions,
        (std::vector<Extension>{{"comexampleextension1", "value"}, {"comexampleothervalue", "5"}})
    );
    EXPECT_EQ(
        event.data,
        "{\n        \"appinfoA\" : \"abc\",\n        \"appinfoB\" : 123,\n        \"appinfoC\" : "
        "true\n    }"
    );
    EXPECT_EQ(
        parse(with(R"(,"datacontenttype":"application/xml","data":"<much wow=\"xml\"/>")"))
            .event()
            .data,
        "<much wow=\"xml\"/>"
    );
    EXPECT_EQ(parse(with(R"(,"data":"I'm just a string")")).event().data, "\"I'm just a string\"");
    EXPECT_EQ(
        parse(
            with(R"(,"datacontenttype":"application/vnd.apache.thrift.binary","data_base64":"AP8B")"
            )
        )
            .event()
            .data,
        std::string_view("\0\xFF\x01", 3)
    );
}

TEST(CloudEventsJson, KeepsJsonDataByteForByte) {
    for (const std::string_view data :
         {"123456789012345678901234567890",
          "1.0",
          "1E400",
          "-0",
          "null",
          "\"\"",
          "\"\\ud800\"",
          "[ 1 ,\t2 ]",
          "{\"a\":1,\"a\":2}",
          "true",
          "{}",
          "\"\\u0041\\/\""}) {
        const Parsed parsed = parse(with(",\"data\": " + std::string(data) + " "));
        ASSERT_TRUE(parsed.result.has_value()) << data;
        EXPECT_EQ(parsed.event().data, data);
        EXPECT_NE(
            written(parsed.event()).find(",\"data\":" + std::string(data) + "}"), std::string::npos
        );
    }
    const Parsed ld = parse(with(R"(,"data":{ },"datacontenttype":"application/ld+json; x=y")"));
    EXPECT_EQ(ld.event().data, "{ }");
}

TEST(CloudEventsJson, TellsAbsentDataFromEmpty) {
    EXPECT_FALSE(parse(with("")).event().data.has_value());
    EXPECT_FALSE(parse(with(R"(,"data_base64":null)")).event().data.has_value());
    EXPECT_EQ(parse(with(R"(,"data_base64":"")")).event().data, "");
    EXPECT_EQ(parse(with(R"(,"datacontenttype":"text/plain","data":"")")).event().data, "");
    EXPECT_FALSE(
        parse(with(R"(,"datacontenttype":"text/plain","data":null)")).event().data.has_value()
    );
}

TEST(CloudEventsJson, UnescapesAttributes) {
    const Parsed parsed =
        parse(with(R"(,"\u0069d":"\u0041\u00e9\uD83D\uDE00\/\"","\u0078":"\\","subject":"a\u0062c")"
        ));
    ASSERT_TRUE(parsed.result.has_value()) << parsed.error().detail;
    EXPECT_EQ(parsed.event().id, "A\xC3\xA9\xF0\x9F\x98\x80/\"");
    EXPECT_EQ(parsed.event().subject, "abc");
    EXPECT_EQ(parsed.event().extensions, (std::vector<Extension>{{"x", "\\"}}));
}

TEST(CloudEventsJson, WritesExtensionsOfOtherTypesAsText) {
    const Parsed parsed = parse(
        with(R"(,"a":true,"b":false,"c":-2147483648,"d":2147483647,"e":-0,"f":0,"g":"","h":null)")
    );
    ASSERT_TRUE(parsed.result.has_value()) << parsed.error().detail;
    EXPECT_EQ(
        parsed.event().extensions,
        (std::vector<Extension>{
            {"a", "true"},
            {"b", "false"},
            {"c", "-2147483648"},
            {"d", "2147483647"},
            {"e", "0"},
            {"f", "0"},
            {"g", ""}
        })
    );
    for (const std::string_view value :
         {"2147483648", "-2147483649", "1.0", "1e2", "[]", "{}", "99999999999999999999"}) {
        EXPECT_EQ(parse(with(",\"a\":" + std::string(value))).error().field, "a") << value;
    }
}

TEST(CloudEventsJson, NamesTheMemberAtFault) {
    const auto check = [](std::string_view json, Errc code, std::string_view field) {
        const Parsed parsed = parse(json);
        ASSERT_FALSE(parsed.result.has_value()) << json;
        EXPECT_EQ(parsed.error().code, code) << json;
        EXPECT_EQ(parsed.error().field, field) << json;
        EXPECT_FALSE(parsed.error().detail.empty());
        EXPECT_FALSE(parsed.error().index.has_value());
    };
    check("[]", Errc::invalid_event, "");
    check("1", Errc::invalid_event, "");
    check("{}", Errc::invalid_event, "specversion");
    check(R"({"specversion":"1.0","source":"/s"})", Errc::invalid_event, "type");
    check(R"({"specversion":"1.0","type":"t"})", Errc::invalid_event, "source");
    check(R"({"specversion":"0.3","type":"t","source":"/s"})", Errc::invalid_event, "specversion");
    check(R"({"specversion":1.0,"type":"t","source":"/s"})", Errc::invalid_event, "specversion");
    check(with(R"(,"id":"")"), Errc::invalid_event, "id");
    check(with(R"(,"id":5)"), Errc::invalid_event, "id");
    check(with(R"(,"subject":"")"), Errc::invalid_event, "subject");
    check(with(R"(,"time":"now")"), Errc::invalid_event, "time");
    check(with(R"(,"subject":"\n")"), Errc::invalid_event, "subject");
    check(with(R"(,"subject":"\ud800")"), Errc::invalid_event, "subject");
    check(with(R"(,"x":"\udc00")"), Errc::invalid_event, "x");
    check(with(R"(,"\ud800":"x")"), Errc::invalid_event, "");
    check(with(R"(,"camelCase":"x")"), Errc::invalid_event, "camelCase");
    check(with(R"(,"type":"t")"), Errc::invalid_event, "type");
    check(with(R"(,"\u0074ype":"t")"), Errc::invalid_event, "type");
    check(with(R"(,"subject":null,"subject":"x")"), Errc::invalid_event, "subject");
    check(with(R"(,"x":"1","x":"1")"), Errc::invalid_event, "x");
    check(with(R"(,"x":null,"x":"1")"), Errc::invalid_event, "x");
    check(with(R"(,"x":"1","x":null)"), Errc::invalid_event, "x");
    check(with(R"(,"x":null,"x":null)"), Errc::invalid_event, "x");
    check(with(R"(,"data":1,"data":1)"), Errc::invalid_event, "data");
    check(with(R"(,"data":1,"data_base64":"AA==")"), Errc::invalid_event, "data_base64");
    check(with(R"(,"data_base64":"AA=")"), Errc::invalid_event, "data_base64");
    check(with(R"(,"data_base64":"A_-=")"), Errc::invalid_event, "data_base64");
    check(with(R"(,"data_base64":5)"), Errc::invalid_event, "data_base64");
    check(with(R"(,"datacontenttype":"text/plain","data":{})"), Errc::invalid_event, "data");
    check(with(R"(,"datacontenttype":"text/plain","data":"\ud800")"), Errc::invalid_event, "data");
    for (const std::string_view text :
         {"",
          " ",
          "{",
          "{\"a\"",
          "nul",
          "{\"a\":1,}",
          "{\"data\":01}",
          "{\"data\":[1,]}",
          "{\"id\":\"a}",
          "\xEF\xBB\xBF{}",
          "{\"data\":\"\xFF\"}",
          "{\"id\":tru}"}) {
        check(text, Errc::bad_request, "");
    }
    check(with("") + "x", Errc::bad_request, "");
    check(with("") + with(""), Errc::bad_request, "");
}

TEST(CloudEventsJson, NeverAcceptsACutText) {
    const std::string text =
        with(R"(,"id":"a\u0041","x":true,"n":12,"time":"2024-01-01T00:00:00Z","data":{"a":[1,"b"]})"
        );
    EXPECT_TRUE(parse(text).result.has_value());
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(parse(std::string_view(text).substr(0, size)).result.has_value()) << size;
    }
}

TEST(CloudEventsJson, KeepsTheLimitOfExtensions) {
    const auto extensions = [](std::uint64_t count, std::string_view value) {
        std::string members;
        for (std::uint64_t i = 0; i < count; ++i) {
            members += ",\"x" + std::to_string(i) + "\":" + std::string(value);
        }
        return with(members);
    };
    for (const std::string_view value : {"\"v\"", "null", "1"}) {
        EXPECT_TRUE(parse(extensions(63, value)).result.has_value());
        EXPECT_TRUE(parse(extensions(64, value)).result.has_value());
        EXPECT_EQ(parse(extensions(65, value)).error().limit, 64U);
    }
}

TEST(CloudEventsJson, ReadsBatches) {
    const CloudEventsJsonParser parser(kLimits);
    EXPECT_TRUE(parser.parse_batch(" [ ] ")->events.empty());
    const std::string text = "[" + with(R"(,"id":"1")") + " , " + with(R"(,"id":"\u0032")") + "]";
    auto moved = parser.parse_batch(text);
    ASSERT_TRUE(moved.has_value());
    // The unescaped texts move along.
    const ParsedEvents parsed = std::move(*moved);
    ASSERT_EQ(parsed.events.size(), 2U);
    EXPECT_EQ(parsed.events[0].id, "1");
    EXPECT_EQ(parsed.events[1].id, "2");
}

TEST(CloudEventsJson, RefusesABatchAsAWhole) {
    const CloudEventsJsonParser parser(kLimits);
    const auto check = [&parser](const std::string& text, Errc code, auto index) {
        const auto parsed = parser.parse_batch(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error().code, code) << text;
        EXPECT_EQ(parsed.error().index, index) << text;
    };
    const std::optional<std::uint64_t> none;
    check("", Errc::bad_request, none);
    check(with(""), Errc::bad_request, none);
    check("[" + with(""), Errc::bad_request, none);
    check("[" + with("") + ",]", Errc::bad_request, std::optional<std::uint64_t>(1));
    check("[" + with("") + "]x", Errc::bad_request, none);
    check("[" + with("") + ",1]", Errc::invalid_event, std::optional<std::uint64_t>(1));
    check(
        "[" + with("") + "," + with("") + "," + with(R"(,"id":5)") + "]",
        Errc::invalid_event,
        std::optional<std::uint64_t>(2)
    );
}

TEST(CloudEventsJson, KeepsTheLimitOfBatches) {
    Limits limits;
    limits.batch_events = 3;
    const CloudEventsJsonParser parser(limits);
    for (std::size_t count = 2; count <= 4; ++count) {
        std::string batch;
        std::string lines;
        for (std::size_t i = 0; i < count; ++i) {
            batch += (i == 0 ? "[" : ",") + with("");
            lines += with("") + "\n";
        }
        const auto from_batch = parser.parse_batch(batch + "]");
        const auto from_lines = parser.parse_lines(lines);
        EXPECT_EQ(from_batch.has_value(), count <= 3);
        EXPECT_EQ(from_lines.has_value(), count <= 3);
        if (count > 3) {
            EXPECT_EQ(from_batch.error().code, Errc::too_large);
            EXPECT_EQ(from_batch.error().limit, 3U);
            EXPECT_EQ(from_lines.error().code, Errc::too_large);
        }
    }
}

TEST(CloudEventsJson, ReadsLines) {
    const CloudEventsJsonParser parser(kLimits);
    EXPECT_TRUE(parser.parse_lines("")->events.empty());
    EXPECT_TRUE(parser.parse_lines("\n \r\n")->events.empty());
    const std::string text =
        with(R"(,"id":"1")") + "\r\n\n" + with(R"(,"id":"2")") + "\n" + with(R"(,"id":"3")");
    const auto parsed = parser.parse_lines(text);
    ASSERT_TRUE(parsed.has_value());
    ASSERT_EQ(parsed->events.size(), 3U);
    EXPECT_EQ(parsed->events[2].id, "3");
    const auto two = parser.parse_lines(with("") + "\n" + with("") + with(""));
    EXPECT_EQ(two.error().code, Errc::bad_request);
    EXPECT_EQ(two.error().index, 1U);
    const auto split = parser.parse_lines("{\n}");
    EXPECT_EQ(split.error().code, Errc::bad_request);
    EXPECT_EQ(split.error().index, 0U);
}

TEST(CloudEventsJson, GivesTheDefaultSource) {
    const CloudEventsJsonParser parser(kLimits, "/belfry/http");
    const auto parsed = parser.parse_one(R"({"specversion":"1.0","type":"t"})");
    EXPECT_EQ(parsed->events.front().source, "/belfry/http");
    EXPECT_EQ(parser.parse_one(with("")).value().events.front().source, "/s");
}

TEST(EventJson, WritesAWholeEvent) {
    Event event;
    event.id = "i\"1";
    event.source = "/s";
    event.type = "t";
    event.subject = "b";
    event.time = "2024-01-01T00:00:00Z";
    event.datacontenttype = "application/json";
    event.dataschema = "#";
    event.extensions = {{"k", "v"}, {"offset", "mine"}};
    event.data = "{\"a\": 1}";
    EXPECT_EQ(
        written(event),
        R"({"specversion":"1.0","id":"i\"1","source":"/s","type":"t","subject":"b",)"
        R"("time":"2024-01-01T00:00:00Z","datacontenttype":"application/json","dataschema":"#",)"
        R"("k":"v","offset":"mine","data":{"a": 1}})"
    );
    event = Event{};
    event.source = "/s";
    event.type = "t";
    EXPECT_EQ(
        written(event, LogMembers::add),
        R"({"specversion":"1.0","id":"88776655-4433-2202-8877-665544332211","source":"/s",)"
        R"("type":"t","offset":17,"recorded":"2009-02-13T23:31:30.123456Z","tenant":"default",)"
        R"("uuid":"88776655-4433-2202-8877-665544332211"})"
    );
    // The log's members win, so that no name stands twice.
    event.extensions = {{"tenant", "mine"}, {"k", "v"}};
    EXPECT_EQ(written(event, LogMembers::add).find("mine"), std::string::npos);
}

TEST(EventJson, ChoosesTheFormOfData) {
    const auto form = [](std::string_view type, std::string_view data) {
        Event event;
        event.source = "/s";
        event.type = "t";
        event.datacontenttype = type;
        event.data = data;
        const std::string json = written(event);
        const std::size_t at = json.find(",\"data\":");
        return json.substr((at == std::string::npos ? json.find(",\"data_base64\":") : at) + 1);
    };
    EXPECT_EQ(form("", "{}"), R"("data":{}})");
    EXPECT_EQ(
        form("application/json", "12345678901234567890123"), R"("data":12345678901234567890123})"
    );
    EXPECT_EQ(form("application/json", "{"), R"("data_base64":"ew=="})");
    EXPECT_EQ(form("application/json", ""), R"("data_base64":""})");
    EXPECT_EQ(form("", "plain"), R"("data_base64":"cGxhaW4="})");
    EXPECT_EQ(form("text/plain", "a\"\n{}"), R"("data":"a\"\n{}"})");
    EXPECT_EQ(form("text/plain", "\xFF"), R"("data_base64":"/w=="})");
    EXPECT_EQ(form("text/plain; charset=latin1", "abc"), R"("data_base64":"YWJj"})");
    EXPECT_EQ(form("image/png", "abc"), R"("data_base64":"YWJj"})");
    EXPECT_EQ(form("application/json", "{}{}"), R"("data_base64":"e317fQ=="})");
    // Data cannot close the object and add members of its own.
    EXPECT_EQ(form("", "1},\"x\":{\"y\":2"), R"("data_base64":"MX0sIngiOnsieSI6Mg=="})");
    EXPECT_EQ(form("", "{\n\"a\":\r\n1}"), "\"data\":{ \"a\":  1}}");
}

TEST(EventJson, ReadsBackWhatItWrites) {
    Event event;
    event.id = "\xC3\xA9\xF0\x9F\x94\x94\\";
    event.source = "/s";
    event.type = "t t";
    event.subject = "\"";
    event.dataschema = "urn:x";
    event.extensions = {{"a", "\""}, {"b", ""}};
    for (const auto& [type, data] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"application/json", "[1,2]"},
             {"", "\"x\""},
             {"text/plain", "li\nne"},
             {"image/png", std::string_view("\0\xFF", 2)},
             {"application/json", "not json"}
         }) {
        event.datacontenttype = type;
        event.data = data;
        const Parsed parsed = parse(written(event));
        ASSERT_TRUE(parsed.result.has_value()) << parsed.error().detail;
        const Event& back = parsed.event();
        EXPECT_EQ(back.id, event.id);
        EXPECT_EQ(back.subject, event.subject);
        EXPECT_EQ(back.extensions, event.extensions);
        EXPECT_EQ(back.datacontenttype, event.datacontenttype);
        EXPECT_EQ(back.data, event.data);
    }
}

}  // namespace
}  // namespace belfry
