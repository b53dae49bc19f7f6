// Names through the real c-ares and a name server of the test's on loopback.
#include "net/name_resolver.h"

#include "base/fixed_limits.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <span>

namespace belfry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Addresses = Result<std::vector<SocketAddress>>;

constexpr std::uint8_t kTypeAaaa = 28;
constexpr std::uint8_t kNoSuchName = 3;
constexpr std::size_t kHeaderBytes = 12;

// Answers by UDP what the test says, and nothing to a name it calls silent (RFC 1035, section 4).
class NameServer {
 public:
    explicit NameServer(const std::string& host = "127.0.0.1", std::uint16_t port = 0)
        : host_(host),
          descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        SocketAddress address = *parse_literal(host, port);
        EXPECT_EQ(::bind(descriptor_, address.get(), address.size), 0);
        EXPECT_EQ(::getsockname(descriptor_, address.get(), &address.size), 0);
        port_ = ntohs(reinterpret_cast<const sockaddr_in*>(address.get())->sin_port);
    }
    ~NameServer() { ::close(descriptor_); }
    NameServer(const NameServer&) = delete;
    NameServer& operator=(const NameServer&) = delete;

    void answer_all() {
        std::array<std::uint8_t, 512> query{};
        SocketAddress peer;
        peer.size = sizeof(peer.storage);
        ssize_t size = 0;
        while ((size =
                    ::recvfrom(descriptor_, query.data(), query.size(), 0, peer.get(), &peer.size)
               ) > 0) {
            answer(std::span(query).first(static_cast<std::size_t>(size)), peer);
            peer.size = sizeof(peer.storage);
        }
    }
    [[nodiscard]] const std::string& host() const { return host_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

    std::map<std::string, std::vector<std::string>> names;  // to literals
    std::string silent = "silent";                          // how a name begins that is not told of
    bool silent_for_ipv6 = false;
    std::map<std::string, int> asked;

 private:
    void answer(std::span<const std::uint8_t> query, const SocketAddress& peer) {
        std::string name;
        std::size_t at = kHeaderBytes;
        while (query[at] != 0) {
            const std::size_t length = query[at];
            name += name.empty() ? "" : ".";
            name.append(reinterpret_cast<const char*>(&query[at + 1]), length);
            at += length + 1;
        }
        const std::uint8_t type = query[at + 2];
        ++asked[name];
        if (name.starts_with(silent) || (type == kTypeAaaa && silent_for_ipv6)) {
            return;
        }
        const auto question = query.first(at + 5);
        std::vector<std::uint8_t> reply(question.begin(), question.end());
        reply[2] = 0x85;
        const bool known = names.contains(name);
        reply[3] = known ? 0x80 : 0x80 | kNoSuchName;
        reply[11] = 0;  // no additional records
        for (const std::string& literal : known ? names[name] : std::vector<std::string>{}) {
            const SocketAddress address = *parse_literal(literal, 0);
            const bool is_ipv6 = address.family() == AF_INET6;
            if (is_ipv6 != (type == kTypeAaaa)) {
                continue;
            }
            ++reply[7];
            const std::uint8_t length = is_ipv6 ? 16 : 4;
            reply.insert(reply.end(), {0xc0, kHeaderBytes, 0, type, 0, 1, 0, 0, 0, 0, 0, length});
            const auto* bytes =
                reinterpret_cast<const std::uint8_t*>(address.get()) +
                (is_ipv6 ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr));
            reply.insert(reply.end(), bytes, bytes + length);
        }
        ::sendto(descriptor_, reply.data(), reply.size(), 0, peer.get(), peer.size);
    }

    std::string host_;
    int descriptor_;
    std::uint16_t port_ = 0;
};

struct NameResolverTest : testing::Test {
    NameResolverTest() { use(server); }
    ~NameResolverTest() override { std::filesystem::remove(path); }

    void use(const NameServer& one) { std::ofstream(path) << "nameserver " << one.host() << "\n"; }

    void ask(const std::string& name, std::uint16_t port = 80) {
        resolver->resolve(name, port, [this, name](Addresses result) {
            told.emplace(name, std::move(result));
        });
    }
    bool until(const std::function<bool()>& holds) {
        return run_until(loop, [&] {
            server.answer_all();
            return holds();
        });
    }
    bool passes(Duration time) {
        bool passed = false;
        loop.call_after(time, [&] { passed = true; });
        return until([&] { return passed; });
    }
    void resolve_with(std::chrono::milliseconds timeout) {
        resolver.emplace(
            loop, NameServers{.resolv_conf = path, .port = server.port(), .timeout = timeout}
        );
    }
    bool is_told(const std::string& name) { return told.contains(name); }
    // What was told of a name that is told of once.
    const Addresses& of(const std::string& name) {
        EXPECT_EQ(told.count(name), 1U);
        return told.find(name)->second;
    }
    static std::vector<std::string> texts(const Addresses& addresses) {
        std::vector<std::string> texts;
        for (const SocketAddress& address : addresses.value()) {
            texts.push_back(address.text());
        }
        return texts;
    }

    const std::string path = testing::TempDir() + "resolv.conf." + std::to_string(::getpid());
    NameServer server;
    Loop loop;
    std::optional<NameResolver> resolver{
        std::in_place, loop, NameServers{.resolv_conf = path, .port = server.port()}
    };
    std::multimap<std::string, Addresses> told;
};

