// From an event to its webhook, one at a time on an idle hub: publishes, waits for the delivery,
// answers it with 204, waits for the receipt, and measures from sending the event to the 204.
// Prints its port, waits for a line of input (somebody subscribes it), then publishes COUNT events
// and prints one JSON object. Usage: end_to_end HUB_PORT COUNT
#include "app/load/http_text.h"
#include "app/load/latency.h"

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "sockets.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum Who : std::uint64_t { listening, hub, delivery };

class EndToEnd {
 public:
    explicit EndToEnd(std::uint16_t hub_port)
        : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
          listener_(listen_on_loopback()),
          hub_(dial(hub_port)) {
        watch(epoll_, listener_.socket.get(), Who::listening);
        watch(epoll_, hub_.get(), Who::hub);
        std::printf("%d\n", listener_.port);
        std::fflush(stdout);
    }

    void run(std::size_t count) {
        while (std::getchar() != '\n') {
        }
        for (std::size_t i = 0; i < count / 5; ++i) {
            one();
        }
        latency_ = {};
        for (std::size_t i = 0; i < count; ++i) {
            one();
        }
        std::printf(
            "{\"events\":%lu,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
            latency_.count(),
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99)
        );
    }

 private:
    void one() {
        waiting_ = 2;
        sent_ = Clock::now();
        send_all(hub_.get(), request_);
        while (waiting_ > 0) {
            std::array<epoll_event, 4> ready{};
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), 5'000);
            if (count == 0) {
                std::fputs("nothing was delivered for 5 seconds\n", stderr);
                std::exit(1);
            }
            for (int i = 0; i < count; ++i) {
                take(ready[static_cast<std::size_t>(i)].data.u64);
            }
        }
    }

    void take(std::uint64_t who) {
        if (who == Who::listening) {
            delivery_ = accept_next(listener_);
            watch(epoll_, delivery_->get(), Who::delivery);
        } else if (who == Who::hub) {
            whole(hub_.get(), receipt_);
        } else if (whole(delivery_->get(), attempt_)) {
            send_all(delivery_->get(), "HTTP/1.1 204 No Content\r\n\r\n");
            const auto took = Clock::now() - sent_;
            latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
        }
    }

    // Whether the message that is coming is there; then it is forgotten.
    bool whole(int fd, std::string& input) {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EAGAIN) {
            return false;
        }
        if (check(got, "read") == 0) {
            std::fputs("a connection was closed\n", stderr);
            std::exit(1);
        }
        input.append(buffer.data(), static_cast<std::size_t>(got));
        const auto message = first_message(input);
        if (!message) {
            return false;
        }
        input.erase(0, message->total);
        --waiting_;
        return true;
    }

    const std::string request_ =
        "POST /api/v1/events?type=bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
        "Content-Length: 200\r\n\r\n" +
        std::string(200, 'x');
    Descriptor epoll_;
    Listener listener_;
    Descriptor hub_;
    std::optional<Descriptor> delivery_;
    std::string receipt_;
    std::string attempt_;
    int waiting_ = 0;
    Clock::time_point sent_;
    Latency latency_;
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: end_to_end HUB_PORT COUNT\n", stderr);
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10));
    belfry::bench::EndToEnd(port).run(std::strtoul(arguments[2], nullptr, 10));
}
