// How long a hub takes to start: from fork to the first 200 of /readyz, asked again every 100 us.
// Leaves the hub running and waits for it to end. Prints milliseconds and the hub's process id.
// Usage: start_time PORT PROGRAM ARGUMENT…
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <sys/wait.h>

#include "sockets.h"

namespace belfry::bench {
namespace {

bool ready(std::uint16_t port) {
    const Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_in address = loopback(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.get(), generic, sizeof address) != 0) {
        return false;
    }
    send_all(socket.get(), "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    std::array<char, 4096> answer{};
    const ssize_t got = ::read(socket.get(), answer.data(), answer.size());
    return got > 0 && std::string_view(answer.data(), static_cast<std::size_t>(got))
                          .starts_with("HTTP/1.1 200 ");
}

int run(std::uint16_t port, char** command) {
    const auto begin = std::chrono::steady_clock::now();
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
        ::execv(command[0], command);
        std::perror(command[0]);
        ::_exit(127);
    }
    while (!ready(port)) {
        if (::waitpid(child, nullptr, WNOHANG) != 0 ||
            std::chrono::steady_clock::now() - begin > std::chrono::seconds(60)) {
            std::fputs("the hub did not become ready\n", stderr);
            return 1;
        }
        ::usleep(100);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    std::printf("%.3f %d\n", std::chrono::duration<double, std::milli>(took).count(), child);
    std::fflush(stdout);
    ::waitpid(child, nullptr, 0);
    return 0;
}

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count < 3) {
        std::fputs("usage: start_time PORT PROGRAM ARGUMENT...\n", stderr);
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10));
    return belfry::bench::run(port, arguments + 2);
}
