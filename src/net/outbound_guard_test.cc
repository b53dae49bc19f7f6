#include "net/outbound_guard.h"

#include "base/url.h"

#include <gmock/gmock.h>

#include <iterator>
#include <netinet/in.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

OutboundGuard guard_for(
    const std::string& allow, bool loopback = false, const std::string& ports = "none"
) {
    return OutboundGuard(
        {.allow = parse_address_ranges(allow).value(),
         .allow_ports = parse_ports(ports).value(),
         .loopback = loopback}
    );
}

bool allows(const OutboundGuard& guard, const std::string& host, std::uint16_t port = 80) {
    return guard.check(parse_literal(host, port).value()).has_value();
}

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

const std::vector<std::string> kPublic = words(R"(
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.1 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0
192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 2000::1 2001:200::1
2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2606:4700:4700::1111 2a00:1450:4001:81b::200e
3ffe::1 ::ffff:8.8.8.8 ::ffff:808:808 64:ff9b::8.8.8.8 2002:808:808::1
)");

// Every range of the table with its first and last address, and every way to write an IPv4 address
// as IPv6.
const std::vector<std::string> kInside = words(R"(
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.1.2.3 10.255.255.255 100.64.0.0 100.127.255.255
127.0.0.0 127.0.0.1 127.1.2.3 127.255.255.255 169.254.0.0 169.254.1.1 169.254.255.255 172.16.0.0
172.17.0.1 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0 192.88.99.255
192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0
203.0.113.255 224.0.0.0 224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255 ::
::1 ::2 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:127.0.0.1
::ffff:7f00:1 ::ffff:169.254.1.1 ::ffff:172.16.0.1 ::ffff:192.168.0.1 ::ffff:224.0.0.1
::ffff:255.255.255.255 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b:: 64:ff9b::10.0.0.1
64:ff9b::127.0.0.1 64:ff9b::192.168.1.1 64:ff9b::a00:1 64:ff9b:1::1 64:ff9b:1::8.8.8.8
64:ff9b:0:1::8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1
2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::
2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:a00:1:: 2002:7f00:1::1 2002:c0a8:101::1
2002:a9fe:101::1 2002:: 2002:e000:1:: 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 8000::1 fbff::1
fc00:: fc00::1 fd00::1 fd12:3456:789a::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::1 fe80::1
fe80::a9fe:a9fe febf:ffff::1 fec0::1 feff::1 ff00::1 ff02::1 ff0e::1
ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
)");

const std::vector<std::string> kMetadata = words(R"(
169.254.169.254 169.254.169.253 169.254.170.2 169.254.170.23 100.100.100.200 168.63.129.16
192.0.0.192 fd00:ec2::254 fd00:ec2::253 fd00:ec2::23 fd20:ce::254 ::ffff:169.254.169.254
::ffff:a9fe:a9fe 64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::168.63.129.16
2002:a9fe:a9fe:: 2002:a9fe:aa02::1 2002:6464:64c8::1 ::ffff:100.100.100.200
)");

TEST(OutboundGuard, CallsThePublicInternet) {
    const OutboundGuard guard = guard_for("none");
    for (const std::string& host : kPublic) {
        EXPECT_TRUE(allows(guard, host)) << host;
    }
}

TEST(OutboundGuard, CallsNothingInsideUnlessToldTo) {
    const OutboundGuard guard = guard_for("none");
    const OutboundGuard unrestricted = OutboundGuard::unrestricted();
    const OutboundGuard all = guard_for("0.0.0.0/0, ::/0");
    for (const std::string& host : kInside) {
        EXPECT_FALSE(allows(guard, host)) << host;
        EXPECT_TRUE(allows(unrestricted, host)) << host;
        EXPECT_TRUE(allows(all, host)) << host;
    }
}

TEST(OutboundGuard, MetadataIsAllowedOneByOneOnly) {
    const OutboundGuard unrestricted = OutboundGuard::unrestricted();
    for (const std::string& host : kMetadata) {
        EXPECT_TRUE(allows(unrestricted, host)) << host;
        for (const char* allow :
             {"none",
              "0.0.0.0/0, ::/0",
              "169.254.0.0/16, 100.64.0.0/10, fd00::/8, 64:ff9b::/96, 2002::/16",
              "169.254.169.254/31, 169.254.169.252/31, 169.254.170.0/24"}) {
            EXPECT_FALSE(allows(guard_for(allow, true), host)) << host << " with " << allow;
        }
        EXPECT_TRUE(allows(guard_for(host), host)) << host;
    }
    const OutboundGuard named = guard_for("169.254.169.254");
    EXPECT_TRUE(allows(named, "::ffff:169.254.169.254"));
    EXPECT_TRUE(allows(named, "64:ff9b::169.254.169.254"));
    EXPECT_FALSE(allows(named, "169.254.170.2"));
}

