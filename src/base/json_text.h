// Writing JSON by hand where it is hot: appends to a string the caller owns and reuses; nothing
// else is allocated. May be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

// `utf8` as a JSON string with its quotes. It must be valid UTF-8; only `"`, `\` and bytes below
// 0x20 are escaped.
void append_json_string(std::string& out, std::string_view utf8);
// `"name":` with the quotes and the colon. `name` must need no escaping.
void append_json_name(std::string& out, std::string_view name);
void append_json_number(std::string& out, std::uint64_t number);

}  // namespace belfry
