// How many connections there may be, of one address and of all, and when descriptors run out.
#include "net/http_server.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>
#include <net/if.h>

#include <cstring>
#include <ifaddrs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <thread>

namespace belfry {
namespace {

using testing::StartsWith;

using ConnectionLimits = ServerFixture;

TEST_F(ConnectionLimits, OneTooManyIsAnswered503) {
    limits.connections = 2;
    TestPeer first = connect();
    TestPeer second = connect();
    ASSERT_TRUE(until([&] { return server.status().connections == 2; }));
    TestPeer third = connect();
    ASSERT_TRUE(until([&] { return third.ended(); }));
    EXPECT_THAT(third.received(), StartsWith("HTTP/1.1 503 "));
    EXPECT_EQ(server.status().rejected, 1U);
    first.close();
    ASSERT_TRUE(until([&] { return server.status().connections == 1; }));
    TestPeer fourth = connect();
    fourth.send(kGet);
    EXPECT_TRUE(until([&] { return answers(fourth.received()) == 1; }));
}

// Gives the thread a network of its own, where the loopback device has this address, too.
std::string enter_own_network() {
    const std::string address = "10.0.0.1";
    if (::unshare(CLONE_NEWNET) != 0) {
        return "";
    }
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq up{};
    std::strcpy(up.ifr_name, "lo");
    up.ifr_flags = IFF_UP;
    ifreq more{};
    std::strcpy(more.ifr_name, "lo:1");
    const auto literal = parse_literal(address, 0);
    std::memcpy(&more.ifr_addr, &literal->storage, sizeof(more.ifr_addr));
    const bool done =
        ::ioctl(descriptor, SIOCSIFFLAGS, &up) == 0 && ::ioctl(descriptor, SIOCSIFADDR, &more) == 0;
    ::close(descriptor);
    return done ? address : "";
}

// An address of this machine that is not loopback, to be reached without leaving it.
std::string own_address() {
    ifaddrs* all = nullptr;
    std::string found;
    if (::getifaddrs(&all) == 0) {
        for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
            if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) {
                continue;
            }
            SocketAddress address;
            std::memcpy(&address.storage, each->ifa_addr, sizeof(sockaddr_in));
            if (!address.is_loopback()) {
                found = address.host();
            }
        }
        ::freeifaddrs(all);
    }
    return found;
}

void expect_only_so_many_connections(const std::string& address) {
    Limits limits;
    limits.connections_per_address = 2;
    Loop loop;
    TestService service;
    HttpServer open(loop, service, limits);
    const auto until = [&](std::function<bool()> done) { return run_until(loop, std::move(done)); };
    ASSERT_TRUE(open.listen(address + ":0").has_value());
    EXPECT_FALSE(open.is_loopback());
    TestPeer first(open.address());
    TestPeer second(open.address());
    ASSERT_TRUE(until([&] { return open.status().connections == 2; }));
    TestPeer third(open.address());
    ASSERT_TRUE(until([&] { return third.ended(); }));
    EXPECT_EQ(open.status().connections, 2U);
    EXPECT_EQ(open.status().rejected, 1U);
    first.close();
    ASSERT_TRUE(until([&] { return open.status().connections == 1; }));
    TestPeer fourth(open.address());
    EXPECT_TRUE(until([&] { return open.status().connections == 2; }));
}

// In a network of its own where that is permitted (to root, mostly), else by an address that the
// machine has; a container may grant neither.
TEST_F(ConnectionLimits, OneAddressHasOnlySoMany) {
    std::string address;
    std::thread in_own_network([&] {
        address = enter_own_network();
        if (address.empty()) {
            address = own_address();
        }
        if (!address.empty()) {
            expect_only_so_many_connections(address);
        }
    });
    in_own_network.join();
    if (address.empty()) {
        GTEST_SKIP() << "neither a network of its own nor an address but loopback";
    }
}

TEST_F(ConnectionLimits, LoopbackHasAsManyAsItLikes) {
    limits.connections_per_address = 2;
    std::vector<TestPeer> peers;
    for (int i = 0; i < 4; ++i) {
        peers.push_back(connect());
    }
    EXPECT_TRUE(until([&] { return server.status().connections == 4; }));
}

// Runs in a process of its own: 0 if the server answers 503 without spinning and serves again
// later.
int run_out_of_descriptors() {
    Limits limits;
    Loop loop;
    TestService service;
    HttpServer server(loop, service, limits);
    if (!server.listen("127.0.0.1:0")) {
        return 1;
    }
    std::vector<TestPeer> peers;
    const auto connect = [&] { return &peers.emplace_back(server.address()); };
    peers.reserve(100);
    connect();
    if (!run_until(loop, [&] { return server.status().connections == 1; })) {
        return 2;
    }
    const int next = ::dup(0);
    ::close(next);
    const rlimit few{static_cast<rlim_t>(next) + 3, static_cast<rlim_t>(next) + 3};
    ::setrlimit(RLIMIT_NOFILE, &few);  // room for two peers and one of their other ends
    TestPeer* accepted = connect();
    TestPeer* turned_away = connect();
    if (!run_until(loop, [&] { return turned_away->ended(); })) {
        return 3;
    }
    if (!turned_away->received().starts_with("HTTP/1.1 503 ") || server.status().rejected != 1) {
        return 4;
    }
    std::uint64_t turns = 0;
    loop.on_turn_end([&] { ++turns; });
    bool over = false;
    loop.call_after(std::chrono::milliseconds(50), [&] { over = true; });
    if (!run_until(loop, [&] { return over; }) || turns > 5000) {
        return 5;
    }
    accepted->close();
    turned_away->close();
    TestPeer* late = connect();
    late->send(kGet);
    return run_until(loop, [&] { return ServerFixture::answers(late->received()) == 1; }) ? 0 : 6;
}

// The sanitizer of undefined behaviour looks at memory through a pipe, so it cannot run without
// descriptors.
#if defined(__has_feature) && __has_feature(undefined_behavior_sanitizer)
constexpr bool kSanitizerNeedsDescriptors = true;
#else
constexpr bool kSanitizerNeedsDescriptors = false;
#endif

TEST(ConnectionLimitsDeathTest, RunningOutOfDescriptorsIsSurvived) {
    if (kSanitizerNeedsDescriptors) {
        GTEST_SKIP() << "the sanitizer needs descriptors itself";
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(::_exit(run_out_of_descriptors()), testing::ExitedWithCode(0), "no descriptors");
}

}  // namespace
}  // namespace belfry
