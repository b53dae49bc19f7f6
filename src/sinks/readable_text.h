// Foreign bytes as text that can be stored and shown.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

// The first `bytes_max` bytes of `bytes`, cut between characters; what is not UTF-8 becomes U+FFFD.
// (The replacements may make it longer, three times at most.)
[[nodiscard]] std::string readable_text(std::string_view bytes, std::size_t bytes_max);

}  // namespace belfry
