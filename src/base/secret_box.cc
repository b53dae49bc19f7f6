#include "base/secret_box.h"

#include "base/assert.h"
#include "base/base64.h"

#include <algorithm>
#include <sodium.h>

namespace belfry {

namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SecretBox::kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kKeys = 16;
// What stands around the id and the box.
constexpr std::string_view kBegin = R"({"sealed":{"key":")";
constexpr std::string_view kMiddle = R"(","box":")";
constexpr std::string_view kEnd = R"("}})";
constexpr std::size_t kBoxAt = kBegin.size() + 2 * kIdBytes + kMiddle.size();

// The library may be used before main() runs, in tests.
void need_sodium() {
    static const bool kReady = sodium_init() >= 0;
    ASSERT(kReady);
}

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

// A hash of the key under a name of its own: the same key has the same id everywhere, and the id
// says nothing about the key.
std::string id_of(const unsigned char* key) {
    constexpr std::string_view kPurpose = "belfry key id, version 1";
    std::array<unsigned char, crypto_generichash_BYTES> digest{};
    crypto_generichash(
        digest.data(), digest.size(), raw(kPurpose), kPurpose.size(), key, SecretBox::kKeyBytes
    );
    std::array<char, 2 * kIdBytes + 1> text{};
    sodium_bin2hex(text.data(), text.size(), digest.data(), kIdBytes);
    return text.data();
}

std::string_view key_id_of(std::string_view sealed) {
    return sealed.substr(kBegin.size(), 2 * kIdBytes);
}

std::string_view without_blanks(std::string_view line) {
    constexpr std::string_view kBlanks = " \t\r";
    line = line.substr(0, line.find('#'));
    const std::size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
    return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

SecretBox::~SecretBox() {
    for (Key& key : keys_) {
        sodium_memzero(key.bytes.data(), key.bytes.size());
    }
}

Result<SecretBox> SecretBox::with(std::string_view key_file) {
    need_sodium();
    SecretBox box;
    box.keys_.reserve(kKeys);  // no copy of a key stays behind
    std::size_t number = 0;
    while (!key_file.empty()) {
        const std::size_t end = std::min(key_file.find('\n'), key_file.size());
        const std::string_view line = without_blanks(key_file.substr(0, end));
        key_file.remove_prefix(std::min(end + 1, key_file.size()));
        ++number;
        if (line.empty()) {
            continue;
        }
        std::string bytes;
        const bool good = decode_base64(line, bytes) && bytes.size() == kKeyBytes;
        if (good && box.keys_.size() < kKeys) {
            Key& key = box.keys_.emplace_back();
            std::ranges::copy(bytes, key.bytes.begin());
            key.id = id_of(key.bytes.data());
        }
        sodium_memzero(bytes.data(), bytes.size());
        if (!good) {
            return fail(
                Errc::bad_request,
                "line " + std::to_string(number) + " is not the Base64 of 32 bytes"
            );
        }
    }
    if (box.keys_.empty()) {
        return fail(Errc::bad_request, "there is no key in it");
    }
    return box;
}

std::string SecretBox::new_key_line() {
    need_sodium();
    std::string key(kKeyBytes, '\0');
    randombytes_buf(key.data(), key.size());
    std::string line;
    append_base64(line, key);
    sodium_memzero(key.data(), key.size());
    return line + "\n";
}

std::string SecretBox::seal(std::string_view text, std::string_view place) const {
    const Key& key = keys_.front();
    std::string box(kNonceBytes + text.size() + kTagBytes, '\0');
    unsigned char* nonce = raw(box);
    randombytes_buf(nonce, kNonceBytes);
    unsigned long long size = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        nonce + kNonceBytes,
        &size,
        raw(text),
        text.size(),
        raw(place),
        place.size(),
        nullptr,
        nonce,
        key.bytes.data()
    );
    ASSERT(size == text.size() + kTagBytes);
    std::string sealed(kBegin);
    sealed += key.id;
    sealed += kMiddle;
    append_base64(sealed, box);
    sealed += kEnd;
    return sealed;
}

Result<std::string> SecretBox::open(std::string_view sealed, std::string_view place) const {
    std::string box;
    if (!is_sealed(sealed) ||
        !decode_base64(sealed.substr(kBoxAt, sealed.size() - kBoxAt - kEnd.size()), box) ||
        box.size() < kNonceBytes + kTagBytes) {
        return fail(Errc::internal, "it is not a sealed text");
    }
    const auto key = std::ranges::find(keys_, key_id_of(sealed), &Key::id);
    if (key == keys_.end()) {
        return fail(
            Errc::internal,
            "it is sealed with the key " + std::string(key_id_of(sealed)) +
                ", which the key file does not hold"
        );
    }
    std::string text(box.size() - kNonceBytes - kTagBytes, '\0');
    unsigned long long size = 0;
    const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
        raw(text),
        &size,
        nullptr,
        raw(box) + kNonceBytes,
        box.size() - kNonceBytes,
        raw(place),
        place.size(),
        raw(box),
        key->bytes.data()
    );
    if (opened != 0) {
        return fail(Errc::internal, "it was changed since it was sealed, or belongs elsewhere");
    }
    return text;
}

bool SecretBox::is_sealed(std::string_view text) {
    return text.size() > kBoxAt + kEnd.size() && text.starts_with(kBegin) && text.ends_with(kEnd) &&
           text.substr(kBoxAt - kMiddle.size()).starts_with(kMiddle);
}

bool SecretBox::is_current(std::string_view text) const {
    return is_sealed(text) && key_id_of(text) == key_id();
}

}  // namespace belfry
