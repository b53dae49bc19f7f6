#include "base/rfc3339.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace belfry {

namespace {

using std::chrono::days;
using std::chrono::microseconds;

void put_digits(char* at, std::int64_t number, int count) {
    for (int i = count - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + number % 10);
        number /= 10;
    }
}

// Takes the text apart from the left; after a failure everything fails.
class Scanner {
 public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

    bool skip(char expected) {
        if (rest_.empty() || rest_.front() != expected) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }
    // Exactly `count` digits; -1 if they are not there.
    int number(std::size_t count) {
        if (rest_.size() < count) {
            return -1;
        }
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') {
                return -1;
            }
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }
    // One digit or more of a fraction, as microseconds.
    std::optional<std::int64_t> fraction() {
        std::int64_t value = 0;
        std::size_t count = 0;
        while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
            if (count < 6) {
                value = value * 10 + (rest_[count] - '0');
            }
            ++count;
        }
        if (count == 0) {
            return std::nullopt;
        }
        for (std::size_t i = count; i < 6; ++i) {
            value *= 10;
        }
        rest_.remove_prefix(count);
        return value;
    }

 private:
    std::string_view rest_;
};

// "Z" or "+hh:mm": minutes east of Greenwich.
std::optional<int> zone_minutes(Scanner& scan) {
    if (scan.skip('Z') || scan.skip('z')) {
        return 0;
    }
    const int sign = scan.skip('-') ? -1 : (scan.skip('+') ? 1 : 0);
    const int hours = scan.number(2);
    const bool colon = scan.skip(':');
    const int minutes = scan.number(2);
    if (sign == 0 || hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59) {
        return std::nullopt;
    }
    return sign * (hours * 60 + minutes);
}

}  // namespace

void append_rfc3339(std::string& out, WallTime time) {
    static constexpr WallTime kFirst = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    static constexpr WallTime kLast =
        WallTime{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}} + days{1} -
        microseconds{1};
    time = std::clamp(time, kFirst, kLast);
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::int64_t micros = (time - day).count();
    const std::int64_t seconds = micros / 1'000'000;
    std::array<char, 27> text{"0000-00-00T00:00:00.000000"};
    put_digits(text.data(), static_cast<int>(date.year()), 4);
    put_digits(text.data() + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text.data() + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(text.data() + 11, seconds / 3600, 2);
    put_digits(text.data() + 14, seconds / 60 % 60, 2);
    put_digits(text.data() + 17, seconds % 60, 2);
    put_digits(text.data() + 20, micros % 1'000'000, 6);
    text[26] = 'Z';
    out.append(text.data(), text.size());
}

std::string rfc3339(WallTime time) {
    std::string text;
    append_rfc3339(text, time);
    return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    Scanner scan(text);
    const int year = scan.number(4);
    const bool dash1 = scan.skip('-');
    const int month = scan.number(2);
    const bool dash2 = scan.skip('-');
    const int day = scan.number(2);
    const bool separator = scan.skip('T') || scan.skip('t') || scan.skip(' ');
    const int hour = scan.number(2);
    const bool colon1 = scan.skip(':');
    const int minute = scan.number(2);
    const bool colon2 = scan.skip(':');
    const int second = scan.number(2);
    if (year < 0 || !dash1 || month < 0 || !dash2 || day < 0 || !separator || hour < 0 ||
        hour > 23 || !colon1 || minute < 0 || minute > 59 || !colon2 || second < 0 || second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year{year},
        std::chrono::month{static_cast<unsigned>(month)},
        std::chrono::day{static_cast<unsigned>(day)}
    };
    std::int64_t micros = 0;
    if (scan.skip('.')) {
        const auto fraction = scan.fraction();
        if (!fraction) {
            return std::nullopt;
        }
        micros = *fraction;
    }
    const auto zone = zone_minutes(scan);
    if (!date.ok() || !zone || !scan.at_end()) {
        return std::nullopt;
    }
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
           std::chrono::minutes{minute - *zone} + std::chrono::seconds{second} +
           microseconds{micros};
}

}  // namespace belfry
