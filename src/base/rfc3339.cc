#include "base/rfc3339.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace belfry {

namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::minutes;

void put_digits(char* at, std::int64_t number, int count) {
    for (int i = count - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + number % 10);
        number /= 10;
    }
}

// Where each part of the date and time stands; a fraction may follow, then the zone.
constexpr std::string_view kForm = "YYYY-MM-DDThh:mm:ss";

// Two digits; more than 99 if they are not there.
unsigned two_digits(std::string_view text, std::size_t at) {
    const auto high = static_cast<unsigned char>(text[at] - '0');
    const auto low = static_cast<unsigned char>(text[at + 1] - '0');
    return high > 9 || low > 9 ? 100 : high * 10U + low;
}

// Takes the fraction off, if there is one: one digit or more behind a point, as microseconds.
std::optional<microseconds> take_fraction(std::string_view& rest) {
    if (!rest.starts_with('.')) {
        return microseconds{0};
    }
    std::int64_t value = 0;
    std::size_t end = 1;
    for (; end < rest.size() && is_digit(rest[end]); ++end) {
        if (end <= 6) {
            value = value * 10 + (rest[end] - '0');
        }
    }
    if (end == 1) {
        return std::nullopt;
    }
    for (std::size_t i = end; i <= 6; ++i) {
        value *= 10;
    }
    rest.remove_prefix(end);
    return microseconds{value};
}

// "Z" or "+hh:mm": how far east of Greenwich.
std::optional<minutes> zone(std::string_view text) {
    if (text == "Z" || text == "z") {
        return minutes{0};
    }
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
        return std::nullopt;
    }
    const unsigned hour = two_digits(text, 1);
    const unsigned minute = two_digits(text, 4);
    if (hour > 23 || minute > 59) {
        return std::nullopt;
    }
    const minutes east{hour * 60 + minute};
    return text[0] == '-' ? -east : east;
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
    if (text.size() < kForm.size() || text[4] != '-' || text[7] != '-' ||
        (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
        text[16] != ':') {
        return std::nullopt;
    }
    const unsigned century = two_digits(text, 0);
    const unsigned year = two_digits(text, 2);
    const unsigned month = two_digits(text, 5);
    const unsigned day = two_digits(text, 8);
    const unsigned hour = two_digits(text, 11);
    const unsigned minute = two_digits(text, 14);
    const unsigned second = two_digits(text, 17);
    if (century > 99 || year > 99 || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year{static_cast<int>(century * 100 + year)},
        std::chrono::month{month},
        std::chrono::day{day}
    };
    std::string_view rest = text.substr(kForm.size());
    const std::optional<microseconds> fraction = take_fraction(rest);
    const std::optional<minutes> east = fraction ? zone(rest) : std::nullopt;
    if (!date.ok() || !east) {
        return std::nullopt;
    }
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + minutes{minute} -
           *east + std::chrono::seconds{second} + *fraction;
}

}  // namespace belfry
