// Where a plain stretch of a JSON string ends, sixteen bytes at a time where the processor has
// that, else eight: what reading and writing JSON share. May be called from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace belfry {

// The same as json_stop(), for long stretches and the end of the text.
[[nodiscard]] std::size_t far_json_stop(std::string_view text, std::size_t i);

#if defined(__SSE2__)
// Which of the sixteen bytes from `at` on are stops: one bit each, the first is the lowest.
[[nodiscard]] inline unsigned json_stops_in_sixteen(const char* at) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i quote = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\\'));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(sixteen, _mm_set1_epi8(0x1f)), sixteen);
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low)
    ));
}
#endif

// The place of the first `"`, `\` or byte below 0x20 from `i` on; text.size() if there is none.
// Most stretches are short: those end here.
[[nodiscard]] inline std::size_t json_stop(std::string_view text, std::size_t i) {
#if defined(__SSE2__)
    if (i + 16 <= text.size()) {
        if (const unsigned stops = json_stops_in_sixteen(text.data() + i); stops != 0) {
            return i + static_cast<std::size_t>(std::countr_zero(stops));
        }
        i += 16;
    }
#endif
    return far_json_stop(text, i);
}

}  // namespace belfry
