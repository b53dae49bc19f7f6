// Publishes 200-byte events over N kept-alive connections, each with one request outstanding, and
// reads every answer whole. Prints one JSON object: requests, errors (an answer other than 200, or
// a closed connection), seconds and latencies. One thread, so that it needs one core and no more.
// Usage: load PORT CONNECTIONS SECONDS [PATH]
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <vector>

#include "descriptor.h"
#include "http_text.h"
#include "latency.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBodyBytes = 200;

struct Options {
    std::uint16_t port = 0;
    std::size_t connections = 0;
    double seconds = 0;
    std::string path = "/api/v1/events?type=bench";
};

struct Connection {
    Descriptor socket;
    std::string input;
    Clock::time_point sent;
};

class Load {
 public:
    explicit Load(const Options& options)
        : options_(options), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        request_ = "POST " + options.path +
                   " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: " +
                   std::to_string(kBodyBytes) + "\r\n\r\n" + std::string(kBodyBytes, 'x');
        connections_.reserve(options.connections);
        for (std::size_t i = 0; i < options.connections; ++i) {
            connections_.push_back({.socket = dial(i), .input = {}, .sent = {}});
        }
    }

    // Warms up for a fifth of the time, which is not counted.
    void run() {
        for (Connection& connection : connections_) {
            publish(connection);
        }
        const auto measured = std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(options_.seconds)
        );
        const auto begin = Clock::now() + measured / 5;
        turn_until(begin);
        latency_ = {};
        errors_ = 0;
        started_ = Clock::now();
        turn_until(begin + measured);
        stopped_ = Clock::now();
    }

    void report() const {
        std::printf(
            "{\"requests\":%lu,\"errors\":%lu,\"seconds\":%.3f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
            "\"max_us\":%.0f}\n",
            latency_.count(),
            errors_,
            std::chrono::duration<double>(stopped_ - started_).count(),
            latency_.quantile_us(0.50),
            latency_.quantile_us(0.99),
            latency_.quantile_us(1.0 - 1e-9)
        );
    }

 private:
    Descriptor dial(std::size_t number) {
        Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        const sockaddr_in address = loopback(options_.port);
        check(
            ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            "connect"
        );
        send_at_once(socket.get());
        make_nonblocking(socket.get());
        epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
        check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event), "epoll_ctl");
        return socket;
    }

    void publish(Connection& connection) {
        connection.sent = Clock::now();
        // One small request on a connection whose last one was answered: the socket takes it whole.
        check(
            ::send(connection.socket.get(), request_.data(), request_.size(), MSG_NOSIGNAL), "send"
        );
    }

    void turn_until(Clock::time_point end) {
        std::array<epoll_event, 256> ready{};
        while (Clock::now() < end) {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), 50);
            for (int i = 0; i < count; ++i) {
                take_answer(ready[static_cast<std::size_t>(i)].data.u64);
            }
        }
    }

    void take_answer(std::size_t number) {
        Connection& connection = connections_[number];
        const ssize_t got = ::read(connection.socket.get(), buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            ++errors_;
            connection.socket = dial(number);
            connection.input.clear();
            publish(connection);
            return;
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        const auto message = first_message(connection.input);
        if (!message) {
            return;
        }
        if (connection.input.starts_with("HTTP/1.1 200 ")) {
            const auto took = Clock::now() - connection.sent;
            latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
        } else {
            ++errors_;
        }
        connection.input.erase(0, message->total);
        publish(connection);
    }

    Options options_;
    std::string request_;
    Descriptor epoll_;
    std::vector<Connection> connections_;
    Clock::time_point started_;
    Clock::time_point stopped_;
    std::array<char, 16UL * 1024> buffer_{};
    Latency latency_;
    std::uint64_t errors_ = 0;
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 4 && count != 5) {
        std::fputs("usage: load PORT CONNECTIONS SECONDS [PATH]\n", stderr);
        return 2;
    }
    belfry::bench::Options options{
        .port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)),
        .connections = std::strtoul(arguments[2], nullptr, 10),
        .seconds = std::strtod(arguments[3], nullptr),
    };
    if (count == 5) {
        options.path = arguments[4];
    }
    if (options.port == 0 || options.connections == 0 || options.seconds <= 0) {
        std::fputs("load: PORT, CONNECTIONS and SECONDS must be above zero\n", stderr);
        return 2;
    }
    belfry::bench::Load load(options);
    load.run();
    load.report();
}
