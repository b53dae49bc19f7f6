#include "base/size.h"

#include <array>
#include <charconv>

namespace belfry {

namespace {

struct SizeUnit {
    std::string_view name;
    std::uint64_t bytes;
};
constexpr std::array kSizeUnits{
    SizeUnit{"TiB", 1ULL << 40},
    SizeUnit{"GiB", 1ULL << 30},
    SizeUnit{"MiB", 1ULL << 20},
    SizeUnit{"KiB", 1ULL << 10},
    SizeUnit{"TB", 1'000'000'000'000},
    SizeUnit{"GB", 1'000'000'000},
    SizeUnit{"MB", 1'000'000},
    SizeUnit{"KB", 1'000},
    SizeUnit{"kB", 1'000},
    SizeUnit{"B", 1},
    SizeUnit{"", 1},
};
constexpr std::size_t kBinaryUnits = 4;  // the first ones

std::unexpected<Error> bad_size(std::string_view text, std::string_view why) {
    std::string shown(text.substr(0, 40));
    return fail(
        Errc::bad_request,
        "not a size: '" + shown + "' (" + std::string(why) +
            "); write it like 64MiB, 512KiB, 10GB or 4096"
    );
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    if (text.empty() || text.front() < '0' || text.front() > '9') {
        return bad_size(text, "it must begin with a number");
    }
    std::uint64_t number = 0;
    auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{}) {
        return bad_size(text, "it is too large");
    }
    std::string_view name = text.substr(static_cast<std::size_t>(stop - text.data()));
    for (const SizeUnit& unit : kSizeUnits) {
        if (unit.name == name) {
            std::uint64_t bytes = 0;
            if (__builtin_mul_overflow(number, unit.bytes, &bytes)) {
                return bad_size(text, "it is too large");
            }
            return bytes;
        }
    }
    return bad_size(text, "unknown unit");
}

std::string size_text(std::uint64_t bytes) {
    for (std::size_t i = 0; i < kBinaryUnits; ++i) {
        if (bytes != 0 && bytes % kSizeUnits[i].bytes == 0) {
            return std::to_string(bytes / kSizeUnits[i].bytes) + std::string(kSizeUnits[i].name);
        }
    }
    return std::to_string(bytes) + "B";
}

}  // namespace belfry