TEST_F(NameResolverTest, GivesAllAddressesWithThePort) {
    server.names["both.test"] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
    ask("both.test", 8420);
    EXPECT_TRUE(told.empty()) << "not from within the call";
    ASSERT_TRUE(until([&] { return is_told("both.test"); }));
    EXPECT_THAT(
        texts(of("both.test")),
        UnorderedElementsAre("192.0.2.1:8420", "192.0.2.2:8420", "[2001:db8::1]:8420")
    );
}

TEST_F(NameResolverTest, NamesWhatCannotBeResolved) {
    ask("nowhere.test");
    ASSERT_TRUE(until([&] { return is_told("nowhere.test"); }));
    const Addresses& none = of("nowhere.test");
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().code, Errc::unavailable);
    EXPECT_EQ(none.error().detail, "cannot resolve nowhere.test: Domain name not found");
}

TEST_F(NameResolverTest, KnowsLocalhostWithoutAnyServer) {
    server.silent = "";
    ask("localhost");
    ASSERT_TRUE(until([&] { return is_told("localhost"); }));
    EXPECT_THAT(texts(of("localhost")), testing::Contains("127.0.0.1:80"));
}

// Other resolvers take these for 127.0.0.1.
TEST_F(NameResolverTest, TakesNoNumberForAnAddress) {
    for (const std::string name : {"2130706433", "0x7f.1", "127.1"}) {
        ask(name);
        ASSERT_TRUE(until([&] { return is_told(name); }));
        EXPECT_FALSE(of(name).has_value()) << name;
    }
}

TEST_F(NameResolverTest, SilentServersOfManyNamesDelayNoOther) {
    server.names["quick.test"] = {"192.0.2.1"};
    for (int number = 0; number < 100; ++number) {
        ask("silent" + std::to_string(number) + ".test");
    }
    ASSERT_TRUE(until([&] { return server.asked.size() == 100; }));
    ask("quick.test");
    ASSERT_TRUE(until([&] { return is_told("quick.test"); }));
    EXPECT_EQ(told.size(), 1U) << "the others still wait";
}

TEST_F(NameResolverTest, GivesASilentServerUp) {
    resolve_with(std::chrono::milliseconds(20));
    ask("silent.test");
    ASSERT_TRUE(until([&] { return is_told("silent.test"); }));
    EXPECT_EQ(
        of("silent.test").error().detail,
        "cannot resolve silent.test: Timeout while contacting DNS servers"
    );
    EXPECT_EQ(server.asked["silent.test"], 6) << "three times for each kind of address";
}

TEST_F(NameResolverTest, GivesAddressesOfOneKindWhenTheServerIsSilentAboutTheOther) {
    resolve_with(std::chrono::milliseconds(20));
    server.names["half.test"] = {"192.0.2.1", "2001:db8::1"};
    server.silent_for_ipv6 = true;
    ask("half.test");
    ASSERT_TRUE(until([&] { return is_told("half.test"); }));
    EXPECT_THAT(texts(of("half.test")), ElementsAre("192.0.2.1:80"));
}

TEST_F(NameResolverTest, AsksOnceForAllWhoWait) {
    server.names["busy.test"] = {"192.0.2.1"};
    for (std::uint16_t port = 1; port <= 16; ++port) {
        ask("busy.test", port);
    }
    ASSERT_TRUE(until([&] { return told.size() == 16; }));
    EXPECT_EQ(server.asked["busy.test"], 2) << "once for each kind of address";
    std::uint16_t port = 0;
    for (const auto& [name, addresses] : told) {
        EXPECT_THAT(texts(addresses), ElementsAre("192.0.2.1:" + std::to_string(++port)));
    }
    server.names["busy.test"] = {"192.0.2.2"};
    told.clear();
    ask("busy.test");
    ASSERT_TRUE(until([&] { return is_told("busy.test"); }));
    EXPECT_THAT(texts(of("busy.test")), ElementsAre("192.0.2.2:80")) << "nothing is kept";
}

TEST_F(NameResolverTest, ReadsItsFileAgainWhileNamesAreLookedUp) {
    ask("silent.test");
    ASSERT_TRUE(until([&] { return server.asked.contains("silent.test"); }));
    NameServer other("127.0.0.2", server.port());
    other.names["moved.test"] = {"192.0.2.9"};
    use(other);
    ASSERT_TRUE(passes(std::chrono::milliseconds(1100)));
    ask("moved.test");
    ASSERT_TRUE(until([&] {
        other.answer_all();
        return is_told("moved.test");
    }));
    EXPECT_THAT(texts(of("moved.test")), ElementsAre("192.0.2.9:80"));
}

TEST_F(NameResolverTest, RefusesMoreNamesThanTheLimit) {
    for (std::size_t number = 0; number < kNamesLookedUpMax; ++number) {
        ask("silent" + std::to_string(number) + ".test");
    }
    EXPECT_TRUE(told.empty());
    ask("silent0.test");
    ask("late.test");
    ASSERT_TRUE(until([&] { return !told.empty(); }));
    EXPECT_THAT(of("late.test").error().detail, HasSubstr("too many other names wait already"));
    EXPECT_FALSE(is_told("silent0.test")) << "it waits for what is under way";
}

TEST_F(NameResolverTest, TellsNobodyAfterItsEnd) {
    server.names["half.test"] = {"192.0.2.1"};
    server.silent_for_ipv6 = true;
    ask("silent.test");
    ask("half.test");
    ASSERT_TRUE(until([&] { return server.asked.size() == 2; }));
    ASSERT_TRUE(passes(std::chrono::milliseconds(20)));  // half of an answer is there
    ask("localhost");                                    // known already, but not told yet
    resolver.reset();
    ASSERT_TRUE(passes(std::chrono::milliseconds(20)));
    EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace belfry
