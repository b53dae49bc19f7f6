// What the machine allows: the smallest server that answers a POST once its body is durable. One
// thread, epoll, no more parsing than it takes to find the body, one synchronous write per turn of
// the loop into a file that was filled with zeros before (the same system call Belfry's log makes).
// Belfry's rate is reported as a part of this program's. Usage: limit_durable FILE; prints its port
// and the call it commits with, and serves until it is ended.
#include "app/load/http_text.h"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unordered_map>
#include <vector>

#include "durable_file.h"
#include "sockets.h"

namespace belfry::bench {
namespace {

constexpr std::size_t kReadBytes = 16UL * 1024;
constexpr std::string_view kRecordHeader = "0123456789abcdef0123456789abcdef0123456789abcdef";
// As long as one of Belfry's receipts.
constexpr std::string_view kReceipt =
    R"({"id":"00000000-0000-0000-0000-000000000000","offset":10000000,"durability":"fsync"})";

std::string whole_answer() {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nBelfry-Durability: fsync\r\n"
           "Content-Length: " +
           std::to_string(kReceipt.size()) + "\r\n\r\n" + std::string(kReceipt);
}

struct Connection {
    Descriptor socket;
    std::string input;
    std::size_t answers = 0;  // owed once the turn's commit is durable
};

class Server {
 public:
    explicit Server(const char* path)
        : file_(path),
          listener_(listen_on_loopback()),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        watch(epoll_, listener_.socket.get(), static_cast<std::uint64_t>(listener_.socket.get()));
        std::printf("%d %s\n", listener_.port, file_.call());
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
                    take_requests(fd);
                }
            }
            if (!batch_.empty()) {
                file_.commit(batch_.data(), batch_.size());
                batch_.clear();
                answer_all();
            }
        }
    }

 private:
    void accept_all() {
        for (;;) {
            Descriptor socket = accept_next(listener_);
            if (socket.get() < 0) {
                return;
            }
            const int fd = socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            connections_.emplace(
                fd,
                std::make_unique<Connection>(Connection{.socket = std::move(socket), .input = {}})
            );
        }
    }

    void take_requests(int fd) {
        Connection& connection = *connections_.at(fd);
        const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) {
                connections_.erase(fd);
            }
            return;
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        std::string_view rest = connection.input;
        while (const auto message = first_message(rest)) {
            batch_ += kRecordHeader;
            batch_ += rest.substr(message->head, message->total - message->head);
            rest.remove_prefix(message->total);
            if (connection.answers++ == 0) {
                owed_.push_back(&connection);
            }
        }
        connection.input.erase(0, connection.input.size() - rest.size());
    }

    void answer_all() {
        for (Connection* connection : owed_) {
            answers_.clear();
            for (; connection->answers > 0; --connection->answers) {
                answers_ += answer_;
            }
            send_all(connection->socket.get(), answers_);
        }
        owed_.clear();
    }

    DurableFile file_;
    Listener listener_;
    Descriptor epoll_;
    std::unordered_map<int, std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> owed_;
    std::array<char, kReadBytes> buffer_{};
    std::string batch_;
    std::string answers_;
    const std::string answer_ = whole_answer();
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: limit_durable FILE\n", stderr);
        return 2;
    }
    belfry::bench::Server(arguments[1]).run();
}
