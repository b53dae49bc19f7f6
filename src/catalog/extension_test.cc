#include "catalog/extension_document.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

Result<RegisteredExtension> parse_registration(std::string_view json) {
    return parse_extension(json, ExtensionDefaults{}, Limits());
}

// "code field: detail" of what is refused.
std::string refusal_of(std::string_view json) {
    const Result<RegisteredExtension> extension = parse_registration(json);
    if (extension) {
        return "accepted";
    }
    EXPECT_NE(extension.error().detail, "") << json;
    return std::string(errc_name(extension.error().code)) + " " + extension.error().field;
}

std::string shown(const RegisteredExtension& extension) {
    std::string out = "{";
    append_extension_members(out, extension);
    return out + "}";
}

constexpr const char* kWholeRegistration = R"({
    "name":"dd","url":"https://u:p%40ss@Datadog.example:8443/ext/?x=1","method":"post",
    "tls":{"ca":"/c/ca.pem","cert":"/c/cert.pem","key":"/c/key.pem"},
    "pathResolution":"origin","profile":{"poll":{"interval":"10s","limit":7}},
    "delivery":{"timeout":"5s","retry":["2s"],"max_unsettled":10}})";

TEST(Extension, NoValueOfItsQueryIsShown) {
    for (const auto& [url, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"http://h/", "http://h/"},
             {"http://h/p?s3cr3t", "http://h/p?…"},
             {"http://h/p?token=s3cr3t", "http://h/p?token=…"},
             {"http://h/?a=s3cr3t&b=s3=cr3t&s3cr3t&c=", "http://h/?a=…&b=…&…&c=…"},
         }) {
        const Result<RegisteredExtension> extension =
            parse_registration(R"({"url":")" + url + "\"}");
        ASSERT_TRUE(extension.has_value()) << extension.error().detail;
        EXPECT_THAT(shown(*extension), testing::HasSubstr("\"url\":\"" + wanted + "\""));
        EXPECT_THAT(stored_extension_json(*extension), testing::HasSubstr(url)) << "it is called";
    }
}

TEST(Extension, NeedsNoMoreThanAUrl) {
    const Result<RegisteredExtension> extension =
        parse_registration(R"({"url":"http://Host.example:8080"})");
    ASSERT_TRUE(extension.has_value()) << extension.error().detail;
    EXPECT_EQ(extension->name, "host.example:8080");
    EXPECT_EQ(extension->url, "http://host.example:8080/");
    EXPECT_EQ(extension->method, "GET");
    EXPECT_FALSE(extension->poll.has_value());
    EXPECT_EQ(extension->delivery.order, DeliveryPolicy::Order::all);
    EXPECT_EQ(extension->delivery.timeout, 30s);
    EXPECT_THAT(extension->delivery.retry, testing::ElementsAre(1s, 5s, 30s, 2min, 5min));
    EXPECT_EQ(extension->subscription_name(), "steadybit/host.example:8080");
}

TEST(Extension, ReadsAWholeRegistration) {
    const Result<RegisteredExtension> extension = parse_registration(kWholeRegistration);
    ASSERT_TRUE(extension.has_value()) << extension.error().detail << extension.error().field;
    EXPECT_EQ(extension->name, "dd");
    EXPECT_EQ(extension->url, "https://datadog.example:8443/ext/?x=1") << "without the user";
    EXPECT_EQ(extension->basic, (BasicAuth{"u", "p@ss"}));
    EXPECT_EQ(extension->method, "POST");
    EXPECT_EQ(extension->paths, RegisteredExtension::Paths::origin);
    EXPECT_EQ(extension->poll, (Pace{.events = 7, .every = 10s}));
    EXPECT_EQ(extension->delivery.timeout, 5s);
    EXPECT_THAT(extension->delivery.retry, testing::ElementsAre(2s));
    EXPECT_EQ(extension->delivery.order, DeliveryPolicy::Order::all);
    EXPECT_EQ(parse_stored_extension(stored_extension_json(*extension)), *extension);
}

TEST(Extension, ShowsNoPasswordAndNoFile) {
    const std::string json = shown(parse_registration(kWholeRegistration).value());
    EXPECT_EQ(
        json,
        R"({"name":"dd","url":"https://datadog.example:8443/ext/?x=…","origin":"api",)"
        R"("method":"POST","basic":{"username":"u","password":{"set":true}},)"
        R"("tls":{"ca":{"set":true},"cert":{"set":true},"key":{"set":true}},)"
        R"("pathResolution":"origin","profile":{"poll":{"interval":"10s","limit":7}},)"
        R"("delivery":{"order":"all","timeout":"5s","max_in_flight":1,"retry":["2s"],)"
        R"("max_unsettled":10}})"
    );
}

TEST(Extension, OneUrlIsOneIdentity) {
    auto identity = [](const std::string& url) {
        return parse_registration(R"({"url":")" + url + "\"}").value().identity();
    };
    EXPECT_EQ(identity("http://h"), identity("http://H:80/"));
    EXPECT_EQ(identity("http://h/p"), identity("http://u:p@h/p/"));
    EXPECT_NE(identity("http://h/p"), identity("http://h/q"));
    EXPECT_NE(identity("http://h"), identity("https://h"));
    EXPECT_NE(identity("http://h"), identity("http://h:8080"));
}

