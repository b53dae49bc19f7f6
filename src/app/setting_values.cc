// Single values by the table of settings.
#include "app/config.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace belfry {

namespace {

std::uint64_t& number_of(const Setting& setting, Config& config) {
    if (const auto* limit = std::get_if<std::uint64_t Limits::*>(&setting.member)) {
        return config.limits.**limit;
    }
    return config.*std::get<std::uint64_t Config::*>(setting.member);
}

Result<std::uint64_t> parse_count(std::string_view value) {
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
        return fail(Errc::bad_request, "a whole number is expected, such as 100");
    }
    return number;
}

std::string number_text(SettingType type, std::uint64_t number) {
    switch (type) {
        case SettingType::bytes:
            return size_text(number);
        case SettingType::duration:
            return duration_text(Duration(number));
        case SettingType::milliseconds:
            return fmt::format("{} ms", number);
        default:
            return std::to_string(number);
    }
}

Result<void> check_range(const Setting& setting, std::uint64_t number) {
    if (number < setting.least) {
        return fail(
            Errc::bad_request, "at least " + number_text(setting.type, setting.least) + " is needed"
        );
    }
    if (number > setting.most) {
        return fail(
            Errc::bad_request, "at most " + number_text(setting.type, setting.most) + " is possible"
        );
    }
    return {};
}

Result<void> set_number(
    const Setting& setting, const Result<std::uint64_t>& number, std::uint64_t& member
) {
    if (!number) {
        return std::unexpected(number.error());
    }
    Result<void> in_range = check_range(setting, *number);
    if (in_range) {
        member = *number;
    }
    return in_range;
}

Result<void> set_duration(const Setting& setting, std::string_view value, Config& config) {
    Result<Duration> duration = parse_duration(value);
    if (!duration) {
        return std::unexpected(duration.error());
    }
    Result<void> in_range = check_range(setting, nanoseconds(*duration));
    if (in_range) {
        config.*std::get<Duration Config::*>(setting.member) = *duration;
    }
    return in_range;
}

Result<void> set_boolean(const Setting& setting, std::string_view value, Config& config) {
    if (value != "true" && value != "false") {
        return fail(Errc::bad_request, "`true` or `false` is expected");
    }
    config.*std::get<bool Config::*>(setting.member) = value == "true";
    return {};
}

Result<void> set_text(const Setting& setting, std::string_view value, Config& config) {
    if (value.empty()) {
        return fail(Errc::bad_request, "a value is expected");
    }
    if (value.find('\0') != std::string_view::npos) {
        return fail(Errc::bad_request, "a zero byte cannot be part of it");
    }
    if (setting.check != nullptr) {
        if (Result<void> good = setting.check(value); !good) {
            return good;
        }
    }
    config.*std::get<std::string Config::*>(setting.member) = value;
    return {};
}

Result<void> set_choice(const Setting& setting, std::string_view value, Config& config) {
    if (std::ranges::find(setting.choices, value) == setting.choices.end()) {
        return fail(
            Errc::bad_request,
            fmt::format("one of {} is expected", fmt::join(setting.choices, ", "))
        );
    }
    config.*std::get<std::string Config::*>(setting.member) = value;
    return {};
}

// Stored in one spelling. The limits are the constant ones: what a document may be does not depend
// on which setting was read first.
Result<void> set_json(const Setting& setting, std::string_view value, Config& config) {
    Result<boost::json::value> document = parse_json(value, Limits());
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    std::string text = boost::json::serialize(*document);
    if (setting.check != nullptr) {
        if (Result<void> good = setting.check(text); !good) {
            return good;
        }
    }
    config.*std::get<std::string Config::*>(setting.member) = std::move(text);
    return {};
}

}  // namespace

std::string setting_value(const Setting& setting, const Config& config) {
    // Read only; number_of() is the one place that knows both kinds of member.
    auto number = [&] { return number_of(setting, const_cast<Config&>(config)); };
    switch (setting.type) {
        case SettingType::text:
        case SettingType::choice:
        case SettingType::json:
            return config.*std::get<std::string Config::*>(setting.member);
        case SettingType::boolean:
            return config.*std::get<bool Config::*>(setting.member) ? "true" : "false";
        case SettingType::count:
        case SettingType::milliseconds:
            return std::to_string(number());
        case SettingType::bytes:
            return size_text(number());
        case SettingType::duration:
            return duration_text(config.*std::get<Duration Config::*>(setting.member));
    }
    return {};
}

std::string shown_value(const Setting& setting, const Config& config) {
    std::string value = setting_value(setting, config);
    return setting.shown == nullptr ? value : setting.shown(value);
}

Result<void> set_setting(const Setting& setting, std::string_view value, Config& config) {
    switch (setting.type) {
        case SettingType::text:
            return set_text(setting, value, config);
        case SettingType::choice:
            return set_choice(setting, value, config);
        case SettingType::boolean:
            return set_boolean(setting, value, config);
        case SettingType::count:
        case SettingType::milliseconds:
            return set_number(setting, parse_count(value), number_of(setting, config));
        case SettingType::bytes:
            return set_number(setting, parse_size(value), number_of(setting, config));
        case SettingType::duration:
            return set_duration(setting, value, config);
        case SettingType::json:
            return set_json(setting, value, config);
    }
    return {};
}

}  // namespace belfry
