// Extensions of Steadybit that cost as little as they can, in one program with who publishes, so
// that the way of an event to its listeners is timed by one clock. Each has five listeners; an
// event of a type "bench.PAIR.LISTENER" is for one listener of each of two extensions. One more
// extension listens to everything and answers after 30 s. Prints the ports, the slow one's last,
// then does what the lines of its input say and prints one JSON object for each:
//   paced HUB_PORT RATE SECONDS
//     publishes so many events a second; latency from when an event was due to when a listener
//     has it
//   backlog HUB_PORT EVENTS
//     publishes so many while no listener answers, a thousand a request, so that all are there
//     before an attempt has waited too long, however slow the disk
//   drain SECONDS
//     lets them answer; calls a second, and all since the backlog
// Usage: extensions COUNT
#include "app/load/http_text.h"
#include "app/load/latency.h"

#include <array>
#include <chrono>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kListeners = 5;
constexpr std::size_t kPublishers = 64;
constexpr std::size_t kBatch = 1'000;  // events of a backlog in a request
constexpr auto kSlow = std::chrono::seconds(30);
constexpr auto kPatience = std::chrono::seconds(5);
// A commit of a slow disk, at most.
constexpr auto kHoldUp = std::chrono::seconds(1);
constexpr std::size_t kCallsOfAnEvent = 2;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

