#include "engine/embedded/batch.h"

#include "base/assert.h"
#include "base/byte_order.h"
#include "event/record.h"

#include <sodium/crypto_shorthash.h>

#include <array>

namespace belfry {

std::string type_key(std::string_view tenant, std::string_view type) {
    std::string key;
    key.reserve(tenant.size() + 1 + type.size());
    key.append(tenant).push_back('\0');
    key.append(type);
    return key;
}

namespace {

// Neither a tenant nor a type holds a NUL.
bool is_type_key(std::string_view key, const Event& event) {
    return key.size() == event.tenant.size() + 1 + event.type.size() &&
           key.starts_with(event.tenant) && key.ends_with(event.type);
}

}  // namespace

std::uint64_t event_id_hash(std::string_view tenant, std::string_view id) {
    // A fixed key: a collision costs one more record read, nothing else.
    static constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> kKey{
        'b', 'e', 'l', 'f', 'r', 'y', '.', 'i', 'd', '.', 't', 'a', 'b', 'l', 'e', '1'
    };
    static thread_local std::string text;  // keeps its memory from event to event
    text.assign(tenant).push_back('\0');
    text.append(id);
    std::array<unsigned char, crypto_shorthash_BYTES> out{};
    crypto_shorthash(
        out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), kKey.data()
    );
    auto hash = load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(out.data()));
    return hash == 0 ? 1 : hash;
}

Batch::Batch(Offset first, const Batch* before) : first_(first) {
    if (before != nullptr) {
        bytes_.reserve(before->bytes_.size());
        rows_.reserve(before->rows_.size());
    }
    bytes_.resize(kBatchHeaderBytes);
}

void Batch::add(const Event& event, WallTime recorded, std::uint64_t uuid_low) {
    std::size_t position = bytes_.size();
    bytes_.resize(position + kRecordHeaderBytes);
    encode_record(event, recorded, uuid_low, bytes_);
    std::size_t length = bytes_.size() - position - kRecordHeaderBytes;
    bytes_.resize(position + kRecordHeaderBytes + aligned(length));
    ASSERT(bytes_.size() < (1ULL << 31U));
    // The length waits in the header's place until seal().
    store_le(bytes_.data() + position + 4, static_cast<std::uint32_t>(length));
    rows_.push_back(BatchRow{
        .position = static_cast<std::uint32_t>(position),
        .type = type_number(event),
        .id_hash = event.id.empty() ? 0 : event_id_hash(event.tenant, event.id),
        .recorded = recorded,
    });
}

void Batch::cut(std::size_t count) {
    if (count < rows_.size()) {
        bytes_.resize(rows_[count].position);
        rows_.resize(count);
    }
}

void Batch::seal(SegmentSalt salt, std::uint64_t position, Offset durable) {
    // The tail keeps batches for long and counts their bytes, not the room they have.
    if (bytes_.capacity() > 2 * bytes_.size()) {
        bytes_.shrink_to_fit();
        rows_.shrink_to_fit();
    }
    for (std::size_t number = 0; number < rows_.size(); ++number) {
        std::size_t at = rows_[number].position;
        std::byte* record = bytes_.data() + at;
        seal_record(
            load_le<std::uint32_t>(record + 4), first_ + number, salt, position + at, record
        );
    }
    BatchHeader header{
        .bytes = static_cast<std::uint32_t>(bytes_.size() - kBatchHeaderBytes),
        .count = static_cast<std::uint32_t>(rows_.size()),
        .first = first_,
        .durable = durable,
    };
    encode_batch_header(header, salt, position, bytes_.data());
}

Bytes Batch::body(std::size_t number) const {
    const std::byte* record = bytes_.data() + rows_[number].position;
    return {record + kRecordHeaderBytes, load_le<std::uint32_t>(record + 4)};
}

std::size_t Batch::record_bytes(std::size_t number) const {
    std::size_t end =
        number + 1 < rows_.size() ? std::size_t{rows_[number + 1].position} : bytes_.size();
    return end - rows_[number].position;
}

std::uint32_t Batch::type_number(const Event& event) {
    // Most batches hold one type, or runs of one.
    if (!rows_.empty() && is_type_key(type_keys_[rows_.back().type], event)) {
        return rows_.back().type;
    }
    type_scratch_.assign(event.tenant).push_back('\0');
    type_scratch_.append(event.type);
    auto [found, added] =
        type_numbers_.try_emplace(type_scratch_, static_cast<std::uint32_t>(type_keys_.size()));
    if (added) {
        type_keys_.push_back(type_scratch_);
    }
    return found->second;
}

}  // namespace belfry
