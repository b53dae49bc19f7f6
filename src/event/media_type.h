// Media types (RFC 2046, RFC 6838 suffixes) as far as events need them. Parameters are ignored but
// where said. May be called from any thread; allocates nothing.
#pragma once

#include <string_view>

namespace belfry {

// Type, subtype and parameters are well formed, and printable ASCII alone.
[[nodiscard]] bool is_media_type(std::string_view text);
// `*/json` or `*/*+json`.
[[nodiscard]] bool is_json_media_type(std::string_view text);
// A type whose content is text in UTF-8: text, XML, YAML, forms; not if a charset parameter says
// otherwise.
[[nodiscard]] bool is_text_media_type(std::string_view text);
// Without parameters; `essence` is in lower case: has_essence("Text/Plain; charset=x",
// "text/plain").
[[nodiscard]] bool has_essence(std::string_view text, std::string_view essence);

}  // namespace belfry