TEST(OutboundGuard, RangesThatAreNamedAreAllowedInEveryForm) {
    const OutboundGuard guard = guard_for("10.0.0.0/8, 192.168.1.0/24, fd00:1::/32,172.16.0.9");
    for (const char* host :
         {"10.0.0.1",
          "10.255.255.255",
          "::ffff:10.0.0.1",
          "64:ff9b::10.0.0.1",
          "2002:a00:1::1",
          "192.168.1.0",
          "192.168.1.255",
          "fd00:1::1",
          "fd00:1:ffff::1",
          "172.16.0.9"}) {
        EXPECT_TRUE(allows(guard, host)) << host;
    }
    for (const char* host :
         {"192.168.0.255",
          "192.168.2.0",
          "fd00::1",
          "fd00:2::1",
          "172.16.0.8",
          "127.0.0.1",
          "::1",
          "fe80::1"}) {
        EXPECT_FALSE(allows(guard, host)) << host;
    }
}

TEST(OutboundGuard, LoopbackIsARuleOfItsOwn) {
    const OutboundGuard guard = guard_for("none", true);
    for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(allows(guard, host)) << host;
    }
    for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "169.254.169.254", "::2"}) {
        EXPECT_FALSE(allows(guard, host)) << host;
    }
}

TEST(OutboundGuard, PortsOfServicesAreRefused) {
    const OutboundGuard guard = guard_for("none", true);
    for (int port : {80, 443, 1024, 3000, 8080, 8443, 9000, 49152, 65535}) {
        EXPECT_TRUE(allows(guard, "8.8.8.8", static_cast<std::uint16_t>(port))) << port;
    }
    for (int port : {1,    22,   25,   53,   79,   81,   110,  442,  444,  587,   993,   1023,
                     2375, 2379, 3306, 4222, 5432, 6379, 8222, 8500, 9200, 10250, 11211, 27017}) {
        EXPECT_FALSE(allows(guard, "8.8.8.8", static_cast<std::uint16_t>(port))) << port;
        EXPECT_FALSE(allows(guard, "127.0.0.1", static_cast<std::uint16_t>(port))) << port;
    }
    const OutboundGuard more = guard_for("none", false, "81, 6379");
    EXPECT_TRUE(allows(more, "8.8.8.8", 81));
    EXPECT_TRUE(allows(more, "8.8.8.8", 6379));
    EXPECT_FALSE(allows(more, "8.8.8.8", 82));
    EXPECT_FALSE(allows(more, "10.0.0.1", 81)) << "a port opens no address";
}

// Who registers a URL learns from the words neither whether something listens nor which rule it
// was.
TEST(OutboundGuard, SaysTheSameOfEveryAddress) {
    const OutboundGuard guard = guard_for("none");
    const Result<void> local = guard.check(*parse_literal("127.0.0.1", 80));
    const Result<void> metadata = guard.check(*parse_literal("169.254.169.254", 443));
    const Result<void> service = guard.check(*parse_literal("10.0.0.1", 22));
    EXPECT_EQ(local.error().code, Errc::denied);
    EXPECT_THAT(local.error().detail, StartsWith("blocked_address: "));
    EXPECT_EQ(local.error().detail, metadata.error().detail);
    EXPECT_EQ(local.error().detail, service.error().detail);
    EXPECT_THAT(
        guard.check(*parse_literal("8.8.8.8", 22)).error().detail, StartsWith("blocked_port: ")
    );
}

TEST(OutboundGuard, OtherFamiliesAreRefused) {
    SocketAddress local;
    local.storage.ss_family = AF_NETLINK;
    local.size = sizeof(sa_family_t);
    EXPECT_FALSE(guard_for("0.0.0.0/0, ::/0", true).check(local).has_value());
}

