#include "base/logging.h"

#include "base/clock.h"
#include "base/log_rate.h"
#include "base/standard_error.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

namespace belfry {

namespace {

std::atomic<LogLevel> g_level = LogLevel::info;
std::atomic<LogFormat> g_format = LogFormat::text;
std::mutex g_rate_mutex;
std::atomic<bool> g_left_out_any = false;  // since the last line about it

// Who reads may be late by so much for all lines of a second together; threads that log, such as
// the I/O thread, wait no longer, and not at all while lines are being lost.
constexpr Duration kPatience = std::chrono::milliseconds(50);
std::mutex g_output_mutex;
bool g_line_is_open = false;            // under the mutex: what was written last lacks its end
std::atomic<std::uint64_t> g_lost = 0;  // lines, since the last one about it; set under the mutex
std::atomic<std::uint64_t> g_lost_ever = 0;  // lines
// Who asks at the end of every turn does not try at every one while nobody reads.
constexpr Duration kRetryPause = std::chrono::milliseconds(100);
std::atomic<MonoTime> g_next_try = MonoTime{};

// Under the mutex. Never destroyed: threads may log until the very end.
LogRate& rate() {
    static auto& rate = *new LogRate;  // NOLINT(cppcoreguidelines-owning-memory)
    return rate;
}

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warn:
            return "warn";
        case LogLevel::error:
            return "error";
        case LogLevel::off:
            break;
    }
    return "off";
}

// A JSON string; control characters, DEL and the bidirectional marks of Unicode are escaped, so a
// line can neither be forged nor reordered on a screen.
void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += text[i];
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\u{:04x}", byte);
        } else if (byte == 0xe2 && i + 2 < text.size() &&
                   (static_cast<unsigned char>(text[i + 1]) == 0x80 ||
                    static_cast<unsigned char>(text[i + 1]) == 0x81)) {
            unsigned code = 0x2000U | ((static_cast<unsigned char>(text[i + 1]) & 0x3fU) << 6U) |
                            (static_cast<unsigned char>(text[i + 2]) & 0x3fU);
            out += fmt::format("\\u{:04x}", code);
            i += 2;
        } else {
            out += text[i];
        }
    }
    out += '"';
}

bool is_plain(std::string_view text) {
    return !text.empty() && text.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-:/@+*[]%,"
                            ) == std::string_view::npos;
}

std::string timestamp() {
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
        fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
        (now - seconds).count()
    );
}

std::string json_line(LogLevel level, std::string_view sentence, LogFields fields) {
    std::string line =
        fmt::format(R"({{"ts":"{}","level":"{}","msg":)", timestamp(), level_name(level));
    append_quoted(line, sentence);
    for (const LogField& field : fields) {
        line += ',';
        append_quoted(line, field.key);
        line += ':';
        if (field.is_text) {
            append_quoted(line, field.value);
        } else {
            line += field.value;
        }
    }
    line += "}\n";
    return line;
}

std::string text_line(LogLevel level, std::string_view sentence, LogFields fields) {
    std::string line = fmt::format("{} {:5} {}", timestamp(), level_name(level), sentence);
    for (const LogField& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        if (is_plain(field.value)) {
            line += field.value;
        } else {
            append_quoted(line, field.value);
        }
    }
    line += '\n';
    return line;
}

std::string made_line(LogLevel level, std::string_view sentence, LogFields fields) {
    return g_format == LogFormat::json ? json_line(level, sentence, fields)
                                       : text_line(level, sentence, fields);
}

// Under the mutex.
std::size_t write_patiently(std::string_view bytes) {
    static MonoTime second_began;
    static Duration left;
    const MonoTime began = std::chrono::steady_clock::now();
    if (began - second_began >= std::chrono::seconds(1)) {
        second_began = began;
        left = kPatience;
    }
    const std::size_t written =
        write_standard_error(bytes, std::chrono::floor<std::chrono::milliseconds>(left));
    left = std::max(left - (std::chrono::steady_clock::now() - began), Duration::zero());
    return written;
}

// Lines of threads do not mix. A reader of standard error that hangs or has left is no reason to
// wait or to stop: what it does not take is counted, and the count goes before the next line. An
// empty `line` is for the count alone.
void put(std::string_view line) {
    const std::scoped_lock lock(g_output_mutex);
    const std::uint64_t lost = g_lost;
    std::string bytes = g_line_is_open ? "\n" : "";
    if (lost > 0) {
        bytes += made_line(
            LogLevel::warn, "log lines were lost: standard error took no more", {{"lines", lost}}
        );
    }
    const std::size_t count_ends = bytes.size();
    bytes += line;
    std::size_t written = write_standard_error(bytes, std::chrono::milliseconds(0));
    if (written < bytes.size() && lost == 0) {
        written += write_patiently(std::string_view(bytes).substr(written));
    }
    if (written > 0) {
        g_line_is_open = bytes[written - 1] != '\n';
    }
    if (written >= count_ends) {
        g_lost = 0;
    }
    if (written < bytes.size() && !line.empty()) {
        ++g_lost;
        ++g_lost_ever;
    }
}

void write_line(LogLevel level, std::string_view sentence, LogFields fields) {
    put(made_line(level, sentence, fields));
}

bool admit(LogLevel level, std::string_view sentence) {
    const std::scoped_lock lock(g_rate_mutex);
    if (rate().admit(level, sentence, std::chrono::steady_clock::now())) {
        return true;
    }
    g_left_out_any = true;
    return false;
}

void write_left_out(LeftOutLines which) {
    if (!g_left_out_any.load(std::memory_order_relaxed)) {
        return;
    }
    std::vector<LogRate::LeftOut> left_out;
    {
        const std::scoped_lock lock(g_rate_mutex);
        left_out = rate().take(std::chrono::steady_clock::now(), which);
        // Whatever its second: as long as one is counted somebody looks again.
        g_left_out_any = rate().counts();
    }
    for (const LogRate::LeftOut& sentence : left_out) {
        write_line(
            sentence.level,
            "lines were left out, more than 10 a second",
            {{"sentence", sentence.sentence}, {"lines", sentence.lines}}
        );
    }
}

enum class Lines : bool { all, limited };

void say(LogLevel level, std::string_view sentence, LogFields fields, Lines lines) {
    if (!logs(level)) {
        return;
    }
    write_left_out(LeftOutLines::of_past_seconds);
    if (lines == Lines::all || admit(level, sentence)) {
        write_line(level, sentence, fields);
    }
}

}  // namespace

void set_up_logging(LogLevel level, LogFormat format) {
    g_level = level;
    g_format = format;
    const std::scoped_lock lock(g_rate_mutex);
    rate() = LogRate();
}

bool logs(LogLevel level) {
    return level >= g_level.load(std::memory_order_relaxed);
}

// What is below a warning was asked for, or is the record of what people did.
void log_line(LogLevel level, std::string_view sentence, LogFields fields) {
    say(level, sentence, fields, level < LogLevel::warn ? Lines::all : Lines::limited);
}

void log_limited_info(std::string_view sentence, LogFields fields) {
    say(LogLevel::info, sentence, fields, Lines::limited);
}

std::uint64_t log_lines_lost() {
    return g_lost_ever;
}

void log_left_out(LeftOutLines which) {
    write_left_out(which);
    if (g_lost.load(std::memory_order_relaxed) == 0) {
        return;
    }
    const MonoTime now = std::chrono::steady_clock::now();
    if (which == LeftOutLines::all || now >= g_next_try.load(std::memory_order_relaxed)) {
        g_next_try.store(now + kRetryPause, std::memory_order_relaxed);
        put({});
    }
}

}  // namespace belfry
