#include "catalog/service.h"

#include "catalog/node_identity.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

const Limits kServiceLimits;

Service parsed_service(std::string_view json) {
    Result<Service> service = parse_service(json, kServiceLimits);
    EXPECT_TRUE(service) << (service ? "" : service.error().detail);
    return service ? *service : Service{};
}

std::string refusal(std::string_view json) {
    Result<Service> service = parse_service(json, kServiceLimits);
    if (service) {
        return "none";
    }
    EXPECT_EQ(service.error().code, Errc::bad_request);
    return service.error().detail;
}

std::string meta_of(std::size_t pairs) {
    std::string json = R"({"Name":"a","Meta":{)";
    for (std::size_t i = 0; i < pairs; ++i) {
        json += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + R"(":"v")";
    }
    return json + "}}";
}

TEST(Service, EveryMemberIsRead) {
    const Service service = parsed_service(
        R"({"ID":"r1","Name":"redis","Tags":["primary","v1"],"Address":"10.0.0.1","Port":8000,)"
        R"("Meta":{"redis_version":"4.0"}})"
    );
    const Service expected{
        .id = "r1",
        .name = "redis",
        .tags = {"primary", "v1"},
        .address = "10.0.0.1",
        .port = 8000,
        .meta = {{"redis_version", "4.0"}}
    };
    EXPECT_EQ(service, expected);
}

TEST(Service, MembersAreFoundInAnyCase) {
    EXPECT_EQ(parsed_service(R"({"id":"x","nAmE":"n","TAGS":["t"],"port":1})").id, "x");
    EXPECT_EQ(parsed_service(R"({"id":"x","nAmE":"n","TAGS":["t"],"port":1})").tags.size(), 1U);
    EXPECT_EQ(
        refusal(R"({"Name":"a","name":"b"})"), "Request decode failed: Name: it is there twice"
    );
}

TEST(Service, TheIdIsTheNameIfItIsLeftOut) {
    EXPECT_EQ(parsed_service(R"({"Name":"web"})").id, "web");
    EXPECT_EQ(parsed_service(R"({"ID":"","Name":"web"})").id, "web");
    EXPECT_EQ(
        parsed_service(R"({"ID":null,"Name":"web","Tags":null,"Port":null,"Meta":null})").id, "web"
    );
}

TEST(Service, WhatBelfryDoesNotKeepIsPassedOver) {
    const Service service = parsed_service(
        R"({"Name":"web","Check":{"HTTP":"http://x","Interval":"10s"},"Checks":[{"TTL":"1s"}],)"
        R"("Weights":{"Passing":10},"EnableTagOverride":false,"Connect":{},"Namespace":"x"})"
    );
    EXPECT_EQ(service.name, "web");
}

TEST(Service, MistakesAreSaidInConsulsWords) {
    EXPECT_EQ(refusal("{}"), "Missing service name");
    EXPECT_EQ(refusal(R"({"ID":"x"})"), "Missing service name");
    EXPECT_EQ(refusal(R"({"Name":"x","Address":"0.0.0.0"})"), "Invalid service address");
    EXPECT_EQ(refusal(R"({"Name":"x","Address":"::"})"), "Invalid service address");
    EXPECT_EQ(
        refusal(R"({"Name":"x","Meta":{"":"v"}})"), "Invalid Service Meta: Key cannot be blank"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"x","Meta":{"a b":"v"}})"),
        "Invalid Service Meta: Key contains invalid characters"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"x","Meta":{"consul-a":"v"}})"),
        "Invalid Service Meta: Key prefix 'consul-' is reserved for internal use"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"x","Meta":{")" + std::string(129, 'k') + R"(":"v"}})"),
        "Invalid Service Meta: Key is too long (limit: 128 characters)"
    );
    EXPECT_EQ(refusal(meta_of(64)), "none");
    EXPECT_EQ(
        refusal(meta_of(65)),
        "Invalid Service Meta: Node metadata cannot contain more than 64 key/value pairs"
    );
}

