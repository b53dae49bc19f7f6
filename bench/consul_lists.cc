// Clients of Consul's event lists. With `wake`, COUNT connections each ask for a list, then for
// what is newer; one more fires an event, and measured is from sending that to the last answer at
// the last of them. Then all ask again, and when the server has read that the next event is fired.
// Every list must be answered once, with the index of the round's event, and not before it was
// fired. With `list`, COUNT connections ask for a list again as soon as they have one. Prints
// {"open":true} when all are connected (`wake`: and wait); a line on standard input begins SECONDS
// of it, its end closes all. Prints one JSON object. Usage: consul_lists PORT COUNT SECONDS
// wake|list
#include "app/load/http_text.h"
#include "app/load/latency.h"
#include "app/load/load_request.h"

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kList = "GET /v1/event/list?name=n HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
constexpr int kPatienceMs = 20'000;

struct Options {
    std::uint16_t port = 0;
    std::size_t count = 0;
    double seconds = 0;
    bool wakes = false;
};

// One request under way at most.
struct Client {
    Descriptor socket;
    std::string head;         // of the answer, until it is whole
    std::size_t missing = 0;  // bytes of the answer's body
    std::uint64_t index = 0;  // of the last answer
    bool asked = false;
    Clock::time_point since;
};

[[noreturn]] void give_up(const char* what, std::string_view more = {}) {
    std::fprintf(
        stderr, "consul_lists: %s %.*s\n", what, static_cast<int>(more.size()), more.data()
    );
    std::exit(1);
}

