#include "doors/consul/answer.h"

#include "doors/recording_connection.h"

#include <gtest/gtest.h>

#include <zlib.h>

namespace belfry {
namespace {

std::string unzipped(std::string_view bytes) {
    std::string out(1'000'000, '\0');
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    std::string in(bytes);
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

TEST(ConsulWireJson, CompactIsLeftAlone) {
    const WireJson wire = wire_json(R"([{"a":1}])", {});
    EXPECT_EQ(wire.bytes, "");
    EXPECT_FALSE(wire.is_gzip);
}

TEST(ConsulWireJson, PrettyIsAsGoIndents) {
    EXPECT_EQ(
        wire_json(R"([{"a":"x,[\"{:","b":null,"c":{},"d":[]},{"e":[1,2]}])", {.pretty = true})
            .bytes,
        "[\n    {\n        \"a\": \"x,[\\\"{:\",\n        \"b\": null,\n        \"c\": {},\n"
        "        \"d\": []\n    },\n    {\n        \"e\": [\n            1,\n            2\n"
        "        ]\n    }\n]\n"
    );
    EXPECT_EQ(wire_json("[]", {.pretty = true}).bytes, "[]\n");
}

TEST(ConsulWireJson, OnlyWhatIsLongIsCompressed) {
    const std::string shorter = "\"" + std::string(1397, 'x') + "\"";
    EXPECT_FALSE(wire_json(shorter, {.gzip = true}).is_gzip);
    const std::string longer = "\"" + std::string(1398, 'x') + "\"";
    const WireJson wire = wire_json(longer, {.gzip = true});
    EXPECT_TRUE(wire.is_gzip);
    EXPECT_EQ(unzipped(wire.bytes), longer);
    EXPECT_EQ(unzipped(wire_json(longer, {.pretty = true, .gzip = true}).bytes), longer + "\n");
}

struct Request {
    explicit Request(std::vector<HeaderField> fields, std::string_view raw_query = "")
        : headers(std::move(fields)) {
        request.headers = headers;
        EXPECT_TRUE(query.parse(raw_query));
    }
    JsonForm form() {
        RequestContext context{request, path, query, caller, Exchange()};
        return json_form(context);
    }
    std::vector<HeaderField> headers;
    HttpRequest request;
    PathParameters path;
    Query query;
    Caller caller;
};

TEST(ConsulJsonForm, FollowsTheRequest) {
    EXPECT_EQ(Request({}).form(), (JsonForm{}));
    EXPECT_EQ(Request({}, "pretty").form(), (JsonForm{.pretty = true}));
    EXPECT_EQ(Request({}, "pretty=false").form(), (JsonForm{.pretty = true}));
    for (std::string_view accepted : {"gzip", "deflate, GZIP;q=0.5", "br,gzip ; q=1"}) {
        EXPECT_TRUE(Request({{"Accept-Encoding", accepted}}).form().gzip) << accepted;
    }
    for (std::string_view refused : {"", "*", "gzip;q=0", "x-gzip", "deflate, gzip; q=0.000"}) {
        EXPECT_FALSE(Request({{"Accept-Encoding", refused}}).form().gzip) << refused;
    }
}

TEST(ConsulAnswers, SayTheDefaultPolicyOnEveryAnswer) {
    bool denies = false;
    ConsulAnswers answers([&] { return denies; });
    RecordingConnection connection;
    auto [exchange, number] = connection.open();
    answers.text(exchange, 400, "Missing name");
    EXPECT_EQ(connection.answer(number).status, 400);
    EXPECT_EQ(connection.answer(number).body, "Missing name");
    EXPECT_EQ(connection.answer(number).content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(
        connection.answer(number).headers,
        "Vary: Accept-Encoding\r\nX-Consul-Default-Acl-Policy: allow\r\n"
    );
    denies = true;
    auto [other, other_number] = connection.open();
    answers.wire(other, "[]", true, "X-Consul-Index: 1\r\n");
    EXPECT_EQ(
        connection.answer(other_number).headers,
        "Vary: Accept-Encoding\r\nX-Consul-Default-Acl-Policy: deny\r\n"
        "Content-Encoding: gzip\r\nX-Consul-Index: 1\r\n"
    );
}

TEST(ConsulAnswers, NameTheMethodsInConsulsOrder) {
    EXPECT_EQ(ConsulAnswers::allow_line("PUT, OPTIONS"), "Allow: OPTIONS,PUT\r\n");
    EXPECT_EQ(ConsulAnswers::allow_line("GET, HEAD, OPTIONS"), "Allow: OPTIONS,GET\r\n");
}

}  // namespace
}  // namespace belfry
