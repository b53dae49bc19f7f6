// What the machine allows of calling webhooks: CONNECTIONS kept-alive connections, spread over the
// ports, each with one ready-made POST under way, sent again when its answer is whole. Prints one
// JSON object. Belfry's deliveries are reported as a part of this program's. With a FILE it sends
// the request that stands there, which makes it a load for servers; twelve # in it become a number
// that no request had before. Usage: limit_webhook [--request FILE] CONNECTIONS SECONDS PORT…
#include "app/load/http_text.h"
#include "app/load/latency.h"

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <span>
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
    Client(std::string request, std::size_t connections, const std::vector<std::uint16_t>& ports)
        : request_(std::move(request)),
          number_at_(request_.find(kNumber)),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
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
        const std::uint64_t warmed_up = latency_.count();
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
            "{\"rate\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"cpu_us\":%.3f,"
            "\"calls_with_warm_up\":%.0f}\n",
            count / took,
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99),
            (cpu_us(after) - cpu_us(before)) / count,
            count + static_cast<double>(warmed_up)
        );
    }

 private:
    static double cpu_us(const rusage& use) {
        return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
               static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
    }

    void deliver(Connection& connection) {
        if (number_at_ != std::string::npos) {
            std::uint64_t number = ++number_;
            for (std::size_t digit = kNumber.size(); digit > 0; --digit, number /= 10) {
                request_[number_at_ + digit - 1] = static_cast<char>('0' + number % 10);
            }
        }
        connection.sent = Clock::now();
        send_all(connection.socket.get(), request_);
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
        if (!connection.input.starts_with("HTTP/1.1 2")) {
            std::fprintf(stderr, "refused: %s\n", connection.input.c_str());
            std::exit(1);
        }
        const auto took = Clock::now() - connection.sent;
        latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
        connection.input.erase(0, answer->total);
        deliver(connection);
    }

    static constexpr std::string_view kNumber = "############";

    std::string request_;
    std::size_t number_at_;
    // Begins with the time in microseconds: another run's numbers are others.
    std::uint64_t number_ = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()) /
                            1000 % 1'000'000'000'000;
    Descriptor epoll_;
    std::vector<Connection> connections_;
    Latency latency_;
    std::array<char, 16UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    const std::span all(arguments, static_cast<std::size_t>(count));
    const bool has_file = count > 2 && std::string_view(all[1]) == "--request";
    const auto rest = all.subspan(has_file ? 3 : 1);
    if (rest.size() < 3) {
        std::fputs("usage: limit_webhook [--request FILE] CONNECTIONS SECONDS PORT...\n", stderr);
        return 2;
    }
    std::string request = belfry::bench::one_delivery();
    if (has_file) {
        std::ifstream file(all[2], std::ios::binary);
        request.assign(std::istreambuf_iterator(file), {});
        if (request.empty()) {
            std::fprintf(stderr, "limit_webhook: there is no request in %s\n", all[2]);
            return 1;
        }
    }
    std::vector<std::uint16_t> ports;
    for (const char* port : rest.subspan(2)) {
        ports.push_back(static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10)));
    }
    belfry::bench::Client client(std::move(request), std::strtoul(rest[0], nullptr, 10), ports);
    client.run(std::strtod(rest[1], nullptr));
}
