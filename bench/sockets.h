// Loopback sockets for the programs of bench/, and the check that ends such a program when a system
// call fails: a benchmark with a failed call has nothing to report.
#pragma once

#include "app/load/descriptor.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace belfry::bench {

template <typename T>
T check(T result, const char* what) {
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void send_at_once(int fd) {
    const int on = 1;
    check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

inline void make_nonblocking(int fd) {
    check(::fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
}

// As many descriptors as the process may have.
inline void allow_all_descriptors() {
    rlimit files{};
    check(::getrlimit(RLIMIT_NOFILE, &files), "getrlimit");
    files.rlim_cur = files.rlim_max;
    check(::setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
}

// A connection that does not block and does not wait to fill packets.
inline Descriptor dial(std::uint16_t port) {
    Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_in address = loopback(port);
    check(
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "connect"
    );
    send_at_once(socket.get());
    make_nonblocking(socket.get());
    return socket;
}

struct Listener {
    Descriptor socket;
    std::uint16_t port = 0;
};

// On that port; 0 takes a free one.
inline Listener listen_on_loopback(std::uint16_t port = 0) {
    Descriptor socket(
        check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket")
    );
    sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(socket.get(), generic, size), "bind");
    check(::listen(socket.get(), 4096), "listen");
    check(::getsockname(socket.get(), generic, &size), "getsockname");
    return {.socket = std::move(socket), .port = ntohs(address.sin_port)};
}

// The next one that waits, or an empty descriptor.
inline Descriptor accept_next(const Listener& listener) {
    Descriptor socket(
        ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)
    );
    if (socket.get() >= 0) {
        send_at_once(socket.get());
    }
    return socket;
}

// Tells `number` when there is something to read from `fd`.
inline void watch(const Descriptor& epoll, int fd, std::uint64_t number) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
    check(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

// All of it; the peer reads, so the socket soon has room for what is left.
inline void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
            check(::poll(&room, 1, -1), "poll");
            continue;
        }
        bytes.remove_prefix(static_cast<std::size_t>(check(sent, "send")));
    }
}

}  // namespace belfry::bench