Clock::duration part_of(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

class Lists {
 public:
    explicit Lists(const Options& options)
        : options_(options),
          fire_(
              {.type = "n", .format = LoadFormat::consul},
              "Host: 127.0.0.1\r\n",
              static_cast<std::uint32_t>(::getpid())
          ),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
        for (std::size_t i = 0; i <= options.count; ++i) {  // the last one fires
            clients_.push_back({.socket = dial(options.port), .head = {}, .since = {}});
            watch(epoll_, clients_.back().socket.get(), i);
            if (options.wakes && i < options.count) {
                ask(clients_.back(), kList);
                collect(1);
            }
        }
        if (options.wakes) {
            block_all();
        }
        std::puts(R"({"open":true})");
        std::fflush(stdout);
    }

    void run() {
        const auto go = [this](Clock::time_point end) {
            options_.wakes ? wake_until(end) : list_until(end);
        };
        go(Clock::now() + part_of(options_.seconds / 5));  // warms up
        latency_ = {};
        answers_ = 0;
        busy_ = {};
        go(Clock::now() + part_of(options_.seconds));
        std::printf(
            "{\"answers\":%lu,\"all_answers\":%lu,\"seconds\":%.4f,\"p50_us\":%.0f,"
            "\"p99_us\":%.0f}\n",
            answers_,
            all_answers_,
            std::chrono::duration<double>(busy_).count(),
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99)
        );
    }

 private:
    // Fires, waits for all lists, and lets them wait again.
    void wake_until(Clock::time_point end) {
        while (Clock::now() < end) {
            const std::uint64_t before = clients_.front().index;
            const auto fired = Clock::now();
            ask(clients_.back(), fire_.bytes());
            collect(options_.count + 1);
            const auto took = last_list_ - fired;
            busy_ += took;
            latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
            count_answers(options_.count);
            const std::uint64_t index = clients_.front().index;
            for (std::size_t i = 0; i < options_.count; ++i) {
                if (clients_[i].index <= before || clients_[i].index != index) {
                    give_up("a list was answered without the event that was fired");
                }
            }
            block_all();
        }
    }

    // The request behind them on another connection is nearly always read after them, and so
    // answered when all of them wait. Whoever has an answer then has it early.
    void block_all() {
        std::string request;
        for (std::size_t i = 0; i < options_.count; ++i) {
            request.assign("GET /v1/event/list?name=n&index=")
                .append(std::to_string(clients_[i].index))
                .append("&wait=10m HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            ask(clients_[i], request);
        }
        ask(clients_.back(), kList);
        if (collect(1) > 1 || clients_.back().asked || turn(0) > 0) {
            give_up("a list was answered before an event was fired");
        }
    }

    void list_until(Clock::time_point end) {
        const auto begin = Clock::now();
        clients_[options_.count].asked = true;  // it has nothing to do
        while (Clock::now() < end) {
            for (std::size_t i = 0; i < options_.count; ++i) {
                Client& client = clients_[i];
                if (client.asked) {
                    continue;
                }
                if (client.since != Clock::time_point{}) {
                    const auto took = ended_[i] - client.since;
                    latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count())
                    );
                    count_answers(1);
                }
                ask(client, kList);
            }
            collect(1);
        }
        busy_ = Clock::now() - begin;
    }

    void count_answers(std::size_t count) {
        answers_ += count;
        all_answers_ += count;
    }

    static void ask(Client& client, std::string_view request) {
        client.asked = true;
        client.since = Clock::now();
        send_all(client.socket.get(), request);
    }

    // Reads until so many answers have ended, or more that came with them; gives how many.
    std::size_t collect(std::size_t wanted) {
        std::size_t ended = 0;
        while (ended < wanted) {
            const auto before = Clock::now();
            ended += turn(kPatienceMs);
            if (Clock::now() - before >= std::chrono::milliseconds(kPatienceMs)) {
                give_up("lists were lost:", lost());
            }
        }
        return ended;
    }

    // The first of those that got nothing, and what is known of it.
    std::string lost() const {
        std::string text;
        for (std::size_t i = 0; i < clients_.size() && text.size() < 200; ++i) {
            const Client& client = clients_[i];
            if (client.asked) {
                text += (text.empty() ? "connection " : "; ") + std::to_string(i) + " to port " +
                        std::to_string(options_.port) + ", after index " +
                        std::to_string(client.index) + ", " + std::to_string(client.head.size()) +
                        " bytes of a head, " + std::to_string(client.missing) + " missing";
            }
        }
        return text;
    }

    // Answers that ended.
    std::size_t turn(int timeout) {
        std::array<epoll_event, 1024> ready{};
        const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), timeout);
        std::size_t ended = 0;
        for (int i = 0; i < count; ++i) {
            const std::uint64_t number = ready[static_cast<std::size_t>(i)].data.u64;
            ended += take(number) ? 1 : 0;
        }
        return ended;
    }

    bool take(std::size_t number) {
        Client& client = clients_[number];
        const ssize_t got = ::read(client.socket.get(), buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return false;
        }
        if (check(got, "read") == 0) {
            give_up("a connection was closed");
        }
        std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
        if (!client.asked) {
            give_up("an answer that was not asked for:", bytes);
        }
        if (client.missing == 0) {
            client.head += bytes;
            const auto answer = first_head(client.head);
            if (!answer) {
                return false;
            }
            read_head(client, answer->head);
            client.missing = answer->total - std::min(answer->total, client.head.size());
            client.head.clear();
        } else {
            client.missing -= std::min(client.missing, bytes.size());
        }
        if (client.missing > 0) {
            return false;
        }
        client.asked = false;
        ended_[number] = Clock::now();
        if (number < options_.count) {
            last_list_ = ended_[number];
        }
        return true;
    }

    static void read_head(Client& client, std::size_t size) {
        constexpr std::string_view kIndex = "X-Consul-Index: ";
        const std::string_view head = std::string_view(client.head).substr(0, size);
        if (!head.starts_with("HTTP/1.1 200 ")) {
            give_up("an answer of another status:", client.head);
        }
        if (const std::size_t at = head.find(kIndex); at != std::string_view::npos) {
            client.index = std::strtoul(head.data() + at + kIndex.size(), nullptr, 10);
        }
    }

    const Options options_;
    const LoadRequest fire_;
    Descriptor epoll_;
    std::vector<Client> clients_;
    std::vector<Clock::time_point> ended_ = std::vector<Clock::time_point>(options_.count + 1);
    Clock::time_point last_list_;
    Clock::duration busy_{};  // of the rounds, or all of it
    std::uint64_t answers_ = 0;
    std::uint64_t all_answers_ = 0;
    Latency latency_;
    std::array<char, 512UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    const std::string_view how = count == 5 ? arguments[4] : "";
    if (how != "wake" && how != "list") {
        std::fputs("usage: consul_lists PORT COUNT SECONDS wake|list\n", stderr);
        return 2;
    }
    belfry::bench::allow_all_descriptors();
    belfry::bench::Lists lists(
        {.port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)),
         .count = std::strtoul(arguments[2], nullptr, 10),
         .seconds = std::strtod(arguments[3], nullptr),
         .wakes = how == "wake"}
    );
    if (std::getchar() != EOF) {
        lists.run();
    }
}