TEST(Service, WhatCannotBeDecodedIsNamed) {
    for (const std::string_view bad : {"", "[]", "1", "null", "{", R"({"Name":"a"}x)", "\xff"}) {
        EXPECT_TRUE(refusal(bad).starts_with("Request decode failed: ")) << bad;
    }
    EXPECT_EQ(refusal(R"({"Name":1})"), "Request decode failed: Name: a string is expected");
    EXPECT_EQ(
        refusal(R"({"Name":"a","Tags":"b"})"),
        "Request decode failed: Tags: an array of strings is expected"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"a","Tags":[1]})"), "Request decode failed: Tags: a string is expected"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"a","Meta":[]})"),
        "Request decode failed: Meta: an object of strings is expected"
    );
    for (const std::string_view port : {"-1", "65536", "1.5", "\"80\"", "18446744073709551615"}) {
        EXPECT_EQ(
            refusal(R"({"Name":"a","Port":)" + std::string(port) + "}"),
            "Request decode failed: Port: a whole number from 0 to 65535 is expected"
        ) << port;
    }
}

TEST(Service, TextsHaveBounds) {
    const std::string longest(255, 'n');
    EXPECT_EQ(refusal(R"({"Name":")" + longest + "\"}"), "none");
    EXPECT_EQ(
        refusal(R"({"Name":")" + longest + "n\"}"),
        "Request decode failed: Name: at most 255 bytes are allowed"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"a\u0000"})"),
        "Request decode failed: Name: control characters are not allowed"
    );
    EXPECT_EQ(
        refusal(R"({"Name":"a","Meta":{"k":")" + std::string(513, 'v') + "\"}}"),
        "Request decode failed: Meta: at most 512 bytes are allowed"
    );
}

TEST(Service, TagsAreBounded) {
    std::string json = R"({"Name":"a","Tags":["t")";
    for (int i = 1; i < 64; ++i) {
        json += ",\"t\"";
    }
    EXPECT_EQ(parsed_service(json + "]}").tags.size(), 64U);
    EXPECT_EQ(
        refusal(json + ",\"t\"]}"), "Request decode failed: Tags: at most 64 tags are allowed"
    );
}

TEST(Service, WhatIsStoredReadsBackEqual) {
    Service service{.id = "a/b \"c\"", .name = "näme", .tags = {"x", "\\"}, .port = 65535};
    service.meta = {{"k", "v\"1"}, {"l", ""}};
    EXPECT_EQ(parse_stored_service(stored_service_json(service)).value(), service);
    const Service plain{.id = "p", .name = "p"};
    EXPECT_EQ(parse_stored_service(stored_service_json(plain)).value(), plain);
}

TEST(Service, AListNamesThePlaceOfAMistake) {
    EXPECT_EQ(parse_services(R"([{"name":"a"},{"name":"b"}])", kServiceLimits).value().size(), 2U);
    EXPECT_TRUE(parse_services("[]", kServiceLimits).value().empty());
    const Error missing = parse_services(R"([{"name":"a"},{}])", kServiceLimits).error();
    EXPECT_EQ(missing.detail, "Missing service name");
    EXPECT_EQ(missing.field, "[1]");
    const Error same =
        parse_services(R"([{"name":"a"},{"id":"a","name":"b"}])", kServiceLimits).error();
    EXPECT_EQ(same.detail, "an earlier service has the ID `a`; give each its own");
    EXPECT_EQ(same.field, "[1]");
    EXPECT_EQ(
        parse_services(R"([{"name":"a","port":"x"}])", kServiceLimits).error().detail,
        "Port: a whole number from 0 to 65535 is expected"
    );
    EXPECT_EQ(
        parse_services(R"({"name":"a"})", kServiceLimits).error().detail,
        "a list of services is expected"
    );
    Limits two;
    two.services = 1;
    EXPECT_EQ(
        parse_services(R"([{"name":"a"},{"name":"b"}])", two).error().detail,
        "2 services are more than limits.services"
    );
}

TEST(NodeIdentity, TheIdIsStableForTheName) {
    EXPECT_EQ(node_id("web-1"), node_id("web-1"));
    EXPECT_NE(node_id("web-1"), node_id("web-2"));
    EXPECT_EQ(node_id("web-1").size(), 36U);
}

}  // namespace
}  // namespace belfry
