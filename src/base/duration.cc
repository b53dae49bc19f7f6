#include "base/duration.h"

#include "base/ascii.h"
#include "base/assert.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace belfry {

namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t nanoseconds;
};
// Falling; `ms` and `us` are told from `m` because the whole run of letters is compared.
constexpr std::array kDurationUnits{
    DurationUnit{"d", 86'400'000'000'000},
    DurationUnit{"h", 3'600'000'000'000},
    DurationUnit{"m", 60'000'000'000},
    DurationUnit{"s", 1'000'000'000},
    DurationUnit{"ms", 1'000'000},
    DurationUnit{"us", 1'000},
};

std::unexpected<Error> bad_duration(std::string_view text, std::string_view why) {
    std::string shown(text.substr(0, 40));
    return fail(
        Errc::bad_request,
        "not a duration: '" + shown + "' (" + std::string(why) +
            "); write it like 10s, 5m, 1h30m or 250ms"
    );
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    std::string_view rest = text;
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    if (rest.empty()) {
        return bad_duration(text, "it is empty");
    }
    while (!rest.empty()) {
        std::int64_t number = 0;
        const char* end = rest.data() + rest.size();
        if (!is_digit(rest.front())) {
            return bad_duration(text, "a number is missing");
        }
        auto [stop, problem] = std::from_chars(rest.data(), end, number);
        if (problem != std::errc{}) {
            return bad_duration(text, "it is too long");
        }
        rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
        std::size_t letters = 0;
        while (letters < rest.size() && !is_digit(rest[letters])) {
            ++letters;
        }
        std::string_view name = rest.substr(0, letters);
        rest.remove_prefix(letters);
        std::size_t unit = 0;
        while (unit < kDurationUnits.size() && kDurationUnits[unit].name != name) {
            ++unit;
        }
        if (unit == kDurationUnits.size()) {
            return bad_duration(text, name.empty() ? "a unit is missing" : "unknown unit");
        }
        if (unit < next_unit) {
            return bad_duration(text, "units must fall, each at most once");
        }
        next_unit = unit + 1;
        std::int64_t part = 0;
        if (__builtin_mul_overflow(number, kDurationUnits[unit].nanoseconds, &part) ||
            __builtin_add_overflow(total, part, &total)) {
            return bad_duration(text, "it is too long");
        }
    }
    return Duration(total);
}

std::string duration_text(Duration duration) {
    std::int64_t rest = duration.count();
    ASSERT(rest >= 0);
    std::string text;
    for (const DurationUnit& unit : kDurationUnits) {
        if (rest >= unit.nanoseconds) {
            text += std::to_string(rest / unit.nanoseconds);
            text += unit.name;
            rest %= unit.nanoseconds;
        }
    }
    return text.empty() ? "0s" : text;
}

}  // namespace belfry