TEST(OutboundGuard, TheHubsOwnListenerIsNeverATarget) {
    OutboundGuard guard = guard_for("0.0.0.0/0, ::/0, 127.0.0.1", true);
    EXPECT_TRUE(allows(guard, "127.0.0.1", 18420));
    guard.never(*parse_literal("127.0.0.1", 18420));
    EXPECT_FALSE(allows(guard, "127.0.0.1", 18420));
    EXPECT_FALSE(allows(guard, "::ffff:127.0.0.1", 18420));
    EXPECT_FALSE(allows(guard, "0.0.0.0", 18420)) << "leads to 127.0.0.1";
    EXPECT_TRUE(allows(guard, "127.0.0.1", 18421));
    EXPECT_TRUE(allows(guard, "127.0.0.2", 18420)) << "somebody else's";
    guard.never(*parse_literal("0.0.0.0", 18420));
    EXPECT_FALSE(allows(guard, "127.0.0.1", 18420));
    EXPECT_FALSE(allows(guard, "127.0.0.2", 18420)) << "it listens everywhere";
    EXPECT_TRUE(allows(guard, "127.0.0.2", 18421));
}

TEST(OutboundGuard, RangesAreReadStrictly) {
    for (const char* bad :
         {"",
          " ",
          ",",
          "10.0.0.0/8,",
          "10.0.0.0/8,,fd00::/8",
          "10.0.0.1/8",
          "10.0.0.0/33",
          "10.0.0.0/-1",
          "10.0.0.0/ 8",
          "10.0.0.0/",
          "10.0.0/8",
          "010.0.0.0/8",
          "0x0a.0.0.0/8",
          "167772160",
          "fd00::/129",
          "fd00::1/64",
          "[::1]",
          "fe80::1%lo",
          "localhost",
          "10.0.0.0-10.0.0.255",
          "none, 10.0.0.0/8"}) {
        EXPECT_FALSE(parse_address_ranges(bad).has_value()) << bad;
    }
    EXPECT_THAT(parse_address_ranges("10.0.0.1/8").error().detail, HasSubstr("first address"));
    EXPECT_EQ(parse_address_ranges("none")->size(), 0U);
    EXPECT_EQ(parse_address_ranges("10.0.0.0/8 , ::1")->size(), 2U);
    EXPECT_EQ(
        parse_address_ranges("::ffff:10.0.0.0/104").value(),
        parse_address_ranges("10.0.0.0/8").value()
    );
    for (const char* bad : {"", "0", "65536", "80,", "-1", "080x", "80;81"}) {
        EXPECT_FALSE(parse_ports(bad).has_value()) << bad;
    }
}

