#include "base/url.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::string_literals;

void expect_refused(const std::string& text) {
    Result<Url> result = parse_url(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, Errc::bad_request) << text;
    EXPECT_EQ(result.error().detail.find("not a usable URL: "), 0U) << text;
}

TEST(Url, TellsItsParts) {
    Url url = parse_url("http://Example.org:8080/a/b%20c;x?q=1&r=/?").value();
    EXPECT_EQ(url.scheme, Url::Scheme::http);
    EXPECT_EQ(url.host_kind, Url::HostKind::name);
    EXPECT_EQ(url.host, "example.org");
    EXPECT_EQ(url.port, 8080);
    EXPECT_EQ(url.path, "/a/b%20c;x");
    EXPECT_EQ(url.query, "q=1&r=/?");
    EXPECT_EQ(url.authority(), "example.org:8080");
    EXPECT_EQ(url.target(), "/a/b%20c;x?q=1&r=/?");
    EXPECT_EQ(url.endpoint(), "http://example.org:8080/a/b%20c;x");
    EXPECT_EQ(url.text(), "http://example.org:8080/a/b%20c;x?q=1&r=/?");
}

TEST(Url, FillsInPortAndPath) {
    Url url = parse_url("https://h").value();
    EXPECT_EQ(url.port, 443);
    EXPECT_EQ(url.target(), "/");
    EXPECT_EQ(url.authority(), "h");
    EXPECT_EQ(parse_url("HTTP://h:80/").value().text(), "http://h/");
    EXPECT_EQ(parse_url("https://h:80").value().text(), "https://h:80/");
    EXPECT_EQ(parse_url("http://h?x").value().text(), "http://h/?x");
    EXPECT_EQ(parse_url("http://h/?").value().text(), "http://h/?") << "an empty query stays";
}

TEST(Url, HasOneSpellingOfAnAddress) {
    Url url = parse_url("http://[0:0:0:0:0:0:0:1]:9000/in").value();
    EXPECT_EQ(url.host_kind, Url::HostKind::ipv6);
    EXPECT_EQ(url.host, "::1");
    EXPECT_EQ(url.authority(), "[::1]:9000");
    EXPECT_EQ(parse_url("http://[FD00::A]").value().host, "fd00::a");
    EXPECT_EQ(parse_url("http://[::ffff:7f00:1]").value().host, "::ffff:127.0.0.1");
    EXPECT_EQ(parse_url("http://127.0.0.1").value().host_kind, Url::HostKind::ipv4);
    EXPECT_EQ(parse_url("http://255.255.255.255").value().host_kind, Url::HostKind::ipv4);
}

TEST(Url, AcceptsTheNamesPeopleUse) {
    for (const char* good :
         {"http://localhost:9000/in",
          "http://web_1:80/",
          "http://a.b.c.d.e/",
          "http://1.example/",
          "http://xn--bcher-kva.example/",
          "http://10.0.0.1.nip.io/",
          "http://0x.example/",
          "http://h/a%2Fb",
          "http://h/~u/(x)'y'*!$&,;=:@",
          "http://1password.com/"}) {
        EXPECT_TRUE(parse_url(good).has_value()) << good;
    }
}

TEST(Url, RefusesSpellingsThatTwoReadersReadDifferently) {
    for (const std::string& bad : {
             ""s,
             "h"s,
             "/path"s,
             "//h/"s,
             "http:/h"s,
             "http:h"s,
             "http://"s,
             "http:///x"s,
             "ftp://h/"s,
             "file:///etc/passwd"s,
             "gopher://h/"s,
             "http ://h"s,
             " http://h"s,
             "http://h "s,
             "http://h/a b"s,
             "http://h/\r\nX: 1"s,
             "http://h/\t"s,
             "http://h/\0x"s,
             "http://h\0/x"s,
             "http://h\\@evil/"s,
             "http://h\\x"s,
             "http://h/\\x"s,
             "http://u@h/"s,
             "http://u:p@h/"s,
             "http://h@"s,
             "http://h/#f"s,
             "http://h#@evil/"s,
             "http://h:/"s,
             "http://h:0/"s,
             "http://h:080/"s,
             "http://h:65536/"s,
             "http://h:-1/"s,
             "http://h:8080x/"s,
             "http://h:1:2/"s,
             "http://h:99999999999999999999/"s,
             "http://[::1"s,
             "http://[::1]x/"s,
             "http://[::1%25eth0]/"s,
             "http://[fe80::1%eth0]/"s,
             "http://[127.0.0.1]/"s,
             "http://[]/"s,
             "http://[::1\0]/"s,
             "http://::1/"s,
             "http://h./"s,
             "http://localhost./"s,
             "http://.h/"s,
             "http://a..b/"s,
             "http://-h/"s,
             "http://h-/"s,
             "http://h%41/"s,
             "http://bücher.example/"s,
             "http://１２７.0.0.1/"s,
             "http://127。0。0。1/"s,
         }) {
        expect_refused(bad);
    }
}

TEST(Url, RefusesBytesThatMustBePercentEncoded) {
    for (const std::string& bad : {
             "http://h/%"s,
             "http://h/%4"s,
             "http://h/%zz"s,
             "http://h/ü"s,
             "http://h/{x}"s,
             "http://h/<x>"s,
             "http://h/?a=\"b\""s,
             "http://h/a|b"s,
             "http://h/^"s,
             "http://h/`"s,
         }) {
        expect_refused(bad);
    }
}

TEST(Url, RefusesNumbersThatSomeTakeForAnAddress) {
    for (const char* bad :
         {"http://2130706433/",
          "http://0x7f000001/",
          "http://0x7f.1/",
          "http://127.1/",
          "http://127.0.1/",
          "http://0177.0.0.1/",
          "http://127.0.0.01/",
          "http://127.0.0.256/",
          "http://1.2.3.4.5/",
          "http://0/",
          "http://0x/",
          "http://example.0x1f/",
          "http://a.1/",
          "http://00.0.0.0/",
          "http://0X7F.0.0.1/"}) {
        EXPECT_FALSE(parse_url(bad).has_value()) << bad;
    }
}

TEST(Url, HoldsItsLimits) {
    std::string label(63, 'a');
    std::string host = label + "." + label + "." + label + "." + std::string(61, 'a');
    ASSERT_EQ(host.size(), 253U);
    EXPECT_TRUE(parse_url("http://" + host).has_value());
    EXPECT_FALSE(parse_url("http://" + host + "a").has_value());
    EXPECT_FALSE(parse_url("http://" + label + "a/").has_value());
    std::string most = "http://h/" + std::string(4096 - 9, 'x');
    EXPECT_TRUE(parse_url(most).has_value());
    EXPECT_FALSE(parse_url(most + "x").has_value());
}

TEST(Url, ReadsBackItsOwnText) {
    for (const char* text :
         {"http://H:81", "https://[::0001]:443/a?b", "http://1.2.3.4/?", "http://a_b.c/%7e?x=%20"
         }) {
        Url url = parse_url(text).value();
        EXPECT_EQ(parse_url(url.text()).value(), url) << text;
    }
}

}  // namespace
}  // namespace belfry
