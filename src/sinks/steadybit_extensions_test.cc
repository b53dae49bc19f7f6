#include "sinks/steadybit_extensions.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

SteadybitListener post_listener(const std::string& path, std::vector<std::string> names = {"*"}) {
    return {.path = path, .method = "POST", .listen_to = std::move(names)};
}

TEST(SteadybitTarget, JoinsPathsWithOneSlash) {
    const auto asked = [](const std::string& url, const std::string& path, SteadybitPaths paths) {
        SteadybitTarget target = steadybit_target(parse_url(url).value());
        target.paths = paths;
        const HttpCall call =
            steadybit_event_call(target, post_listener(path), "{}", std::chrono::seconds(30), "x");
        return call.head.substr(0, call.head.find("\r\n"));
    };
    for (const char* url : {"http://h", "http://h/", "http://h?q=1", "http://h/?q=1"}) {
        EXPECT_EQ(asked(url, "/events/all", SteadybitPaths::prefix), "POST /events/all HTTP/1.1")
            << url;
    }
    for (const char* url : {"http://h/p", "http://h/p/", "http://h/p//", "http://h/p?q=1"}) {
        EXPECT_EQ(asked(url, "/events/all", SteadybitPaths::prefix), "POST /p/events/all HTTP/1.1")
            << url;
        EXPECT_EQ(asked(url, "/events/all", SteadybitPaths::origin), "POST /events/all HTTP/1.1");
    }
    EXPECT_EQ(asked("http://h/p/q/", "/e?k=v", SteadybitPaths::prefix), "POST /p/q/e?k=v HTTP/1.1");
}

TEST(SteadybitTarget, IsWhereTheUrlLeads) {
    const SteadybitTarget target = steadybit_target(parse_url("https://Host:8443/p").value());
    EXPECT_EQ(target.host, "host");
    EXPECT_EQ(target.port, 8443);
    EXPECT_TRUE(target.secure);
    EXPECT_EQ(target.authority, "host:8443");
    const HttpCall call = steadybit_call(steadybit_unix_target("/run/steadybit/a.sock"));
    EXPECT_EQ(call.unix_path, "/run/steadybit/a.sock");
    EXPECT_FALSE(call.secure);
}

TEST(SteadybitExtensions, AreKnownFromRegistrationToRemoval) {
    SteadybitExtensions extensions;
    const auto key = SteadybitExtensions::key("default", "a");
    EXPECT_EQ(key, "default/a");
    extensions.set_listeners(key, {post_listener("/e")}, Offset{});
    EXPECT_EQ(extensions.find(key), nullptr);
    extensions.put(key, steadybit_target(parse_url("http://h").value()));
    ASSERT_NE(extensions.find(key), nullptr);
    EXPECT_EQ(extensions.find(key)->listeners, nullptr) << "no index yet";
    extensions.set_listeners(key, {post_listener("/e")}, Offset{});
    extensions.put(key, steadybit_target(parse_url("http://other").value()));
    EXPECT_EQ(extensions.find(key)->target->host, "other");
    EXPECT_EQ(extensions.find(key)->listeners->size(), 1U) << "they stay";
    EXPECT_EQ(extensions.find(SteadybitExtensions::key("other", "a")), nullptr);
    extensions.remove(key);
    EXPECT_EQ(extensions.find(key), nullptr);
}

TEST(SteadybitExtensions, FindingsAreOfThePresentIndexAlone) {
    SteadybitExtensions extensions;
    const SteadybitExtensions::Key key = "default/a";
    extensions.put(key, steadybit_target(parse_url("http://h").value()));
    extensions.set_listeners(key, {post_listener("/a"), post_listener("/b")}, Offset{});
    const SteadybitExtension& extension = *extensions.find(key);
    const SteadybitListeners first = extension.listeners;
    extensions.refuse(key, first, 1, "it answered 410 Gone");
    extensions.warn(key, first, 0, "odd");
    extensions.note_error(key, "POST /a: connection refused");
    EXPECT_EQ(extension.findings[0].refused, "");
    EXPECT_EQ(extension.findings[1].refused, "it answered 410 Gone");
    EXPECT_EQ(extension.findings[0].warning, "odd");
    EXPECT_EQ(extension.last_error, "POST /a: connection refused");
    extensions.warn(key, first, 0, "");
    EXPECT_EQ(extension.findings[0].warning, "");
    extensions.set_listeners(key, {post_listener("/b")}, Offset{});
    EXPECT_EQ(extension.findings[0].refused, "") << "the index changed";
    extensions.refuse(key, first, 1, "late");
    extensions.refuse("default/gone", first, 1, "late");
    EXPECT_EQ(extension.findings[0].refused, "");
}

TEST(SteadybitExtensions, AListenerThatAnIndexAddsCountsFromThenOn) {
    SteadybitExtensions extensions;
    const SteadybitExtensions::Key key = "default/a";
    extensions.put(key, steadybit_target(parse_url("http://h").value()));
    const auto from = [&](std::vector<SteadybitListener> listeners, std::uint64_t next) {
        extensions.set_listeners(key, std::move(listeners), Offset{next});
        std::vector<std::uint64_t> offsets;
        for (const SteadybitFinding& finding : extensions.find(key)->findings) {
            offsets.push_back(finding.from.value);
        }
        return offsets;
    };
    using Offsets = std::vector<std::uint64_t>;
    EXPECT_EQ(from({post_listener("/a"), post_listener("/b", {"x"})}, 5), (Offsets{0, 0}))
        << "the first one";
    SteadybitListener put = post_listener("/a");
    put.method = "PUT";
    EXPECT_EQ(from({post_listener("/c"), post_listener("/a"), put}, 7), (Offsets{7, 0, 7}));
    EXPECT_EQ(from({post_listener("/b", {"x"}), post_listener("/c", {"y"})}, 9), (Offsets{9, 7}))
        << "who was gone is new again, who asks for other names is not";
    EXPECT_EQ(from({}, 10), Offsets{});
    EXPECT_EQ(from({post_listener("/c")}, 11), Offsets{11}) << "an empty index is one, too";
    EXPECT_EQ(from({post_listener("/c"), post_listener("/c", {"x"})}, 12), (Offsets{11, 11}));
}

}  // namespace
}  // namespace belfry
