// The log alone beside the disk: events appended to an EmbeddedLog, BATCH to a commit, in turn with
// synchronous writes of as many bytes to a file filled with zeros. Both by the same system call.
// Prints one JSON object with the median of the rounds. Usage: append DIRECTORY BATCH ROUNDS
// SECONDS
#include "app/load/latency.h"
#include "base/worker_thread.h"
#include "engine/embedded/embedded_log.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "durable_file.h"

namespace belfry::bench {
namespace {

double cpu_seconds() {
    rusage use{};
    check(::getrusage(RUSAGE_SELF, &use), "getrusage");
    auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// The I/O thread's loop without its sockets: runs what was posted, then the timers that are due.
class Turns final : public Executor, public Clock {
 public:
    void post(Task task) override {
        std::lock_guard lock(mutex_);
        posted_.push_back(std::move(task));
        wake_.notify_one();
    }
    [[nodiscard]] MonoTime now() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] WallTime wall() const override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    TimerId call_at(MonoTime when, Task task) override {
        const TimerId timer{++last_timer_};
        timers_.emplace(timer.value, std::pair(when, std::move(task)));
        return timer;
    }
    void cancel(TimerId timer) override { timers_.erase(timer.value); }

    void turn() {
        std::deque<Task> tasks;
        {
            std::lock_guard lock(mutex_);
            tasks.swap(posted_);
        }
        for (Task& task : tasks) {
            task();
        }
        for (auto timer = timers_.begin(); timer != timers_.end();) {
            if (timer->second.first > now()) {
                ++timer;
                continue;
            }
            Task task = std::move(timer->second.second);
            timers_.erase(timer);
            task();
            timer = timers_.begin();
        }
    }
    void turn_until(const bool& done) {
        while (!done) {
            {
                std::unique_lock lock(mutex_);
                wake_.wait_for(lock, std::chrono::milliseconds(1), [this] {
                    return !posted_.empty();
                });
            }
            turn();
        }
    }

 private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> posted_;  // guarded by mutex_
    std::map<std::uint64_t, std::pair<MonoTime, Task>> timers_;
    std::uint64_t last_timer_ = 0;
};

struct Round {
    double rate = 0;
    double p50_us = 0;
    double p99_us = 0;
    double cpu_us = 0;
};

// Calls `commit`, which stores `batch` events, for so long.
template <typename Commit>
Round measure(double seconds, std::size_t batch, Commit commit) {
    Latency latency;
    const double cpu_before = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    auto before = begin;
    const auto end = begin + std::chrono::duration<double>(seconds);
    while (before < end) {
        commit();
        const auto after = std::chrono::steady_clock::now();
        latency.add(static_cast<std::uint64_t>((after - before).count()));
        before = after;
    }
    const auto events = static_cast<double>(latency.count() * batch);
    return {
        .rate = events / std::chrono::duration<double>(before - begin).count(),
        .p50_us = latency.quantile_us(0.5),
        .p99_us = latency.quantile_us(0.99),
        .cpu_us = (cpu_seconds() - cpu_before) * 1e6 / events,
    };
}

class LogUnderTest {
 public:
    LogUnderTest(const std::string& directory, std::size_t batch)
        : events_(batch, Event{.source = "/belfry/bench", .type = "bench", .data = data_}) {
        EmbeddedLogOptions options;
        options.directory = directory;
        auto opened = EmbeddedLog::open(
            options,
            {.files = posix_file_system(),
             .clock = turns_,
             .rng = system_rng(),
             .loop = turns_,
             .log_thread = log_thread_,
             .read_thread = read_thread_}
        );
        if (!opened) {
            std::fprintf(stderr, "the log did not open: %s\n", opened.error().detail.c_str());
            std::exit(1);
        }
        log_ = *std::move(opened);
    }

    void commit() {
        bool done = false;
        log_->append(events_, [&done](Result<std::span<const Appended>> receipts) {
            if (!receipts) {
                std::fprintf(stderr, "append failed: %s\n", receipts.error().detail.c_str());
                std::exit(1);
            }
            done = true;
        });
        log_->end_turn();
        turns_.turn();
        turns_.turn_until(done);
    }
    // What retention does meanwhile: the disk need not hold it all.
    void trim() {
        log_->trim(log_->next_offset(), [](const Result<void>&) {});
        turns_.turn();
    }
    [[nodiscard]] LogStatus status() const { return log_->status(); }
    void stop() {
        bool done = false;
        log_->stop([&done] { done = true; });
        turns_.turn_until(done);
    }

 private:
    const std::string data_ = std::string(200, 'x');
    const std::vector<Event> events_;
    Turns turns_;
    WorkerThread log_thread_{"log"};
    WorkerThread read_thread_{"read"};
    std::unique_ptr<EmbeddedLog> log_;
};

Round median(std::vector<Round> rounds) {
    std::ranges::sort(rounds, {}, &Round::rate);
    return rounds[rounds.size() / 2];
}

void print(const char* name, const Round& round) {
    std::printf(
        "\"%s\":{\"rate\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"cpu_us\":%.3f},",
        name,
        round.rate,
        round.p50_us,
        round.p99_us,
        round.cpu_us
    );
}

void run(const std::string& directory, std::size_t batch, std::size_t rounds, double seconds) {
    DurableFile file((directory + "/limit").c_str());
    LogUnderTest log(directory + "/data", batch);
    log.commit();
    const std::uint64_t before = log.status().bytes;
    log.commit();
    const std::string bytes(log.status().bytes - before, 'x');
    std::vector<Round> limits;
    std::vector<Round> logs;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < rounds; ++i) {
        limits.push_back(measure(seconds, batch, [&] { file.commit(bytes.data(), bytes.size()); }));
        logs.push_back(measure(seconds, batch, [&] { log.commit(); }));
        ratios.push_back(logs.back().rate / limits.back().rate);
        log.trim();
    }
    std::ranges::sort(ratios);
    std::printf("{");
    print("limit", median(limits));
    print("belfry", median(logs));
    std::printf(
        "\"ratio\":%.3f,\"event_bytes\":%zu,\"path\":\"%s %s\"}\n",
        ratios[ratios.size() / 2],
        bytes.size() / batch,
        log.status().on_log_thread ? "log thread" : "inline",
        file.call()
    );
    log.stop();
}

}  // namespace
}  // namespace belfry::bench

int main(int count, char** arguments) {
    if (count != 5) {
        std::fputs("usage: append DIRECTORY BATCH ROUNDS SECONDS\n", stderr);
        return 2;
    }
    belfry::bench::run(
        arguments[1],
        std::strtoul(arguments[2], nullptr, 10),
        std::strtoul(arguments[3], nullptr, 10),
        std::strtod(arguments[4], nullptr)
    );
}
