// A webhook that costs as little as it can: answers every POST with 204 at once, a GET with how
// many it has had. Usage: listener PORTS; prints that many port numbers and serves until it is
// ended.
#include "app/load/http_text.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";

struct Connection {
    Descriptor socket;
    std::string input;
};

class Webhook {
 public:
    Webhook(std::size_t ports, std::uint16_t named)
        : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        for (std::size_t i = 0; i < ports; ++i) {
            Listener made = listen_on_loopback(named);
            const int fd = made.socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            std::printf("%d ", made.port);
            listeners_.emplace(fd, std::move(made));
        }
        std::puts("");
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 256> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
            for (int i = 0; i < count; ++i) {
                const int fd = ready[static_cast<std::size_t>(i)].data.fd;
                const auto listener = listeners_.find(fd);
                if (listener != listeners_.end()) {
                    accept_all(listener->second);
                } else {
                    take(fd);
                }
            }
        }
    }

 private:
    void accept_all(const Listener& listener) {
        for (Descriptor socket = accept_next(listener); socket.get() >= 0;
             socket = accept_next(listener)) {
            const int fd = socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            connections_.emplace(fd, Connection{.socket = std::move(socket), .input = {}});
        }
    }

    void take(int fd) {
        Connection& connection = connections_.at(fd);
        const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) {
                connections_.erase(fd);
            }
            return;
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        while (const auto message = first_message(connection.input)) {
            if (connection.input.starts_with("GET")) {
                const std::string count = std::to_string(received_);
                send_all(
                    fd,
                    "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(count.size()) +
                        "\r\n\r\n" + count
                );
            } else {
                ++received_;
                send_all(fd, kAnswer);
            }
            connection.input.erase(0, message->total);
        }
    }

    Descriptor epoll_;
    std::unordered_map<int, Listener> listeners_;
    std::unordered_map<int, Connection> connections_;
    std::uint64_t received_ = 0;
    std::array<char, 64UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 2 && count != 3) {
        std::fputs("usage: listener PORTS [PORT]\n", stderr);
        return 2;
    }
    belfry::bench::allow_all_descriptors();
    const auto named =
        static_cast<std::uint16_t>(count == 3 ? std::strtoul(arguments[2], nullptr, 10) : 0);
    belfry::bench::Webhook(std::strtoul(arguments[1], nullptr, 10), named).run();
}
