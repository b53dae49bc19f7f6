// Decodes a chunked body (RFC 9112, 7.1) in pieces of any size, strictly: sizes are 1 to 16 hex
// digits, every line ends in CRLF, extensions and trailers are bounded and dropped. Used for
// requests and for answers. A value owned by a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

class ChunkDecoder {
 public:
    enum class State : std::uint8_t { more, done, broken, too_large };
    struct Fed {
        State state;
        std::size_t used;  // of the bytes; what is behind a done body belongs to the next message
    };

    explicit ChunkDecoder(std::size_t extension_bytes = 256) : extension_limit_(extension_bytes) {}

    // Appends what decodes to `body`; too_large as soon as a chunk would make it longer than
    // `body_limit`.
    Fed feed(std::string_view bytes, std::string& body, std::uint64_t body_limit);
    // After broken: what was wrong.
    [[nodiscard]] std::string_view fault() const { return fault_; }

 private:
    enum class At : std::uint8_t {
        size_first,
        size,
        extension,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_line_feed,
        end_line_feed,
        done,
        broken,
    };

    void step(char c);
    void step_size(char c);
    void step_extension(char c);
    void step_trailer(char c);
    void expect(char c, char wanted, At next);
    void fail(std::string_view why);

    static constexpr std::size_t kSizeDigits = 16;

    std::size_t extension_limit_;
    At at_ = At::size_first;
    std::uint64_t left_ = 0;  // of the chunk
    std::size_t digits_ = 0;
    std::size_t extension_bytes_ = 0;   // of this chunk
    std::size_t extensions_bytes_ = 0;  // of all
    std::size_t trailers_bytes_ = 0;
    std::string_view fault_;
};

}  // namespace belfry
