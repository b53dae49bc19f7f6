#include "base/json_stops.h"

#include <cstdint>
#include <cstring>

namespace belfry {

// A word's first byte is its lowest.
static_assert(std::endian::native == std::endian::little);

std::size_t far_json_stop(std::string_view text, std::size_t i) {
    static constexpr std::uint64_t kOnes = 0x0101010101010101;
    static constexpr std::uint64_t kHighs = 0x8080808080808080;
#if defined(__SSE2__)
    for (; i + 16 <= text.size(); i += 16) {
        if (const unsigned stops = json_stops_in_sixteen(text.data() + i); stops != 0) {
            return i + static_cast<std::size_t>(std::countr_zero(stops));
        }
    }
#endif
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + i, sizeof eight);
        const std::uint64_t quote = eight ^ (kOnes * '"');
        const std::uint64_t backslash = eight ^ (kOnes * '\\');
        const std::uint64_t low = (eight - kOnes * 0x20) & ~eight;
        // A borrow may mark the byte after a stop as well, so only the first mark is sure.
        const std::uint64_t stops =
            (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | low) & kHighs;
        if (stops != 0) {
            return i + static_cast<std::size_t>(std::countr_zero(stops)) / 8;
        }
    }
    while (i < text.size() && text[i] != '"' && text[i] != '\\' &&
           static_cast<unsigned char>(text[i]) >= 0x20) {
        ++i;
    }
    return i;
}

}  // namespace belfry
