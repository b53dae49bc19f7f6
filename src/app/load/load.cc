#include "app/load/load.h"

#include "app/load/descriptor.h"
#include "app/load/http_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <random>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

namespace belfry {

namespace {

using Time = std::chrono::steady_clock::time_point;
using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Result<Addresses> resolve(const Url& hub) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(hub.port);
    if (int failed = ::getaddrinfo(hub.host.c_str(), port.c_str(), &wanted, &found); failed != 0) {
        return fail(Errc::unavailable, ::gai_strerror(failed));
    }
    return Addresses(found, ::freeaddrinfo);
}

// Connections take a descriptor each.
void allow_descriptors(std::size_t count) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < count) {
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, count);
        ::setrlimit(RLIMIT_NOFILE, &files);  // if refused, connecting says what is wrong
    }
}

std::string constant_headers(const LoadOptions& options) {
    std::string headers = "Host: " + options.hub.authority() + "\r\n";
    if (!options.token.empty()) {
        headers += "Authorization: Bearer " + options.token + "\r\n";
    }
    return headers;
}

// The status of an answer that begins like this; 0 if that is no answer.
int status_of(std::string_view answer) {
    constexpr std::string_view kBegin = "HTTP/1.1 ";
    return answer.starts_with(kBegin) ? std::atoi(answer.data() + kBegin.size()) : 0;
}

struct Connection {
    Descriptor socket{-1};
    LoadRequest request;
    std::string input;
    std::size_t sent = 0;  // bytes of the request
    bool busy = false;
    Time due;  // of the request under way
};

class Load {
 public:
    explicit Load(const LoadOptions& options)
        : options_(options),
          addresses_(nullptr, ::freeaddrinfo),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    Result<void> connect();
    Result<void> run();
    [[nodiscard]] LoadReport report() { return std::move(report_); }

 private:
    Result<void> dial(std::size_t number);
    [[nodiscard]] Time due_at(std::uint64_t request) const;
    void send_due(Time now);
    void send(std::size_t number, Time due);
    void send_rest(std::size_t number);
    void wait_until(Time when);
    void take(std::size_t number);
    void finish(Connection& connection, std::string_view answer);
    void lose(std::size_t number);
    void watch(std::size_t number, std::uint32_t events, int how) const;
    void count_what_is_left();

    const LoadOptions& options_;
    Addresses addresses_;
    Descriptor epoll_;
    std::vector<Connection> connections_;
    std::vector<std::size_t> idle_;
    std::size_t busy_ = 0;
    std::uint64_t requests_ = 0;  // sent so far
    Duration interval_{};         // between two requests; zero: as they are answered
    Time began_;
    Time counted_from_;
    Time ends_;
    Time last_answer_;
    std::array<char, 64UL * 1024> buffer_;
    Result<void> broken_;  // a connection that closed could not be made again
    LoadReport report_;
};

Result<void> Load::connect() {
    Result<Addresses> addresses = resolve(options_.hub);
    if (!addresses) {
        return std::unexpected(addresses.error());
    }
    addresses_ = *std::move(addresses);
    allow_descriptors(options_.connections + 64);
    const std::uint32_t run = std::random_device()();
    const LoadRequest request(options_.shape, constant_headers(options_), run);
    connections_.reserve(options_.connections);
    for (std::size_t number = 0; number < options_.connections; ++number) {
        connections_.push_back({.request = request, .input = {}, .due = {}});
        if (auto connected = dial(number); !connected) {
            return connected;
        }
        idle_.push_back(number);
    }
    return {};
}

Result<void> Load::dial(std::size_t number) {
    int error = 0;
    for (const addrinfo* address = addresses_.get(); address != nullptr;
         address = address->ai_next) {
        Descriptor socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;
        if (socket.get() < 0 ||
            ::connect(socket.get(), address->ai_addr, address->ai_addrlen) != 0 ||
            ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
            ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
            error = errno;
            continue;
        }
        connections_[number].socket = std::move(socket);
        watch(number, EPOLLIN, EPOLL_CTL_ADD);
        return {};
    }
    return fail(Errc::unavailable, std::strerror(error));
}

void Load::watch(std::size_t number, std::uint32_t events, int how) const {
    epoll_event event{.events = events, .data = {.u64 = number}};
    ::epoll_ctl(epoll_.get(), how, connections_[number].socket.get(), &event);
}

Time Load::due_at(std::uint64_t request) const {
    return began_ + interval_ * static_cast<std::int64_t>(request);
}

Result<void> Load::run() {
    if (options_.rate > 0) {
        const double seconds = static_cast<double>(options_.shape.events) / options_.rate;
        interval_ = std::chrono::ceil<Duration>(std::chrono::duration<double>(seconds));
    }
    began_ = std::chrono::steady_clock::now();
    counted_from_ = began_ + options_.warm_up;
    ends_ = counted_from_ + options_.duration;
    last_answer_ = counted_from_;
    for (Time now = began_; broken_; now = std::chrono::steady_clock::now()) {
        if (now >= ends_ && (busy_ == 0 || now >= ends_ + options_.wait)) {
            break;
        }
        send_due(now);
        Time next = now < ends_ ? ends_ : ends_ + options_.wait;
        if (!idle_.empty() && interval_ > Duration::zero()) {
            next = std::min(next, std::max(due_at(requests_), now));
        }
        wait_until(next);
    }
    count_what_is_left();
    return std::move(broken_);
}

