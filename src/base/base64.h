// Base64 as RFC 4648 section 4 has it: the standard alphabet, padded. May be called from any
// thread. Not for secrets: it takes no care of constant time.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

void append_base64(std::string& out, std::string_view bytes);
// Appends the decoded bytes. False, with `out` as it was, unless `text` is canonical: whole groups,
// padding only at the end, unused bits zero, no white space.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

}  // namespace belfry
