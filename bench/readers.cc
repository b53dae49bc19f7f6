// Readers of a stream of server-sent events, and the publisher they wait for: opens COUNT streams,
// publishes BATCH events at a time, the next ones when every reader has those before (with WINDOW
// batches under way), and measures from sending the request to its last event at the last reader.
// With SECONDS 0 the readers only stay until standard input ends. Prints one JSON object. Usage:
// readers PORT COUNT BATCH WINDOW SECONDS
#include "app/load/http_text.h"
#include "app/load/latency.h"
#include "app/load/load_request.h"

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "sockets.h"

namespace belfry::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::uint16_t port = 0;
    std::size_t count = 0;
    std::size_t batch = 1;
    std::size_t window = 1;
    double seconds = 0;
};

struct Reader {
    Descriptor socket;
    std::string opening;  // until the stream has begun
    bool open = false;
    char last = ' ';           // byte that came
    bool line_begins = false;  // behind it, within a chunk
    std::uint64_t events = 0;
};

// One batch under way.
struct Batch {
    Clock::time_point sent;
    std::uint64_t last = 0;   // events of a reader that has all of it
    std::size_t missing = 0;  // readers that do not
};

class Readers {
 public:
    explicit Readers(const Options& options)
        : options_(options),
          request_(
              {.events = options.batch,
               .format = options.batch == 1 ? LoadFormat::plain : LoadFormat::ndjson},
              "Host: 127.0.0.1\r\n",
              static_cast<std::uint32_t>(::getpid())
          ),
          epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
          publisher_(dial(options.port)) {
        for (std::size_t i = 0; i < options.count; ++i) {
            readers_.push_back({.socket = dial(options.port), .opening = {}});
            watch(epoll_, readers_.back().socket.get(), i);
            send_all(
                readers_.back().socket.get(),
                "GET /api/v1/events/stream?type=bench HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            );
            turn(0);
        }
        watch(epoll_, publisher_.get(), options.count);
        while (open_ < options.count) {
            turn(-1);
        }
    }

    void run() {
        const auto length = std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(options_.seconds)
        );
        publish_until(Clock::now() + length / 5);  // warms up
        latency_ = {};
        deliveries_ = 0;
        const auto begin = Clock::now();
        publish_until(begin + length);
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        std::printf(
            "{\"deliveries\":%lu,\"all_deliveries\":%lu,\"seconds\":%.4f,\"p50_us\":%.0f,"
            "\"p99_us\":%.0f}\n",
            deliveries_,
            published_ * options_.count,
            seconds,
            latency_.quantile_us(0.5),
            latency_.quantile_us(0.99)
        );
    }

    void stay() {
        std::puts("{\"open\":true}");
        std::fflush(stdout);
        while (std::getchar() != EOF) {
        }
    }

 private:
    // Publishes until then, and waits for what is under way.
    void publish_until(Clock::time_point end) {
        while (Clock::now() < end || !under_way_.empty()) {
            while (under_way_.size() < options_.window && Clock::now() < end) {
                request_.number_events(published_);
                published_ += options_.batch;
                under_way_.push_back(
                    {.sent = Clock::now(), .last = published_, .missing = options_.count}
                );
                send_all(publisher_.get(), request_.bytes());
            }
            turn(-1);
        }
    }

    void turn(int timeout) {
        std::array<epoll_event, 1024> ready{};
        const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), timeout);
        for (int i = 0; i < count; ++i) {
            const std::uint64_t number = ready[static_cast<std::size_t>(i)].data.u64;
            if (number == options_.count) {
                take_receipt();
            } else {
                take_events(readers_[number]);
            }
        }
    }

    std::string_view read_some(int fd) {
        const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return {};
        }
        if (check(got, "read") == 0) {
            std::fputs("a connection was closed\n", stderr);
            std::exit(1);
        }
        return {buffer_.data(), static_cast<std::size_t>(got)};
    }

    void take_receipt() {
        receipt_ += read_some(publisher_.get());
        while (const auto answer = first_message(receipt_)) {
            if (!receipt_.starts_with("HTTP/1.1 200 ")) {
                std::fprintf(stderr, "publishing failed: %s\n", receipt_.c_str());
                std::exit(1);
            }
            receipt_.erase(0, answer->total);
        }
    }

    void take_events(Reader& reader) {
        std::string_view bytes = read_some(reader.socket.get());
        if (!reader.open) {
            reader.opening += bytes;
            const std::size_t head = reader.opening.find("\r\n\r\n");
            if (head == std::string::npos ||
                reader.opening.find("\n\n", head + 4) == std::string::npos) {
                return;
            }
            if (!reader.opening.starts_with("HTTP/1.1 200 ")) {
                std::fprintf(stderr, "no stream: %s\n", reader.opening.c_str());
                std::exit(1);
            }
            reader.opening = {};
            reader.open = true;
            ++open_;
            return;
        }
        const std::uint64_t before = reader.events;
        reader.events += count_events(reader, bytes);
        deliveries_ += reader.events - before;
        for (Batch& batch : under_way_) {
            if (before < batch.last && batch.last <= reader.events) {
                --batch.missing;
            }
        }
        while (!under_way_.empty() && under_way_.front().missing == 0) {
            const auto took = Clock::now() - under_way_.front().sent;
            latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
            under_way_.pop_front();
        }
    }

    // An event is the line of its data. The size of a chunk may begin like one, but stands behind
    // CRLF, as no line within an event does.
    static std::uint64_t count_events(Reader& reader, std::string_view bytes) {
        if (bytes.empty()) {
            return 0;
        }
        std::uint64_t count = reader.line_begins && bytes.front() == 'd' ? 1 : 0;
        bool line_begins = false;
        for (std::size_t at = bytes.find('\n'); at != std::string_view::npos;
             at = bytes.find('\n', at + 1)) {
            line_begins = (at > 0 ? bytes[at - 1] : reader.last) != '\r';
            count += line_begins && at + 1 < bytes.size() && bytes[at + 1] == 'd' ? 1 : 0;
        }
        reader.line_begins = line_begins && bytes.back() == '\n';
        reader.last = bytes.back();
        return count;
    }

    const Options options_;
    LoadRequest request_;
    Descriptor epoll_;
    Descriptor publisher_;
    std::vector<Reader> readers_;
    std::size_t open_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t deliveries_ = 0;
    std::deque<Batch> under_way_;
    std::string receipt_;
    Latency latency_;
    std::array<char, 256UL * 1024> buffer_{};
};

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 6) {
        std::fputs("usage: readers PORT COUNT BATCH WINDOW SECONDS\n", stderr);
        return 2;
    }
    belfry::bench::allow_all_descriptors();
    belfry::bench::Readers readers(
        {.port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)),
         .count = std::strtoul(arguments[2], nullptr, 10),
         .batch = std::strtoul(arguments[3], nullptr, 10),
         .window = std::strtoul(arguments[4], nullptr, 10),
         .seconds = std::strtod(arguments[5], nullptr)}
    );
    if (std::strtod(arguments[5], nullptr) > 0) {
        readers.run();
    } else {
        readers.stay();
    }
}
