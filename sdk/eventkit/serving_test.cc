// How an extension begins and ends on machines that lack something.
#include "net/loop.h"
#include "net/test_peer.h"

#include <belfry/eventkit.h>
#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <future>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace belfry::eventkit {
namespace {

// From now on this process gets no socket of IPv6.
bool take_ipv6_away() {
    std::array filter = std::to_array<sock_filter>({
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    });
    const sock_fprog program{.len = filter.size(), .filter = filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs in a process of its own: 0 if an extension that was told no address answers on one of IPv4.
int run_without_ipv6() {
    if (!take_ipv6_away()) {
        return 3;
    }
    Options options;
    options.port = 0;
    Extension extension(std::move(options));
    std::promise<std::string> where;
    extension.when_listening([&where](const std::string& at) { where.set_value(at); });
    int result = -1;
    std::thread thread([&] {
        result = extension.run();
        if (result != 0) {
            ::_exit(1);  // nobody listens
        }
    });
    const std::string url = where.get_future().get();
    Loop loop;
    TestPeer peer("127.0.0.1" + url.substr(url.rfind(':'), url.size() - 1 - url.rfind(':')));
    peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const bool answered =
        run_until(loop, [&peer] { return peer.received().starts_with("HTTP/1.1 200 "); });
    extension.stop();
    thread.join();
    return answered ? result : 2;
}

TEST(ServingDeathTest, WithoutIpv6EveryAddressIsEveryOneOfIpv4) {
    if (::prctl(PR_GET_SECCOMP) < 0) {
        GTEST_SKIP() << "this machine does not let a process lose what it has";
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        ::_exit(run_without_ipv6()),
        testing::ExitedWithCode(0),
        "listening on http://0\\.0\\.0\\.0:"
    );
}

// Stacks that no machine has room for, until the end of the test.
class HugeStacks {
 public:
    HugeStacks() {
        ::pthread_getattr_default_np(&before_);
        pthread_attr_t huge = before_;
        ::pthread_attr_setstacksize(&huge, std::size_t{1} << 47U);
        ::pthread_setattr_default_np(&huge);
    }
    ~HugeStacks() { ::pthread_setattr_default_np(&before_); }
    HugeStacks(const HugeStacks&) = delete;
    HugeStacks& operator=(const HugeStacks&) = delete;

 private:
    pthread_attr_t before_{};
};

TEST(Serving, ThreadsThatCannotBeStartedEndTheStart) {
    Options options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.workers = 3;
    Extension extension(std::move(options));
    const HugeStacks stacks;
    testing::internal::CaptureStderr();
    EXPECT_EQ(extension.run(), 1);
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        testing::HasSubstr(
            "STEADYBIT_EXTENSION_WORKERS: of the 3 threads for handlers 0 could be started"
        )
    );
}

}  // namespace
}  // namespace belfry::eventkit