const std::vector<std::string> kSpellings = words(R"(
http://127.0.0.1/ http://127.1/ http://127.0.1/ http://2130706433/ http://0x7f000001/
http://0x7f.0.0.1/ http://0x7f.1/ http://0177.0.0.1/ http://017700000001/ http://00000177.1/
http://127.0.0.01/ http://127.000.000.001/ http://0/ http://0.0.0.0/ http://00/ http://0x0/
http://127.0.0.1./ http://localhost./ http://127.0.0.1:80:80/ http://127.0.0.1%2f@8.8.8.8/
http://8.8.8.8@127.0.0.1/ http://8.8.8.8:80@127.0.0.1/ http://127.0.0.1\@8.8.8.8/
http://8.8.8.8\.127.0.0.1/ http://127.0.0.1#@8.8.8.8/ http://127.0.0.1%00.example.org/
http://127.0.0.1%2eexample/ http://%31%32%37.0.0.1/ http://%2531%2532%2537.0.0.1/
http://127。0。0。1/ http://１２７.0.0.1/ http://①②⑦.⓪.⓪.①/ http://[::1]/ http://[0:0:0:0:0:0:0:1]/
http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::127.0.0.1]/ http://[::]/
http://[::1%25lo]/ http://[::1%lo]/ http://[fe80::1%25eth0]/ http://[127.0.0.1]/
http://[localhost]/ http://[metadata.google.internal]/ http://[::1]@8.8.8.8/
http://[64:ff9b::7f00:1]/ http://[2002:7f00:1::]/ http://[fd00:ec2::254]/
http://169.254.169.254/ http://2852039166/ http://0xa9fea9fe/ http://0xa9.0xfe.0xa9.0xfe/
http://0251.0376.0251.0376/ http://169.254.43518/ http://169.16689662/
http://[::ffff:169.254.169.254]/ http://[::ffff:a9fe:a9fe]/ http://[64:ff9b::a9fe:a9fe]/
http:\\127.0.0.1/ http:/127.0.0.1/ http:127.0.0.1/ http:///127.0.0.1/ //127.0.0.1/
http://10.0.0.1:0080/ http://192.168.0.1:65616/ http://256.0.0.1/ http://4294967297/
http://1.2.3.4.5/ file:///etc/passwd gopher://127.0.0.1/ dict://127.0.0.1/ ftp://127.0.0.1/
unix:/run/docker.sock javascript://127.0.0.1/ jar:http://127.0.0.1/ http+unix://127.0.0.1/
http://167772161/ http://0x0a000001/ http://0xa.0.0.1/ http://012.0.0.1/ http://012.1/ http://10.1/
http://10.0.1/ http://0x0a.0x00.0x00.0x01/ http://01200000001/ http://3232235521/ http://0xc0a80001/
http://0300.0250.0.1/ http://0300.0250.1/ http://192.168.1/ http://192.11010049/
http://030052000001/ http://2886729729/ http://0xac100001/ http://0254.020.0.1/ http://172.1048577/
http://172.16.1/ http://0xA9FEA9FE/ http://0XA9FEA9FE/ http://025177524776/ http://0251.254.169.254/
http://169.0xfe.0xa9.254/ http://169.254.0xa9fe/ http://169.254.169.0xfe/ http://0xa9.254.169.254/
http://0000169.254.169.254/ http://169.254.169.254./ http://169.254.169.254../
http://169.254.169.254:00080/ http://169.254.169.254:/ http://169.254.169.254:+80/
http://169.254.169.254:80./ http://169.254.169.254%20/ http://169.254.169.254%09/
http://169.254.169.254%0d%0a/ http://169.254.169.254%23/ http://169.254.169.254%3f@8.8.8.8/
http://8.8.8.8%40169.254.169.254/ http://8.8.8.8#@169.254.169.254/ http://a:b@169.254.169.254/
http://@169.254.169.254/ http://:@169.254.169.254/ http://169.254.169.254;8.8.8.8/
http://169.254.169.254,8.8.8.8/ http://(169.254.169.254/ http://"169.254.169.254"/
http://169.254.169.254|8.8.8.8/ http://{169.254.169.254}/ http://<169.254.169.254>/
http://169.254.169.254^/ http://.169.254.169.254/ http://169..254.169.254/ http://169.254.169.254-/
http://4294967296.0.0.1/ http://-1/ http://1.27e2.0.1/ http://0b1111111.0.0.1/ http://0o177.0.0.1/
http://127.0.0x/ http://0x/ http://0x7f.0x0.0x0.0x/ http://127.0.0.256/
http://[::ffff:169.254.43518]/ http://[::ffff:0xa9fea9fe]/ http://[::ffff:0:a9fe:a9fe]/
http://[0:0:0:0:0:ffff:a9fe:a9fe]/ http://[0000:0000:0000:0000:0000:ffff:a9fe:a9fe]/
http://[::FFFF:A9FE:A9FE]/ http://[64:ff9b:1::a9fe:a9fe]/ http://[2002:a9fe:a9fe::]/
http://[2002:a9fe:a9fe::1]/ http://[2002:0a00:0001::]/ http://[fd00:0ec2:0:0:0:0:0:254]/
http://[fd20:ce::254]/ http://[fe80::a9fe:a9fe]/ http://[fc00::1]/ http://[fec0::1]/
http://[ff02::1]/ http://[::ffff:10.0.0.1]/ http://[::ffff:0a00:0001]/ http://[::10.0.0.1]/
http://[2001:db8::1]/ http://[0::1]/ http://[::0:1]/ http://[00000::1]/ http://[::ffff:127.1]/
http://[::ffff:127.0.0.01]/ http://[1::2::3]/ http://[::1]./ http://[::1/ http://::1/
http://[[::1]]/ http://[::1]]/ http://[v1.127.0.0.1]/ http://[::1]:80:80/ http://[::1]80/
http://[:]/ http://[]/ http://[::1%00]/ http://[::1%2525lo]/ http://[::1%25]/ http://%5b::1%5d/
http://[::1%5d/ http://[::١]/ http://⑯⑨。②⑤④。①⑥⑨｡②⑤④/ http://１６９.254.169.254/ http://169．254．169．254/
http://ⓛocalhost/ http://localhoſt/ http://localhost%2e/ http://loc%61lhost/ http://127.0.0.1／/
http://127.0.0.1﹒/ http://٠.٠.٠.٠/ http://127.0.0.1%E3%80%82/ http://127%E3%80%820.0.1/
HTTP://127.0.0.1/ hTTp://169.254.169.254/ http:/\127.0.0.1/ http:\/127.0.0.1/ http;//127.0.0.1/
http//127.0.0.1/ ://127.0.0.1/ 127.0.0.1 127.0.0.1:80 localhost:80 http:// http:///
http://unix:/run/docker.sock:/ https+unix:///run/docker.sock data:text/html,127.0.0.1
ws://127.0.0.1/ ldap://127.0.0.1/ tftp://127.0.0.1/ smb://127.0.0.1/ netdoc:///etc/passwd
blob:http://127.0.0.1/ view-source:http://127.0.0.1/ feed:http://127.0.0.1/ url:http://127.0.0.1/
)");

