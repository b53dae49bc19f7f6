// How many lines of one sentence a second brings. What repeats, such as a warning for every event
// that a listener rejects, would fill the disk and bury the rest: of each sentence so many lines go
// out, the others are counted. One thread at a time.
#pragma once

#include "base/clock.h"
#include "base/logging.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class LogRate {
 public:
    static constexpr std::uint32_t kLinesPerSecond = 10;

    struct LeftOut {
        std::string sentence;
        std::uint64_t lines = 0;
        LogLevel level = LogLevel::warn;  // the highest among them
        bool operator==(const LeftOut&) const = default;
    };

    // Whether a line with this sentence may go out; counts it if not.
    [[nodiscard]] bool admit(LogLevel level, std::string_view sentence, MonoTime now);
    // What was left out: said once.
    [[nodiscard]] std::vector<LeftOut> take(MonoTime now, LeftOutLines which);
    // Something is left out that take() has not given.
    [[nodiscard]] bool counts() const;

 private:
    struct Second {
        MonoTime began;
        std::uint32_t written = 0;
        std::uint64_t left_out = 0;
        LogLevel highest = LogLevel::debug;  // of those left out
    };
    std::map<std::string, Second, std::less<>> seconds_;  // sentences are the program's, so few
};

}  // namespace belfry
