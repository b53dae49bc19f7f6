#include "engine/embedded/dedup_key_file.h"

#include "base/byte_order.h"
#include "base/crc32c.h"
#include "base/in_order.h"
#include "base/logging.h"
#include "engine/embedded/crash_point.h"

#include <algorithm>
#include <cstring>

namespace belfry {

namespace {

constexpr std::array<char, 8> kKeyMagic{'B', 'E', 'L', 'F', 'R', 'Y', 'D', 'K'};
constexpr std::size_t kKeyAt = kKeyMagic.size();
constexpr std::size_t kCrcAt = kKeyAt + std::tuple_size_v<DedupKey>;
constexpr std::size_t kFileBytes = kCrcAt + 4;
using KeyBlock = std::array<std::byte, kFileBytes>;

std::optional<DedupKey> decode(const KeyBlock& block) {
    if (std::memcmp(block.data(), kKeyMagic.data(), kKeyMagic.size()) != 0 ||
        load_le<std::uint32_t>(block.data() + kCrcAt) != crc32c(0, Bytes(block).first(kCrcAt))) {
        return std::nullopt;
    }
    DedupKey key{};
    std::memcpy(key.data(), block.data() + kKeyAt, key.size());
    return key;
}

KeyBlock encode(const DedupKey& key) {
    KeyBlock block{};
    std::memcpy(block.data(), kKeyMagic.data(), kKeyMagic.size());
    std::memcpy(block.data() + kKeyAt, key.data(), key.size());
    store_le(block.data() + kCrcAt, crc32c(0, Bytes(block).first(kCrcAt)));
    return block;
}

Result<void> save(FileSystem& files, const std::string& directory, const DedupKey& key) {
    std::string path = directory + "/dedup.key";
    auto file = files.open(path + ".new", OpenMode::create);
    if (!file) {
        return std::unexpected(file.error());
    }
    BELFRY_CRASH_POINT("dedup_key.created");
    KeyBlock block = encode(key);
    auto renamed = in_order(
        [&] { return (*file)->write_durable(0, block); },
        [&] {
            BELFRY_CRASH_POINT("dedup_key.written");
            return files.rename(path + ".new", path);
        }
    );
    if (!renamed) {
        return renamed;
    }
    BELFRY_CRASH_POINT("dedup_key.renamed");
    return files.sync_directory(directory);
}

// nullopt if the file is damaged.
Result<std::optional<DedupKey>> read_key(FileSystem& files, const std::string& path) {
    auto file = files.open(path, OpenMode::read);
    if (!file) {
        return std::unexpected(file.error());
    }
    KeyBlock block{};
    auto got = (*file)->read_at(0, block);
    return got && *got == block.size() ? decode(block) : std::nullopt;
}

}  // namespace

Result<bool> dedup_key_intact(FileSystem& files, const std::string& directory) {
    auto key = read_key(files, directory + "/dedup.key");
    if (!key) {
        return std::unexpected(key.error());
    }
    return key->has_value();
}

Result<DedupKey> load_dedup_key(FileSystem& files, Rng& rng, const std::string& directory) {
    std::string path = directory + "/dedup.key";
    auto stored = read_key(files, path);
    if (stored && *stored) {
        return **stored;
    }
    if (stored) {
        log_warn("the dedup key is damaged, a new one is made", {{"path", path}});
    } else if (stored.error().code != Errc::not_found) {
        return std::unexpected(stored.error());
    }
    DedupKey key{};
    rng.fill(std::as_writable_bytes(std::span(key)));
    auto saved = save(files, directory, key);
    if (!saved && saved.error().code != Errc::disk_full) {
        return std::unexpected(saved.error());
    }
    if (!saved) {
        log_warn(
            "no room to keep the dedup key", {{"path", path}, {"error", saved.error().detail}}
        );
    }
    return key;
}

}  // namespace belfry
