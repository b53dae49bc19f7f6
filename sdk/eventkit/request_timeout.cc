#include "eventkit/request_timeout.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace belfry::eventkit {
namespace {

constexpr std::chrono::duration<double> kLongest = std::chrono::hours(1);

std::optional<Duration> seconds(std::string_view text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value) || value <= 0) {
        return std::nullopt;
    }
    const std::chrono::duration<double> wanted(value);
    return std::chrono::duration_cast<Duration>(std::min(wanted, kLongest));
}

}  // namespace

std::optional<Duration> request_timeout(const HttpRequest& request) {
    for (const char* name : {"Request-Timeout", "X-Request-Timeout"}) {
        if (const auto value = request.header(name)) {
            if (const auto duration = seconds(*value)) {
                return duration;
            }
        }
    }
    return std::nullopt;
}

}  // namespace belfry::eventkit
