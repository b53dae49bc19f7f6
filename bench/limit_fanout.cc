// What the machine allows of sending one event to many: a GET makes a connection a reader, a POST
// sends as many ready-made events as its body has lines to every reader, one send() each, and is
// answered then. Nothing is parsed, stored or synced. Belfry's deliveries are reported as a part of
// this program's. Usage: limit_fanout [BYTES]; prints its port and serves until it is ended. With
// BYTES it answers as a list of Consul's API does, in so many bytes all in all: a GET whose
// `index=` is that of the last answer once something is posted, another at once.
#include "app/load/http_text.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

constexpr std::string_view kOpening =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    "17\r\nretry: 2000\n: waiting\n\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

// As long as what Belfry sends for an event of 200 bytes.
std::string one_event() {
    return R"(id: 1000000
data: {"specversion":"1.0","id":"00000000-0000-0000-0000-000000000000","source":"/belfry/http",)"
           R"("type":"bench","datacontenttype":"text/plain","data":")" +
           std::string(200, 'x') + "\"}\n\n";
}

// As Belfry frames them: what goes out in one piece is one chunk.
std::string one_chunk(std::size_t count) {
    std::string events;
    for (std::size_t i = 0; i < count; ++i) {
        events += one_event();
    }
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", events.size());
    return size.data() + events + "\r\n";
}

// The index and the length have all their digits, so that every answer has these bytes.
std::string list_answer(std::size_t bytes, std::uint64_t index) {
    std::array<char, 128> head{};
    const auto print = [&](std::size_t length) {
        return static_cast<std::size_t>(std::snprintf(
            head.data(),
            head.size(),
            "HTTP/1.1 200 OK\r\nX-Consul-Index: %020lu\r\nContent-Length: %010zu\r\n\r\n",
            index,
            length
        ));
    };
    const std::size_t length = bytes - std::min(bytes, print(0));
    const std::size_t size = print(length);
    return std::string(head.data(), size) + std::string(length, 'x');
}

struct Connection {
    Descriptor socket;
    std::string input;
};

class Sender {
 public:
    // `list_bytes`: of an answer to a list; 0 for streams.
    explicit Sender(std::size_t list_bytes)
        : listener_(listen_on_loopback()),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
          list_bytes_(list_bytes),
          list_(list_answer(list_bytes, index_)) {
        watch(epoll_, listener_.socket.get(), static_cast<std::uint64_t>(listener_.socket.get()));
        std::printf("%d\n", listener_.port);
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 1024> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
            for (int i = 0; i < count; ++i) {
                const int fd = ready[static_cast<std::size_t>(i)].data.fd;
                if (fd == listener_.socket.get()) {
                    accept_all();
                } else {
                    take(fd);
                }
            }
        }
    }

 private:
    void accept_all() {
        for (Descriptor socket = accept_next(listener_); socket.get() >= 0;
             socket = accept_next(listener_)) {
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
                std::erase(readers_, fd);
                connections_.erase(fd);
            }
            return;
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        while (const auto message = first_message(connection.input)) {
            const auto head = std::string_view(connection.input).substr(0, message->head);
            const auto body = std::string_view(connection.input)
                                  .substr(message->head, message->total - message->head);
            if (head.starts_with("GET") && list_bytes_ > 0) {
                waits(head) ? readers_.push_back(fd) : send_all(fd, list_);
            } else if (head.starts_with("GET")) {
                readers_.push_back(fd);
                send_all(fd, kOpening);
            } else if (list_bytes_ > 0) {
                send_lists();
                send_all(fd, kAnswer);
            } else {
                send_events(static_cast<std::size_t>(std::ranges::count(body, '\n')) + 1);
                send_all(fd, kAnswer);
            }
            connection.input.erase(0, message->total);
        }
    }

    void send_events(std::size_t count) {
        if (count != events_of_chunk_) {
            events_of_chunk_ = count;
            chunk_ = one_chunk(count);
        }
        for (int reader : readers_) {
            send_all(reader, chunk_);
        }
    }

    // A request may be read after a POST that was sent later: connections are not served in order.
    [[nodiscard]] bool waits(std::string_view head) const {
        constexpr std::string_view kIndex = "index=";
        const std::size_t at = head.find(kIndex);
        return at != std::string_view::npos &&
               std::strtoul(head.data() + at + kIndex.size(), nullptr, 10) == index_;
    }

    void send_lists() {
        list_ = list_answer(list_bytes_, ++index_);
        for (int reader : readers_) {
            send_all(reader, list_);
        }
        readers_.clear();
    }

    Listener listener_;
    Descriptor epoll_;
    const std::size_t list_bytes_;
    std::uint64_t index_ = 1;
    std::string list_;
    std::unordered_map<int, Connection> connections_;
    std::vector<int> readers_;
    std::size_t events_of_chunk_ = 0;
    std::string chunk_;
    std::array<char, 64UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    belfry::bench::allow_all_descriptors();
    belfry::bench::Sender(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 0).run();
}
