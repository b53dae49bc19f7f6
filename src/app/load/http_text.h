// The least HTTP/1.1 that the load generator and the programs of bench/ need: where one message
// ends. For answers to requests of our own; Belfry's server and client parse with net/.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace belfry {

struct Message {
    std::size_t head = 0;   // bytes of the start line and headers
    std::size_t total = 0;  // with the body
};

// The first message in `text` by its head, of which all must be there; nullopt until it is. A
// message without Content-Length has no body.
inline std::optional<Message> first_head(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    constexpr std::string_view kName = "ontent-length:";  // the first letter comes in both cases
    Message message{.head = end + 4, .total = end + 4};
    for (std::size_t line = text.find("\r\n"); line < end; line = text.find("\r\n", line + 2)) {
        const std::string_view rest = text.substr(line + 2, end - line);
        if (rest.size() < kName.size() + 2 || (rest.front() | 0x20) != 'c') {
            continue;
        }
        bool same = true;
        for (std::size_t i = 0; same && i < kName.size(); ++i) {
            same = (rest[i + 1] | 0x20) == (kName[i] | 0x20);
        }
        if (same) {
            message.total += std::strtoul(rest.data() + kName.size() + 1, nullptr, 10);
        }
    }
    return message;
}

// The same; nullopt until the body is complete, too.
inline std::optional<Message> first_message(std::string_view text) {
    const std::optional<Message> message = first_head(text);
    return message && message->total <= text.size() ? message : std::nullopt;
}

}  // namespace belfry
