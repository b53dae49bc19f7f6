// What becomes of lines that nobody reads.
#include "base/standard_error.h"

#include "base/assert.h"
#include "base/logging.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace belfry {
namespace {

using std::chrono::milliseconds;

// A pipe with room for a page, or a socket with room for little more, that is standard error while
// this lives.
class Narrow {
 public:
    explicit Narrow(bool is_socket = false) : before_(::dup(STDERR_FILENO)) {
        int ends[2]{};
        if (is_socket) {
            EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
            const int bytes = 4096;
            EXPECT_EQ(::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
        } else {
            EXPECT_EQ(::pipe(ends), 0);
            room_ = static_cast<std::size_t>(::fcntl(ends[1], F_SETPIPE_SZ, 4096));
        }
        EXPECT_EQ(::dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
        ::close(ends[1]);
        reader_ = ends[0];
    }
    ~Narrow() {
        leave();
        ::dup2(before_, STDERR_FILENO);
        ::close(before_);
    }
    Narrow(const Narrow&) = delete;
    Narrow& operator=(const Narrow&) = delete;

    [[nodiscard]] std::size_t room() const { return room_; }
    // All that is there; so much at least, for which it waits.
    std::string read(std::size_t at_least = 0) const {
        std::string all;
        char bytes[65536];
        ssize_t got = 0;
        do {
            ::fcntl(reader_, F_SETFL, all.size() < at_least ? 0 : O_NONBLOCK);
            got = ::read(reader_, bytes, sizeof(bytes));
            all.append(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
        } while (got > 0);
        return all;
    }
    void leave() {
        if (reader_ >= 0) {
            ::close(std::exchange(reader_, -1));
        }
    }

 private:
    const int before_;
    int reader_ = -1;
    std::size_t room_ = 0;
};

TEST(StandardError, TakesWhatFitsAndSaysHowMuchThatIs) {
    const Narrow narrow;
    const std::string bytes(3 * narrow.room(), 'x');
    EXPECT_EQ(write_standard_error(bytes, milliseconds(0)), narrow.room());
    EXPECT_EQ(write_standard_error(bytes, milliseconds(1)), 0U);
    EXPECT_EQ(narrow.read(), bytes.substr(0, narrow.room()));
}

TEST(StandardError, WaitsForAReaderThatIsLate) {
    const Narrow narrow;
    const std::string bytes(2 * narrow.room(), 'x');
    std::string came;
    std::thread reader([&] { came = narrow.read(bytes.size()); });
    EXPECT_EQ(write_standard_error(bytes, std::chrono::minutes(1)), bytes.size());
    reader.join();
    EXPECT_EQ(came, bytes);
}

TEST(StandardError, AReaderThatHasLeftIsNotWaitedFor) {
    auto* const before = std::signal(SIGPIPE, SIG_IGN);
    for (const bool is_socket : {false, true}) {
        Narrow narrow(is_socket);
        narrow.leave();
        EXPECT_EQ(write_standard_error("x", std::chrono::hours(1)), 0U);
    }
    std::signal(SIGPIPE, before);
}

void fail_with_a_full_standard_error() {
    const Narrow narrow;
    write_standard_error(std::string(2 * narrow.room(), 'x'), milliseconds(0));
    ASSERT(narrow.room() == 0);
}

TEST(StandardErrorDeathTest, AnAssertionEndsAProgramWhoseStandardErrorIsFull) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(fail_with_a_full_standard_error(), testing::KilledBySignal(SIGABRT), "");
}

struct Lines {
    std::uint64_t whole = 0;
    std::uint64_t lost = 0;  // as they say themselves
    std::uint64_t cut = 0;
    std::string last;
};

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        boost::system::error_code error;
        const boost::json::value value = boost::json::parse(line, error);
        if (error) {
            ++lines.cut;
            continue;
        }
        lines.last = value.at("msg").as_string();
        if (lines.last == "log lines were lost: standard error took no more") {
            EXPECT_EQ(value.at("level").as_string(), "warn");
            lines.lost += value.at("lines").to_number<std::uint64_t>();
        } else {
            ++lines.whole;
        }
    }
    return lines;
}

TEST(LogLines, ThatNobodyReadsAreLostAndCountedToTheLast) {
    constexpr std::uint64_t kLines = 100;
    set_up_logging(LogLevel::info, LogFormat::json);
    for (const bool is_socket : {false, true}) {
        for (const std::size_t length : {100UL, 1000UL, 10'000UL}) {
            const Narrow narrow(is_socket);
            const std::uint64_t before = log_lines_lost();
            for (std::uint64_t i = 0; i < kLines; ++i) {
                log_info("one of many", {{"text", std::string(length, 'x')}});
            }
            EXPECT_GT(log_lines_lost(), before);
            std::string text = narrow.read();
            log_info("read again");
            text += narrow.read();
            const Lines lines = lines_of(text);
            EXPECT_EQ(lines.last, "read again");
            EXPECT_EQ(lines.whole - 1 + lines.lost, kLines) << length;
            EXPECT_EQ(lines.lost, log_lines_lost() - before);
            EXPECT_LE(lines.cut, 1U) << "what follows a cut line has a line of its own";
            EXPECT_TRUE(is_socket || length < narrow.room() || lines.cut == 1U) << length;
        }
    }
    set_up_logging(LogLevel::info, LogFormat::text);
}

TEST(LogLines, HowManyWereLostIsSaidThoughNoLineFollows) {
    set_up_logging(LogLevel::info, LogFormat::json);
    {
        const Narrow narrow;
        for (int i = 0; i < 3; ++i) {
            log_info("too long", {{"text", std::string(2 * narrow.room(), 'x')}});
        }
        log_left_out();
        std::string text = narrow.read();
        const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (lines_of(text).lost == 0 && std::chrono::steady_clock::now() < end) {
            log_left_out();
            text += narrow.read();
        }
        log_left_out(LeftOutLines::all);
        text += narrow.read();
        EXPECT_EQ(lines_of(text).lost, 3U);
        EXPECT_EQ(lines_of(text).whole, 0U);
    }
    set_up_logging(LogLevel::info, LogFormat::text);
}

bool is_tried_twice_at_once() {
    const Narrow narrow;
    log_info("too long", {{"text", std::string(2 * narrow.room(), 'x')}});
    log_left_out();
    narrow.read();
    log_left_out();
    const bool is = !narrow.read().empty();
    log_left_out(LeftOutLines::all);
    EXPECT_EQ(narrow.read().empty(), is) << "at the end it is said, and once";
    return is;
}

TEST(LogLines, WhatNobodyReadsIsNotTriedAtEveryTurn) {
    int tried_twice = 0;
    while (tried_twice < 20 && is_tried_twice_at_once()) {
        ++tried_twice;  // the machine stood still in between
    }
    EXPECT_LT(tried_twice, 20);
}

// 50 ms for each of forty lines could not be done sooner.
bool every_line_waits() {
    const auto begin = std::chrono::steady_clock::now();
    const Narrow narrow;
    for (int i = 0; i < 40; ++i) {
        log_info("too long", {{"text", std::string(2 * narrow.room(), 'x')}});
        narrow.read();
        log_info("read again");
        narrow.read();
    }
    return std::chrono::steady_clock::now() - begin >= milliseconds(2000);
}

TEST(LogLines, OfASecondWaitTogetherOnlySoLong) {
    int waited = 0;
    while (waited < 5 && every_line_waits()) {
        ++waited;  // the machine stood still
    }
    EXPECT_LT(waited, 5);
}

}  // namespace
}  // namespace belfry