void Load::send_due(Time now) {
    while (now < ends_ && !idle_.empty()) {
        const bool paced = interval_ > Duration::zero();
        const Time due = paced ? due_at(requests_) : now;
        if (due > now || due >= ends_) {
            return;
        }
        const std::size_t number = idle_.back();
        idle_.pop_back();
        send(number, due);
    }
}

void Load::send(std::size_t number, Time due) {
    Connection& connection = connections_[number];
    connection.request.number_events(requests_ * options_.shape.events);
    ++requests_;
    ++busy_;
    connection.due = due;
    connection.busy = true;
    connection.sent = 0;
    send_rest(number);
}

void Load::send_rest(std::size_t number) {
    Connection& connection = connections_[number];
    const std::string& bytes = connection.request.bytes();
    const bool waited = connection.sent > 0;
    const ssize_t count = ::send(
        connection.socket.get(),
        bytes.data() + connection.sent,
        bytes.size() - connection.sent,
        MSG_NOSIGNAL
    );
    if (count < 0 && errno != EAGAIN) {
        return;  // closed: reading says so
    }
    connection.sent += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    const bool more = connection.sent < bytes.size();
    if (more || waited) {
        watch(number, more ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
}

void Load::wait_until(Time when) {
    const Duration left =
        std::max(Duration(when - std::chrono::steady_clock::now()), Duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    std::array<epoll_event, 256> ready;
    const int count = ::epoll_pwait2(epoll_.get(), ready.data(), ready.size(), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = ready[static_cast<std::size_t>(i)];
        if ((event.events & EPOLLOUT) != 0) {
            send_rest(event.data.u64);
        }
        if ((event.events & ~EPOLLOUT) != 0) {
            take(event.data.u64);
        }
    }
}

void Load::take(std::size_t number) {
    Connection& connection = connections_[number];
    const ssize_t count = ::read(connection.socket.get(), buffer_.data(), buffer_.size());
    if (count < 0 && errno == EAGAIN) {
        return;
    }
    if (count <= 0) {
        return lose(number);
    }
    connection.input.append(buffer_.data(), static_cast<std::size_t>(count));
    const auto answer = first_message(connection.input);
    if (!answer || !connection.busy) {
        return;
    }
    finish(connection, std::string_view(connection.input).substr(0, answer->total));
    connection.input.erase(0, answer->total);
    // The next one at once where nothing paces: a turn of the loop would cost more than it tells.
    const Time now = std::chrono::steady_clock::now();
    if (interval_ == Duration::zero() && now < ends_) {
        send(number, now);
    } else {
        idle_.push_back(number);
    }
}

void Load::finish(Connection& connection, std::string_view answer) {
    connection.busy = false;
    --busy_;
    const int status = status_of(answer);
    if (status == 200) {
        report_.events_in_all += options_.shape.events;
    }
    if (connection.due < counted_from_) {
        return;
    }
    last_answer_ = std::chrono::steady_clock::now();
    report_.latency.add(static_cast<std::uint64_t>((last_answer_ - connection.due).count()));
    if (status == 200) {
        ++report_.requests;
        return;
    }
    if (report_.refused.empty()) {
        report_.first_refusal = answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4));
    }
    ++report_.refused[status];
}

// The hub closed the connection: an answer will not come.
void Load::lose(std::size_t number) {
    Connection& connection = connections_[number];
    connection.input.clear();
    if (connection.busy) {
        connection.busy = false;
        --busy_;
        if (connection.due >= counted_from_) {
            ++report_.lost;
            const Duration waited = std::chrono::steady_clock::now() - connection.due;
            report_.latency.add(static_cast<std::uint64_t>(waited.count()));
        }
        idle_.push_back(number);
    }
    if (Result<void> again = dial(number); !again) {
        broken_ = std::move(again);
    }
}

void Load::count_what_is_left() {
    const Time now = std::chrono::steady_clock::now();
    for (const Connection& connection : connections_) {
        if (connection.busy && connection.due >= counted_from_) {
            ++report_.lost;
            report_.latency.add(static_cast<std::uint64_t>((now - connection.due).count()));
        }
    }
    for (; interval_ > Duration::zero() && due_at(requests_) < ends_; ++requests_) {
        const Time due = due_at(requests_);
        if (due >= counted_from_ && due < now) {
            ++report_.unsent;
            report_.latency.add(static_cast<std::uint64_t>((now - due).count()));
        }
    }
    report_.seconds = std::chrono::duration<double>(last_answer_ - counted_from_).count();
}

}  // namespace

std::uint64_t LoadReport::failed() const {
    std::uint64_t count = lost + unsent;
    for (const auto& [status, requests_refused] : refused) {
        count += requests_refused;
    }
    return count;
}

Result<LoadReport> generate_load(const LoadOptions& options) {
    Load load(options);
    if (auto connected = load.connect(); !connected) {
        return std::unexpected(connected.error());
    }
    if (auto ran = load.run(); !ran) {
        return std::unexpected(ran.error());
    }
    return load.report();
}

}  // namespace belfry
