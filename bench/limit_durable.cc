// What the machine allows: the smallest server that answers a POST once its body is durable. One
// thread, epoll, no more parsing than it takes to find the body, one synchronous write per turn of
// the loop into a file that was filled with zeros before (the same system call Belfry's log makes).
// Belfry's rate is reported as a part of this program's. Usage: limit_durable FILE; prints its port
// and serves until it is ended.
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unordered_map>
#include <vector>

#include "descriptor.h"
#include "http_text.h"

namespace belfry::bench {
namespace {

constexpr std::size_t kFileBytes = 256UL * 1024 * 1024;
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

class DurableFile {
 public:
    explicit DurableFile(const char* path)
        : file_(check(::open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600), path)) {
        const std::vector<char> zeros(4UL * 1024 * 1024);
        for (std::size_t at = 0; at < kFileBytes; at += zeros.size()) {
            check(::pwrite(file_.get(), zeros.data(), zeros.size(), static_cast<off_t>(at)), path);
        }
        check(::fsync(file_.get()), "fsync");
    }

    void commit(const std::string& bytes) {
        if (position_ + bytes.size() > kFileBytes) {
            position_ = 0;
        }
        const iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
        const auto at = static_cast<off_t>(position_);
        if (check(::pwritev2(file_.get(), &piece, 1, at, RWF_DSYNC), "pwritev2") !=
            static_cast<ssize_t>(bytes.size())) {
            std::fputs("short write\n", stderr);
            std::exit(1);
        }
        position_ += bytes.size();
    }

 private:
    Descriptor file_;
    std::size_t position_ = 0;
};

class Server {
 public:
    explicit Server(const char* path)
        : file_(path),
          listener_(
              check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")
          ),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        check(::bind(listener_.get(), generic, size), "bind");
        check(::listen(listener_.get(), 1024), "listen");
        check(::getsockname(listener_.get(), generic, &size), "getsockname");
        watch(listener_.get());
        std::printf("%d\n", ntohs(address.sin_port));
        std::fflush(stdout);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 1024> ready{};
        for (;;) {
            const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
            for (int i = 0; i < count; ++i) {
                const int fd = ready[static_cast<std::size_t>(i)].data.fd;
                if (fd == listener_.get()) {
                    accept_all();
                } else {
                    take_requests(fd);
                }
            }
            if (!batch_.empty()) {
                file_.commit(batch_);
                batch_.clear();
                answer_all();
            }
        }
    }

 private:
    void watch(int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }

    void accept_all() {
        for (;;) {
            Descriptor socket(
                ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)
            );
            if (socket.get() < 0) {
                return;
            }
            const int fd = socket.get();
            send_at_once(fd);
            watch(fd);
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
            // The peer waits for each answer, so the socket's buffer is empty and takes all of it.
            check(
                ::send(connection->socket.get(), answers_.data(), answers_.size(), MSG_NOSIGNAL),
                "send"
            );
        }
        owed_.clear();
    }

    DurableFile file_;
    Descriptor listener_;
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
