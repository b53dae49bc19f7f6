// Sealing of small texts that hold secrets: XChaCha20-Poly1305 with a random nonce, under keys of
// 32 bytes. The sealed text is one JSON object that names its key, so that keys can be replaced:
//
//     {"sealed":{"key":"<id, 16 hex digits>","box":"<Base64 of nonce and ciphertext>"}}
//
// Immutable; may be used from any thread. Keys are wiped from memory with the object.
#pragma once

#include "base/error.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class SecretBox {
 public:
    static constexpr std::size_t kKeyBytes = 32;

    // The text of a key file: a Base64 key a line, the current one first; the others only open. `#`
    // begins a comment. bad_request names the line and repeats nothing of it.
    [[nodiscard]] static Result<SecretBox> with(std::string_view key_file);
    // A line with a new key.
    [[nodiscard]] static std::string new_key_line();

    SecretBox(SecretBox&&) noexcept = default;
    SecretBox& operator=(SecretBox&&) noexcept = default;
    ~SecretBox();

    // `place` is where the text will stand; it opens only there, so that nobody can swap two.
    [[nodiscard]] std::string seal(std::string_view text, std::string_view place) const;
    // Errc::internal if the key is not ours or the text is not what was sealed here.
    [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view place) const;

    [[nodiscard]] static bool is_sealed(std::string_view text);
    // Sealed with the current key.
    [[nodiscard]] bool is_current(std::string_view text) const;
    // Of the current key; no secret.
    [[nodiscard]] const std::string& key_id() const { return keys_.front().id; }

 private:
    struct Key {
        std::string id;
        std::array<unsigned char, kKeyBytes> bytes{};
    };
    SecretBox() = default;

    std::vector<Key> keys_;  // never empty
};

}  // namespace belfry
