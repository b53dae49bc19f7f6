// Sizes as people write them, in configuration and documents: `64MiB`, `10GB`, `4096`.
// A whole number and a unit: B, KiB MiB GiB TiB (powers of 1024), kB KB MB GB TB (powers of 1000);
// a bare number is bytes.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

// Bytes. Errc::bad_request with a sentence that shows the right form; never overflows.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// In the largest binary unit that gives a whole number ("64MiB", "1500B"); parse_size() reads it
// back equal.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace belfry
