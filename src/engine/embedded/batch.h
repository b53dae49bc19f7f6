// The batch that gathers events until the next commit, and what becomes of it once it is durable.
// Owned by the log; I/O thread only until sealed. Afterwards the bytes never change, so they are
// written by the log thread and read as the log's tail by anybody who holds a reference.
#pragma once

#include "engine/embedded/segment_format.h"
#include "event/event.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace belfry {

// What the index needs to know of a record without decoding it.
struct BatchRow {
    std::uint32_t position = 0;  // of the record header in the batch's bytes
    std::uint32_t type = 0;      // in type_keys
    std::uint64_t id_hash = 0;   // event_id_hash(), 0 if the publisher gave no id
    WallTime recorded;
};

// Tenant and type as one key of the indexes.
[[nodiscard]] std::string type_key(std::string_view tenant, std::string_view type);
// What find() looks an id up by; never 0.
[[nodiscard]] std::uint64_t event_id_hash(std::string_view tenant, std::string_view id);

class Batch {
 public:
    // With room for as much as the batch before it had, if there was one.
    explicit Batch(Offset first, const Batch* before = nullptr);

    // Encodes the event at the end. Its offset is first() + count().
    void add(const Event& event, WallTime recorded, std::uint64_t uuid_low);
    // Takes back the records from number `count` on.
    void cut(std::size_t count);
    // Writes headers and checksums for the place where the batch will stand. Nothing is added
    // afterwards.
    void seal(SegmentSalt salt, std::uint64_t position, Offset durable);

    [[nodiscard]] Offset first() const { return first_; }
    [[nodiscard]] Offset next() const { return first_ + rows_.size(); }
    [[nodiscard]] std::size_t count() const { return rows_.size(); }
    [[nodiscard]] Bytes bytes() const { return bytes_; }  // batch header included
    [[nodiscard]] const std::vector<BatchRow>& rows() const { return rows_; }
    [[nodiscard]] const std::vector<std::string>& type_keys() const { return type_keys_; }
    // Body of record `number`, and all of it with header.
    [[nodiscard]] Bytes body(std::size_t number) const;
    [[nodiscard]] std::size_t record_bytes(std::size_t number) const;

 private:
    [[nodiscard]] std::uint32_t type_number(const Event& event);

    Offset first_;
    std::vector<std::byte> bytes_;
    std::vector<BatchRow> rows_;
    std::vector<std::string> type_keys_;
    std::unordered_map<std::string, std::uint32_t> type_numbers_;
    std::string type_scratch_;
};

}  // namespace belfry
