// What the machine allows of calling webhooks: CONNECTIONS kept-alive connections, spread over the
// ports, each with one ready-made POST under way, sent again when its answer is whole. Prints one
// JSON object. Belfry's deliveries are reported as a part of this program's. Usage: limit_webhook
// CONNECTIONS SECONDS PORT…
#include "app/load/http_text.h"
#include "app/load/latency.h"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

// As long as what Belfry sends for an event of 200 bytes.
std::string one_delivery() {
    return "POST /in HTTP/1.1\r\nHost: 127.0.0.1:40000\r\nUser-Agent: Belfry/0.1.0\r\n"
           "ce-specversion: 1.0\r\nce-id: 00000000-0000-0000-0000-000000000000\r\n"
           "ce-source: /belfry/bench\r\nce-type: bench\r\nContent-Type: text/plain\r\n"
           "webhook-id: 00000000-0000-0000-0000-000000000000\r\nwebhook-timestamp: 1700000000\r\n"
           "Belfry-Attempt: 1\r\nContent-Length: 200\r\n\r\n" +
           std::string(200, 'x');
}

struct Connection {
    Descriptor socket;
    std::string input;
    Clock::time_point sent;
};

class Client {
 public:
    Client(std::size_t connections, const std::vector<std::uint16_t>& ports)
        : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        for (std::size_t i = 0; i < connections; ++i) {
            connections_.push_back(
                {.socket = dial(ports[i % ports.size()]), .input = {}, .sent = {}}
            );
            watch(epoll_, connections_[i].socket.get(), i);
        }
    }

    void run(double seconds) {
        for (Connection& connection : connections_) {
            deliver(connection);
        }
        const auto length =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        turn_until(Clock::now() + length / 5);  // warms up
        latency_ = {};
        rusage before{};
        check(::getrusage(RUSAGE_SELF, &before), "getrusage");
        const auto begin = Clock::now();
        turn_until(begin + length);
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        rusage after{};
        check(::getrusage(RUSAGE_SELF, &after), "getrusage");
        const auto count = static_cast<double>(latency_.count());
        std::printf(
            "{\"rate\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"cpu_us\":%.3f}\n",
            count / took,
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99),
            (cpu_us(after) - cpu_us(before)) / count
        );
    }

 private:
    static double cpu_us(const rusage& use) {
        return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
               static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
    }

    void deliver(Connection& connection) {
        connection.sent = Clock::now();
        send_all(connection.socket.get(), delivery_);
    }

    void turn_until(Clock::time_point end) {
        std::array<epoll_event, 256> ready{};
        while (Clock::now() < end) {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), 50);
            for (int i = 0; i < count; ++i) {
                take(connections_[ready[static_cast<std::size_t>(i)].data.u64]);
            }
        }
    }

    void take(Connection& connection) {
        const ssize_t got = ::read(connection.socket.get(), buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (check(got, "read") == 0) {
            std::fputs("the listener closed a connection\n", stderr);
            std::exit(1);
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        const auto answer = first_message(connection.input);
        if (!answer) {
            return;
        }
        const auto took = Clock::now() - connection.sent;
        latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
        connection.input.erase(0, answer->total);
        deliver(connection);
    }

    const std::string delivery_ = one_delivery();
    Descriptor epoll_;
    std::vector<Connection> connections_;
    Latency latency_;
    std::array<char, 16UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count < 4) {
        std::fputs("usage: limit_webhook CONNECTIONS SECONDS PORT...\n", stderr);
        return 2;
    }
    std::vector<std::uint16_t> ports;
    for (int i = 3; i < count; ++i) {
        ports.push_back(static_cast<std::uint16_t>(std::strtoul(arguments[i], nullptr, 10)));
    }
    belfry::bench::Client client(std::strtoul(arguments[1], nullptr, 10), ports);
    client.run(std::strtod(arguments[2], nullptr));
}