// A URL is refused when it is read, or it leads to exactly one address that the guard refuses: no
// spelling is read in one way by us and in another by the system.
TEST(OutboundGuard, NoSpellingOfAUrlLeadsInside) {
    const OutboundGuard guard = guard_for("none");
    std::vector<std::string> spellings = kSpellings;
    for (const char* text :
         {"\thttp://127.0.0.1/",
          "ht\ttp://127.0.0.1/",
          "http://127.0.0.1\t/",
          "http://127.0.0.1\n/",
          "http://127.0.0.1 /",
          "http://10.0.0.1\r\nHost: x/"}) {
        spellings.emplace_back(text);
    }
    EXPECT_GE(std::set<std::string>(spellings.begin(), spellings.end()).size(), 200U);
    for (const std::string& text : spellings) {
        const Result<Url> url = parse_url(text);
        if (!url) {
            continue;
        }
        ASSERT_NE(url->host_kind, Url::HostKind::name) << text << " is a name";
        EXPECT_FALSE(allows(guard, url->host, url->port)) << text;
    }
}

TEST(OutboundGuard, SocketsAreCalledOnlyInDirectoriesThatWereNamed) {
    const auto allowed = [](const OutboundRules& rules, const std::string& path) {
        return OutboundGuard(rules).check(parse_unix_path(path).value()).has_value();
    };
    const OutboundRules rules{.allow_unix = parse_directories("/run/steadybit, /run/b").value()};
    EXPECT_TRUE(allowed(rules, "/run/steadybit/extension-datadog.sock"));
    EXPECT_TRUE(allowed(rules, "/run/steadybit/deep/er.sock"));
    EXPECT_TRUE(allowed(rules, "/run/b/x"));
    for (const char* path :
         {"/run/docker.sock", "/run/steadybit", "/run/steadybitx/a.sock", "/var/run/steadybit/a"}) {
        EXPECT_FALSE(allowed(rules, path)) << path;
    }
    EXPECT_FALSE(allowed({}, "/run/steadybit/a.sock"));
    EXPECT_TRUE(allowed({.loopback = true}, "/tmp/a.sock"));
    const Result<void> refused = OutboundGuard(rules).check(*parse_unix_path("/run/docker.sock"));
    EXPECT_EQ(refused.error().code, Errc::denied);
    EXPECT_THAT(refused.error().detail, StartsWith("blocked_socket"));
}

TEST(OutboundGuard, DirectoriesAreWholeAndAbsolute) {
    EXPECT_TRUE(parse_directories("none")->empty());
    for (const char* text :
         {"", "run", "/run/", "/", "/run/../etc", "/run/./a", "/run//a", "/a,,/b"}) {
        EXPECT_FALSE(parse_directories(text).has_value()) << text;
    }
}

TEST(SocketAddress, APathOfASocketIsAbsoluteAndShort) {
    EXPECT_EQ(parse_unix_path("/run/a.sock")->text(), "unix:/run/a.sock");
    EXPECT_EQ(parse_unix_path("/" + std::string(106, 'a'))->host().size(), 107U);
    for (const std::string& path :
         {std::string(),
          std::string("a.sock"),
          std::string("/run/"),
          std::string("/run/../a"),
          std::string("/run/.."),
          std::string("/."),
          std::string("//run/a"),
          std::string("/run/\0a", 7),
          "/" + std::string(107, 'a')}) {
        EXPECT_FALSE(parse_unix_path(path).has_value()) << path;
    }
}

}  // namespace
}  // namespace belfry
