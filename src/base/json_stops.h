// Where a plain stretch of a JSON string ends, sixteen bytes at a time where the processor has
// that, else eight: what reading and writing JSON share. May be called from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace belfry {

// A word's first byte is its lowest.
static_assert(std::endian::native == std::endian::little);

// The place of the first `"`, `\` or byte below 0x20 from `i` on; text.size() if there is none.
[[nodiscard]] inline std::size_t json_stop(std::string_view text, std::size_t i) {
    static constexpr std::uint64_t kOnes = 0x0101010101010101;
    static constexpr std::uint64_t kHighs = 0x8080808080808080;
#if defined(__SSE2__)
    for (; i + 16 <= text.size(); i += 16) {
        const auto* place = reinterpret_cast<const __m128i*>(text.data() + i);
        const __m128i sixteen = _mm_loadu_si128(place);
        const __m128i quote = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('"'));
        const __m128i backslash = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\\'));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(sixteen, _mm_set1_epi8(0x1f)), sixteen);
        const auto stops = static_cast<unsigned>(
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low))
        );
        if (stops != 0) {
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
