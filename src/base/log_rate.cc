#include "base/log_rate.h"

#include <algorithm>
#include <iterator>

namespace belfry {

namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

}  // namespace

bool LogRate::admit(LogLevel level, std::string_view sentence, MonoTime now) {
    auto at = seconds_.find(sentence);
    if (at == seconds_.end()) {
        at = seconds_.emplace(std::string(sentence), Second{.began = now}).first;
    }
    Second& second = at->second;
    if (now - second.began >= kSecond) {
        second.began = now;
        second.written = 0;
    }
    if (second.written < kLinesPerSecond) {
        ++second.written;
        return true;
    }
    ++second.left_out;
    second.highest = std::max(second.highest, level);
    return false;
}

std::vector<LogRate::LeftOut> LogRate::take(MonoTime now, LeftOutLines which) {
    std::vector<LeftOut> taken;
    for (auto at = seconds_.begin(); at != seconds_.end();) {
        Second& second = at->second;
        const bool over = now - second.began >= kSecond;
        if (second.left_out > 0 && (over || which == LeftOutLines::all)) {
            taken.push_back({at->first, second.left_out, second.highest});
            second.left_out = 0;
            second.highest = LogLevel::debug;
        }
        at = over ? seconds_.erase(at) : std::next(at);
    }
    return taken;
}

bool LogRate::counts() const {
    return std::ranges::any_of(seconds_, [](const auto& entry) {
        return entry.second.left_out > 0;
    });
}

}  // namespace belfry