TEST(Extension, ASocketTakesThePlaceOfAUrl) {
    const Result<RegisteredExtension> extension =
        parse_registration(R"({"unixSocket":"/run/steadybit/extension-Datadog.sock"})");
    ASSERT_TRUE(extension.has_value()) << extension.error().detail;
    EXPECT_EQ(extension->name, "extension-datadog");
    EXPECT_EQ(extension->identity(), "unix:/run/steadybit/extension-Datadog.sock");
    EXPECT_EQ(extension->index_url().text(), "http://localhost/");
    EXPECT_EQ(parse_stored_extension(stored_extension_json(*extension)), *extension);
    EXPECT_THAT(shown(*extension), testing::HasSubstr(R"("unixSocket":"/run/steadybit/)"));
}

TEST(Extension, AnIPv6HostHasAName) {
    EXPECT_EQ(parse_registration(R"({"url":"http://[::1]:8080/"})").value().name, "::1:8080");
    EXPECT_EQ(parse_registration(R"({"unixSocket":"/run/.sock"})").value().name, ".sock");
    EXPECT_EQ(parse_registration(R"({"unixSocket":"/run/a b.c.sock"})").value().name, "a-b.c");
}

TEST(Extension, ProfilesHaveTwoSpellingsAndDefaults) {
    auto poll = [](const std::string& profile) {
        ExtensionDefaults defaults{.poll = {.events = 3, .every = 1s}};
        return parse_extension(
                   R"({"url":"http://h","profile":)" + profile + "}", defaults, Limits()
        )
            .value()
            .poll;
    };
    EXPECT_EQ(poll(R"("push")"), std::nullopt);
    EXPECT_EQ(poll(R"("poll")"), (Pace{.events = 3, .every = 1s}));
    EXPECT_EQ(poll(R"({"poll":{}})"), (Pace{.events = 3, .every = 1s}));
    EXPECT_EQ(poll(R"({"poll":{"limit":9}})"), (Pace{.events = 9, .every = 1s}));
}

TEST(Extension, WhatIsWrongIsNamed) {
    EXPECT_EQ(refusal_of("{"), "bad_request ");
    EXPECT_EQ(refusal_of("[]"), "bad_request ");
    EXPECT_EQ(refusal_of("{}"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","unixSocket":"/a"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":7})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"ftp://h"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"h:8080"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"http://u:%zz@h"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"http://u:%0a@h"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"http://u:%80@h"})"), "bad_request url")
        << "no text to be stored";
    EXPECT_EQ(refusal_of(R"({"url":"http://%ff:p@h"})"), "bad_request url");
    EXPECT_EQ(refusal_of(R"({"url":"http://u:p%c3%a4@h"})"), "accepted");
    EXPECT_EQ(refusal_of(R"({"url":"http://u@x@h"})"), "accepted") << "the last @ ends the user";
    EXPECT_EQ(refusal_of(R"({"unixSocket":"run/a.sock"})"), "bad_request unixSocket");
    EXPECT_EQ(refusal_of(R"({"unixSocket":"/run/"})"), "bad_request unixSocket");
    EXPECT_EQ(
        refusal_of(R"({"unixSocket":"/)" + std::string(107, 'a') + "\"}"), "bad_request unixSocket"
    );
    EXPECT_EQ(refusal_of(R"({"url":"http://h","name":"a/b"})"), "bad_request name");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","name":".."})"), "bad_request name");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","method":"G ET"})"), "bad_request method");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","method":""})"), "bad_request method");
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","basic":{"username":"u"}})"), "bad_request basic.password"
    );
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","basic":{"username":"u:v","password":""}})"),
        "bad_request basic.username"
    );
    EXPECT_EQ(refusal_of(R"({"url":"http://h","tls":{}})"), "bad_request tls");
    EXPECT_EQ(refusal_of(R"({"url":"https://h","tls":{"cert":"/c"}})"), "bad_request tls.cert");
    EXPECT_EQ(refusal_of(R"({"url":"https://h","tls":{"ca":"ca.pem"}})"), "bad_request tls.ca");
    EXPECT_EQ(refusal_of(R"({"url":"https://h","tls":{"sni":"x"}})"), "unknown_field tls.sni");
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","pathResolution":"x"})"), "bad_request pathResolution"
    );
    EXPECT_EQ(refusal_of(R"({"url":"http://h","profile":"slow"})"), "bad_request profile");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","profile":{}})"), "bad_request profile.poll");
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","profile":{"poll":{"limit":0}}})"),
        "bad_request profile.poll.limit"
    );
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","profile":{"poll":{"interval":"0s"}}})"),
        "bad_request profile.poll.interval"
    );
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","delivery":{"order":"none"}})"),
        "bad_request delivery.order"
    );
    EXPECT_EQ(
        refusal_of(R"({"url":"http://h","delivery":{"timeout":"1h"}})"),
        "bad_request delivery.timeout"
    );
    EXPECT_EQ(refusal_of(R"({"url":"http://h","tenant":"x"})"), "unknown_field tenant");
    EXPECT_EQ(refusal_of(R"({"url":"http://h","origin":"api"})"), "unknown_field origin");
}

TEST(Extension, ARefusalNeverRepeatsThePassword) {
    for (const char* url :
         {"http://u:secret-1@h:99999", "http://u:secret-1%zz@h", "http://u:secret-1@h o"}) {
        const Result<RegisteredExtension> extension =
            parse_registration(R"({"url":")" + std::string(url) + "\"}");
        ASSERT_FALSE(extension.has_value()) << url;
        EXPECT_THAT(extension.error().detail, testing::Not(testing::HasSubstr("secret-1")));
    }
}

TEST(Extensions, AListOfTheConfigurationHasEachOnce) {
    auto problem = [](std::string_view json) {
        const auto list = parse_extensions(json, ExtensionDefaults{}, Limits());
        return list ? "accepted" : list.error().field + ": " + list.error().detail;
    };
    const auto list = parse_extensions(
        R"([{"url":"http://a"},{"url":"http://b","name":"b"}])", ExtensionDefaults{}, Limits()
    );
    ASSERT_TRUE(list.has_value());
    ASSERT_EQ(list->size(), 2);
    EXPECT_EQ(list->front().origin, RegisteredExtension::Origin::configuration);
    EXPECT_EQ(problem("{}"), ": a list of extensions is expected");
    EXPECT_THAT(problem(R"([{"url":"x"}])"), testing::StartsWith("[0].url: "));
    EXPECT_THAT(
        problem(R"([{"url":"http://a"},{"url":"http://a/"}])"), testing::StartsWith("[1]: ")
    );
    EXPECT_THAT(
        problem(R"([{"url":"http://a/1"},{"url":"http://a/2"}])"),
        testing::HasSubstr("called `a:80`; set `name`")
    );
}

TEST(StoredExtension, WhatItIsNotIsRefused) {
    for (const char* json :
         {"",
          "{}",
          R"({"url":"http://h"})",
          R"({"url":"http://h","tenant":"default","origin":"elsewhere"})"}) {
        EXPECT_FALSE(parse_stored_extension(json).has_value()) << json;
    }
}

}  // namespace
}  // namespace belfry
