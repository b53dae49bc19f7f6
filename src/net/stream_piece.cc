#include "net/stream_piece.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace belfry {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kDigitsMax = 2 * sizeof(std::size_t);
constexpr std::size_t kTextAt = kDigitsMax + kLineEnd.size();

}  // namespace

StreamPiece::StreamPiece(std::string_view text) {
    begin() += text;
    frame();
}

std::string& StreamPiece::begin() {
    bytes_.assign(kTextAt, ' ');
    return bytes_;
}

void StreamPiece::frame() {
    ASSERT(bytes_.size() >= kTextAt);
    std::array<char, kDigitsMax> digits{};
    const char* const end =
        std::to_chars(digits.data(), digits.data() + digits.size(), bytes_.size() - kTextAt, 16)
            .ptr;
    const auto count = static_cast<std::size_t>(end - digits.data());
    chunk_at_ = kDigitsMax - count;
    std::copy_n(digits.data(), count, bytes_.data() + chunk_at_);
    std::ranges::copy(kLineEnd, bytes_.data() + kDigitsMax);
    bytes_ += kLineEnd;
}

std::string_view StreamPiece::chunk() const {
    return text().empty() ? std::string_view() : std::string_view(bytes_).substr(chunk_at_);
}

std::string_view StreamPiece::text() const {
    constexpr std::size_t kFraming = kTextAt + kLineEnd.size();
    return bytes_.empty() ? std::string_view()
                          : std::string_view(bytes_).substr(kTextAt, bytes_.size() - kFraming);
}

}  // namespace belfry
