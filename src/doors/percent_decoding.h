// Percent-decoding (RFC 3986, 2.1) of one piece of a URL. May be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

enum class PlusSign : bool { is_plus, is_space };

// The decoded bytes, whatever they are: `raw` itself when nothing is encoded, else a view into
// `memory`, whose capacity must already hold raw.size() more bytes, so that earlier views stay
// valid. nullopt for `%` without two hexadecimal digits.
[[nodiscard]] std::optional<std::string_view> percent_decode_bytes(
    std::string_view raw, PlusSign plus, std::string& memory
);

// The same for text: nullopt for control characters, too, and for what is not UTF-8.
[[nodiscard]] std::optional<std::string_view> percent_decode(
    std::string_view raw, PlusSign plus, std::string& memory
);

}  // namespace belfry
