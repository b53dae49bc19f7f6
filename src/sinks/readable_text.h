// Foreign bytes as text that can be stored and shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace belfry {

// Of an answer so much is kept with the attempt.
inline constexpr std::size_t kResponseBytes = 1024;

// The first `bytes_max` bytes of `bytes`, cut between characters; what is not UTF-8 becomes U+FFFD.
// (The replacements may make it longer, three times at most.)
[[nodiscard]] std::string readable_text(std::string_view bytes, std::size_t bytes_max);

}  // namespace belfry
