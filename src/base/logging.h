// Structured log lines: a sentence and fields. Text on a terminal, one JSON object a line
// otherwise. error: someone must act; warn: degraded; info: a change of state; debug: per request.
// May be called from any thread. User data in fields is escaped, so it cannot forge a line; secrets
// are never passed in. Of warnings and errors with one sentence, and of what is told to be limited,
// ten a second are written; the others are counted, and the count is written behind them. Lines
// that nobody reads are lost and counted, too: a full pipe holds threads up for 50 ms in a second
// at most. Rooms base, event and graphql do not log.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace belfry {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogField {
    std::string_view key;
    std::string value;
    bool is_text = true;

    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
    template <std::integral T>
    LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), is_text(false) {}
};
using LogFields = std::initializer_list<LogField>;

// Before the first line: nothing is counted yet. The default is text at info. Lines go to stderr.
void set_up_logging(LogLevel level, LogFormat format);
[[nodiscard]] bool logs(LogLevel level);
void log_line(LogLevel level, std::string_view sentence, LogFields fields = {});
// What anybody can cause, however often: limited as warnings are.
void log_limited_info(std::string_view sentence, LogFields fields);
// Writes how many lines were lost, and how many were left out, of those seconds that are over, or
// at the end of the program of all. Every line does that, too; who calls it makes sure that it is
// said if no line follows. Costs nothing if there is nothing to say, and as long as standard error
// takes nothing it tries ten times a second at most, but always at the end.
enum class LeftOutLines : bool { of_past_seconds, all };
void log_left_out(LeftOutLines which = LeftOutLines::of_past_seconds);
// Lines that nobody read, since the program began.
[[nodiscard]] std::uint64_t log_lines_lost();

inline void log_debug(std::string_view sentence, LogFields fields = {}) {
    if (logs(LogLevel::debug)) {
        log_line(LogLevel::debug, sentence, fields);
    }
}
inline void log_info(std::string_view sentence, LogFields fields = {}) {
    log_line(LogLevel::info, sentence, fields);
}
inline void log_warn(std::string_view sentence, LogFields fields = {}) {
    log_line(LogLevel::warn, sentence, fields);
}
inline void log_error(std::string_view sentence, LogFields fields = {}) {
    log_line(LogLevel::error, sentence, fields);
}

}  // namespace belfry