std::int64_t nanoseconds(Clock::time_point time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

class Extensions {
 public:
    explicit Extensions(std::size_t count)
        : count_(count), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        for (std::size_t i = 0; i <= count; ++i) {
            Listener made = listen_on_loopback();
            const int fd = made.socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            std::printf("%d ", made.port);
            listeners_.emplace(fd, Served{.listener = std::move(made), .number = i});
        }
        std::puts("");
        std::fflush(stdout);
        watch(epoll_, STDIN_FILENO, STDIN_FILENO);
    }

    void run() {
        while (!ended_) {
            turn(100);
        }
    }

 private:
    struct Served {
        Listener listener;
        std::size_t number;
    };
    struct Connection {
        Descriptor socket;
        std::size_t extension;
        std::string input;
    };
    struct Publisher {
        Descriptor socket;
        std::string input;
    };

    void turn(int wait_ms) {
        std::array<epoll_event, 256> ready{};
        const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), wait_ms);
        for (int i = 0; i < count; ++i) {
            const int fd = ready[static_cast<std::size_t>(i)].data.fd;
            if (fd == STDIN_FILENO) {
                command();
            } else if (const auto served = listeners_.find(fd); served != listeners_.end()) {
                accept_all(served->second);
            } else if (const auto publisher = publishers_.find(fd);
                       publisher != publishers_.end()) {
                receipt(publisher->second);
            } else {
                take(fd);
            }
        }
        const auto now = Clock::now();
        while (!slow_.empty() && slow_.front().first <= now) {
            answer(slow_.front().second);
            slow_.pop_front();
        }
    }

    void accept_all(const Served& served) {
        for (Descriptor socket = accept_next(served.listener); socket.get() >= 0;
             socket = accept_next(served.listener)) {
            const int fd = socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            connections_.insert_or_assign(fd, Connection{std::move(socket), served.number, {}});
        }
    }

    void take(int fd) {
        const auto found = connections_.find(fd);
        if (found == connections_.end()) {
            return;
        }
        Connection& connection = found->second;
        const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) {
                connections_.erase(found);
            }
            return;
        }
        connection.input.append(buffer_.data(), static_cast<std::size_t>(got));
        while (const auto message = first_message(connection.input)) {
            serve(connection, std::string_view(connection.input).substr(0, message->total));
            connection.input.erase(0, message->total);
        }
    }

    void serve(Connection& connection, std::string_view request) {
        const int fd = connection.socket.get();
        if (request.starts_with("GET")) {
            const std::string body = index(connection.extension);
            send_all(
                fd,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body
            );
        } else if (connection.extension == count_) {
            slow_.emplace_back(Clock::now() + kSlow, fd);
        } else {
            ++calls_;
            const std::size_t at = request.find("\"at\":");
            if (at != std::string_view::npos) {
                const std::int64_t due = std::strtoll(request.data() + at + 5, nullptr, 10);
                const std::int64_t took = nanoseconds(Clock::now()) - due;
                latency_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)));
            }
            if (holds_) {
                held_.push_back(fd);
            } else {
                send_all(fd, kAnswer);
            }
        }
    }

    void answer(int fd) {
        if (connections_.contains(fd)) {
            send_all(fd, kAnswer);
        }
    }

    [[nodiscard]] std::string index(std::size_t extension) const {
        if (extension == count_) {
            return R"({"eventListeners":[{"path":"/all","method":"POST","listenTo":["*"],)"
                   R"("restrictTo":"any"}]})";
        }
        std::string body = R"({"eventListeners":[)";
        for (std::size_t i = 0; i < kListeners; ++i) {
            const std::string number = std::to_string(i);
            body += (i == 0 ? "" : ",");
            body += R"({"path":"/events/)" + number + R"(","method":"POST","listenTo":["bench.)" +
                    std::to_string(extension / 2) + "." + number + "\"]}";
        }
        return body + "]}";
    }

    // --- Publishing

    void dial_hub(std::uint16_t port) {
        publishers_.clear();
        idle_.clear();
        for (std::size_t i = 0; i < kPublishers; ++i) {
            Descriptor socket = dial(port);
            const int fd = socket.get();
            watch(epoll_, fd, static_cast<std::uint64_t>(fd));
            publishers_.insert_or_assign(fd, Publisher{std::move(socket), {}});
            idle_.push_back(fd);
        }
        receipts_ = 0;
    }

    [[nodiscard]] std::string type_of(std::size_t number) const {
        return "bench." + std::to_string(number % (count_ / 2)) + "." +
               std::to_string(number / (count_ / 2) % kListeners);
    }

    // 200 bytes.
    static std::string data_due_at(Clock::time_point due) {
        std::string data = "{\"at\":" + std::to_string(nanoseconds(due)) + ",\"pad\":\"";
        data.resize(198, 'x');
        return data + "\"}";
    }

    void publish(std::size_t number, Clock::time_point due) {
        post("?type=" + type_of(number), "application/json", data_due_at(due));
    }

    void publish_batch(std::size_t first, std::size_t events) {
        std::string lines;
        for (std::size_t number = first; number < first + events; ++number) {
            lines += R"({"specversion":"1.0","source":"bench","id":")" + std::to_string(ids_++) +
                     R"(","type":")" + type_of(number) + R"(","data":)" +
                     data_due_at(Clock::now()) + "}\n";
        }
        post("", "application/x-ndjson", lines);
    }

    void post(const std::string& query, std::string_view content_type, const std::string& body) {
        const int fd = idle_.back();
        idle_.pop_back();
        std::string request =
            "POST /api/v1/events" + query + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ";
        request += content_type;
        request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        send_all(fd, request);
    }

    void receipt(Publisher& publisher) {
        const int fd = publisher.socket.get();
        const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (check(got, "read") == 0) {
            std::fputs("the hub closed a connection\n", stderr);
            std::exit(1);
        }
        publisher.input.append(buffer_.data(), static_cast<std::size_t>(got));
        if (const auto message = first_message(publisher.input)) {
            if (!publisher.input.starts_with("HTTP/1.1 200")) {
                std::fprintf(stderr, "an event was not taken: %s\n", publisher.input.c_str());
                std::exit(1);
            }
            publisher.input.erase(0, message->total);
            idle_.push_back(fd);
            ++receipts_;
        }
    }

    // --- What is asked for

    void command() {
        std::string line;
        if (!std::getline(std::cin, line)) {
            ended_ = true;
            return;
        }
        std::istringstream words(line);
        std::string name;
        words >> name;
        std::uint16_t port = 0;
        double rate = 0;
        double seconds = 0;
        if (name == "paced") {
            words >> port >> rate >> seconds;
            paced(port, rate, seconds);
        } else if (name == "backlog") {
            std::size_t events = 0;
            words >> port >> events;
            backlog(port, events);
        } else {
            words >> seconds;
            drain(seconds);
        }
        std::fflush(stdout);
    }

    void paced(std::uint16_t port, double rate, double seconds) {
        dial_hub(port);
        calls_ = 0;
        const auto begin = Clock::now();
        const auto total = static_cast<std::size_t>(rate * seconds * 1.2);
        const auto warm = total / 6;
        std::size_t sent = 0;
        while (receipts_ < total) {
            turn(0);
            if (sent == warm) {
                latency_ = {};
            }
            while (sent < total && !idle_.empty()) {
                const auto due =
                    begin + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(static_cast<double>(sent) / rate)
                            );
                if (due > Clock::now()) {
                    break;
                }
                publish(sent++, due);
            }
        }
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        settle(kCallsOfAnEvent * total);
        std::printf(
            "{\"rate\":%.0f,\"events\":%zu,\"calls\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
            static_cast<double>(total) / took,
            total,
            calls_,
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99)
        );
        publishers_.clear();
    }

    // Until all calls have come, or none for five seconds; then whether more come than should.
    void settle(std::size_t wanted) {
        auto last = Clock::now();
        for (std::size_t before = calls_; calls_ < wanted && Clock::now() < last + kPatience;) {
            turn(10);
            if (calls_ != before) {
                before = calls_;
                last = Clock::now();
            }
        }
        turn_for(0.2);
    }

    void backlog(std::uint16_t port, std::size_t events) {
        holds_ = true;
        calls_ = 0;
        dial_hub(port);
        const std::size_t requests = (events + kBatch - 1) / kBatch;
        for (std::size_t sent = 0; receipts_ < requests;) {
            turn(10);
            while (sent < events && !idle_.empty()) {
                const std::size_t batch = std::min(kBatch, events - sent);
                publish_batch(sent, batch);
                sent += batch;
            }
        }
        publishers_.clear();
        std::printf("{\"events\":%zu}\n", events);
    }

    void drain(double seconds) {
        holds_ = false;
        for (int fd : held_) {
            answer(fd);
        }
        held_.clear();
        turn_for(seconds / 5);
        const std::size_t before = calls_;
        const auto begin = Clock::now();
        turn_for(seconds);
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        const std::size_t after = calls_;
        // If there is no other call at all, the backlog was too small.
        for (const auto end = Clock::now() + kHoldUp; calls_ == after && Clock::now() < end;) {
            turn(10);
        }
        const bool more = calls_ > after;
        const double rate = static_cast<double>(after - before) / took;
        std::printf(
            "{\"rate\":%.0f,\"calls\":%zu,\"goes_on\":%s}\n", rate, calls_, more ? "true" : "false"
        );
    }

    void turn_for(double seconds) {
        const auto end =
            Clock::now() +
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        while (Clock::now() < end) {
            turn(10);
        }
    }

    const std::size_t count_;
    Descriptor epoll_;
    std::unordered_map<int, Served> listeners_;
    std::unordered_map<int, Connection> connections_;
    std::unordered_map<int, Publisher> publishers_;
    std::vector<int> idle_;
    std::size_t receipts_ = 0;
    std::size_t ids_ = 0;  // of a backlog's events: no two of this program's life are the same
    std::deque<std::pair<Clock::time_point, int>> slow_;
    bool holds_ = false;
    std::vector<int> held_;
    bool ended_ = false;
    std::size_t calls_ = 0;  // since the last line that publishes
    Latency latency_;
    std::array<char, 64UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: extensions COUNT\n", stderr);
        return 2;
    }
    belfry::bench::allow_all_descriptors();
    belfry::bench::Extensions(std::strtoul(arguments[1], nullptr, 10)).run();
}
