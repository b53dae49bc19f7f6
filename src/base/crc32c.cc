#include "base/crc32c.h"

#include "base/byte_order.h"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace belfry {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // Castagnoli, reflected

// Table k advances a byte that has k more bytes after it in its group of eight ("slicing by 8").
constexpr auto kTables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        }
        tables[0][i] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t i = 0; i < 256; ++i) {
            std::uint32_t below = tables[k - 1][i];
            tables[k][i] = (below >> 8U) ^ tables[0][below & 0xffU];
        }
    }
    return tables;
}();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_hardware(std::uint32_t seed, Bytes bytes) {
    std::uint64_t crc = ~seed;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        crc = _mm_crc32_u64(crc, load_le<std::uint64_t>(at));
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; ++at, --left) {
        narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(*at));
    }
    return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t seed, Bytes bytes) {
#if defined(__x86_64__)
    static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
    if (kHasInstruction) {
        return crc32c_hardware(seed, bytes);
    }
#endif
    return crc32c_software(seed, bytes);
}

std::uint32_t crc32c_software(std::uint32_t seed, Bytes bytes) {
    std::uint32_t crc = ~seed;
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = load_le<std::uint64_t>(at) ^ crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k) {
            crc ^= kTables[7 - k][(word >> (8 * k)) & 0xffU];
        }
    }
    for (; left > 0; ++at, --left) {
        crc = (crc >> 8U) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xffU];
    }
    return ~crc;
}

}  // namespace belfry
