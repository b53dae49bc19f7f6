#include "auth/open_access.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

Credentials local(std::string_view host) {
    return Credentials{.peer_is_loopback = true, .host = host};
}

bool allowed(Exposure exposure, const Credentials& credentials) {
    OpenAccess access(exposure);
    Result<Caller> caller = access.identify(credentials);
    if (caller) {
        EXPECT_EQ(caller->tenant, "default");
        EXPECT_EQ(caller->token_id, "");
        return true;
    }
    EXPECT_EQ(caller.error().code, Errc::denied);
    return false;
}

bool allowed(const Credentials& credentials) {
    return allowed(Exposure::loopback_only, credentials);
}

TEST(OpenAccess, LoopbackNamesAndLiteralsWithAnyPortAreAllowed) {
    for (std::string_view host :
         {"localhost",
          "LocalHost:8420",
          "127.0.0.1",
          "127.0.0.1:1",
          "127.9.8.7:65535",
          "[::1]",
          "[::1]:8420",
          "[0:0:0:0:0:0:0:1]:80"}) {
        EXPECT_TRUE(allowed(local(host))) << host;
    }
}

TEST(OpenAccess, ForeignNamesThatPointAtUsAreDenied) {
    for (std::string_view host :
         {"",
          "evil.example",
          "127.0.0.1.evil.example",
          "localhost.evil.example",
          "localhost.",
          "128.0.0.1",
          "127.1",
          "0x7f.0.0.1",
          "localhost:",
          "localhost:x",
          "localhost:80:80",
          "localhost:65536",
          "[::1",
          "[::2]",
          "[::ffff:127.0.0.1]",
          "::1",
          "[::1]x",
          "user@localhost",
          "127.0.0.1 "}) {
        EXPECT_FALSE(allowed(local(host))) << host;
    }
    EXPECT_FALSE(allowed(local(std::string(70, '1'))));
}

TEST(OpenAccess, PeersOffLoopbackNeedInsecure) {
    Credentials remote{.peer_is_loopback = false, .host = "localhost:8420"};
    EXPECT_FALSE(allowed(remote));
    EXPECT_TRUE(allowed(Exposure::insecure, remote));
    remote.host = "hub.example:8420";
    EXPECT_TRUE(allowed(Exposure::insecure, remote));
}

TEST(OpenAccess, PagesOfOtherOriginsAreDenied) {
    for (Exposure exposure : {Exposure::loopback_only, Exposure::insecure}) {
        Credentials page = local("127.0.0.1:8420");
        for (std::string_view origin : {"http://127.0.0.1:8420", "https://127.0.0.1:8420"}) {
            page.origin = origin;
            EXPECT_TRUE(allowed(exposure, page)) << origin;
        }
        for (std::string_view origin :
             {"null",
              "http://127.0.0.1",
              "http://127.0.0.1:8421",
              "http://evil.example",
              "127.0.0.1:8420",
              "http://localhost:8420"}) {
            page.origin = origin;
            EXPECT_FALSE(allowed(exposure, page)) << origin;
        }
    }
}

TEST(OpenAccess, CrossSiteFetchesAreDenied) {
    Credentials page = local("localhost");
    for (std::string_view site : {"same-origin", "same-site", "none", ""}) {
        page.sec_fetch_site = site;
        EXPECT_TRUE(allowed(page)) << site;
    }
    page.sec_fetch_site = "cross-site";
    EXPECT_FALSE(allowed(page));
    page.sec_fetch_site = "Cross-Site";
    EXPECT_FALSE(allowed(page));
}

TEST(OpenAccess, WhoeverIsLetInMayDoEverything) {
    OpenAccess access(Exposure::loopback_only);
    Result<Caller> open = access.identify({.peer_is_loopback = true, .host = "localhost"});
    ASSERT_TRUE(open);
    for (Verb verb : {Verb::read, Verb::write}) {
        EXPECT_TRUE(open->may(Resource::op, verb));
        EXPECT_TRUE(open->may(Resource::event, verb, "deploy"));
    }
}

}  // namespace
}  // namespace belfry
