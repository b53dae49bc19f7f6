#include "sinks/retry_after.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace belfry {

namespace {

using std::chrono::seconds;

constexpr seconds kLeast{1};
constexpr seconds kMost = std::chrono::hours(24);
constexpr std::array<std::string_view, 12> kMonths{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

// A number of exactly so many digits; -1 if it is not one.
int digits(std::string_view text, std::size_t count) {
    int value = -1;
    if (text.size() != count || !std::ranges::all_of(text, is_digit)) {
        return -1;
    }
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::vector<std::string_view> words(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        std::size_t end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) {
            found.push_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return found;
}

struct Date {
    int year = -1;
    std::string_view month;
    int day = -1;
    std::string_view time;  // HH:MM:SS
};

std::optional<WallTime> time_of(const Date& date) {
    const auto* month = std::ranges::find(kMonths, date.month);
    std::vector<std::string_view> clock = words(date.time, ":");
    if (month == kMonths.end() || date.year < 0 || date.day < 0 || clock.size() != 3 ||
        date.time.size() != 8) {
        return std::nullopt;
    }
    std::chrono::year_month_day day(
        std::chrono::year(date.year),
        std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(date.day))
    );
    int hour = digits(clock[0], 2);
    int minute = digits(clock[1], 2);
    int second = digits(clock[2], 2);
    // 60 is a leap second.
    if (!day.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days(day) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           seconds(second);
}

// RFC 9110, 5.6.7. The name of the day says nothing that the date does not, and is not read.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
    std::vector<std::string_view> parts = words(text, " ");
    // Sun, 06 Nov 1994 08:49:37 GMT
    if (parts.size() == 6 && parts[0].ends_with(',') && parts[5] == "GMT") {
        return time_of({digits(parts[3], 4), parts[2], digits(parts[1], 2), parts[4]});
    }
    // Sun Nov  6 08:49:37 1994
    if (parts.size() == 5) {
        return time_of({digits(parts[4], 4), parts[1], digits(parts[2], parts[2].size()), parts[3]}
        );
    }
    // Sunday, 06-Nov-94 08:49:37 GMT: of the years that end so, the latest that is not over 50
    // years ahead.
    if (parts.size() == 4 && parts[0].ends_with(',') && parts[3] == "GMT") {
        std::vector<std::string_view> date = words(parts[1], "-");
        if (date.size() != 3 || digits(date[2], 2) < 0) {
            return std::nullopt;
        }
        std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
        int latest = static_cast<int>(today.year()) + 50;
        int year = latest - ((latest - digits(date[2], 2)) % 100 + 100) % 100;
        return time_of({year, date[1], digits(date[0], 2), parts[2]});
    }
    return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view value, WallTime now) {
    if (value.empty()) {
        return std::nullopt;
    }
    if (std::ranges::all_of(value, is_digit)) {
        std::int64_t count = 0;
        auto [stop, problem] = std::from_chars(value.data(), value.data() + value.size(), count);
        bool huge = problem != std::errc{} || count > kMost.count();
        return std::clamp(huge ? kMost : seconds(count), kLeast, kMost);
    }
    std::optional<WallTime> date = parse_http_date(value, now);
    if (!date) {
        return std::nullopt;
    }
    return std::clamp(std::chrono::ceil<seconds>(*date - now), kLeast, kMost);
}

}  // namespace belfry
