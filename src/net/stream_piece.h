// A part of an endless answer in the framing of one chunk (RFC 9112, 7.1), made once for however
// many peers it is written to: those of HTTP/1.1 are sent the chunk, older ones the bare text.
// A value that keeps its memory; used by one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace belfry {

class StreamPiece {
 public:
    // Behind the last piece: the answer is whole.
    static constexpr std::string_view kEnd = "0\r\n\r\n";

    StreamPiece() = default;
    explicit StreamPiece(std::string_view text);

    // Empties it. Text is appended to what this gives, until frame(); what is there already stays.
    [[nodiscard]] std::string& begin();
    void frame();

    // As framed last. The chunk of an empty text is empty: one without bytes would be the end.
    [[nodiscard]] std::string_view chunk() const;
    [[nodiscard]] std::string_view text() const;

 private:
    std::string bytes_;         // room for the size, the text, an end of line
    std::size_t chunk_at_ = 0;  // the size stands right before the text
};

}  // namespace belfry
