// Text from elsewhere, made safe for a terminal: events carry what strangers wrote, and a terminal
// obeys escape sequences. May be called from any thread.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

// The text with control characters (C0, DEL, C1), Unicode's line separators, invisible and
// bidirectional marks, and bytes that are not UTF-8 written as `\n`, `\x1b`, `\u{202e}`; a
// backslash stays one. One line.
[[nodiscard]] std::string screen_text(std::string_view text);
// The same, cut to at most `width` characters, the last of them `…` if something was left out.
[[nodiscard]] std::string screen_text(std::string_view text, std::size_t width);

// JSON with the same characters written as \u escapes, which mean the same to whoever parses it.
// Line breaks become spaces: one value, one line.
[[nodiscard]] std::string screen_json(std::string_view json);

}  // namespace belfry
