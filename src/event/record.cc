#include "event/record.h"

#include "base/assert.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace belfry {

namespace {

enum class Tag : std::uint8_t {
    tenant = 1,
    id = 2,
    source = 3,
    type = 4,
    subject = 5,
    time = 6,
    datacontenttype = 7,
    dataschema = 8,
    extension = 9,
    data = 10,
    // 32 to 63 are set aside for what doors note about an event.
    elsewhere = 32,
};

constexpr std::string_view kDefaultTenant = "default";
constexpr std::size_t kHeaderBytes = 18;
// A reader may overlook the lower four flags, but refuses an upper one that it does not know.
constexpr std::uint8_t kFlagsToUnderstand = 0xF0;

std::size_t varint_size(std::size_t value) {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

std::size_t field_size(std::size_t size) {
    return 1 + varint_size(size) + size;
}

std::size_t text_size(std::string_view text) {
    return text.empty() ? 0 : field_size(text.size());
}

std::size_t extension_body_size(const Extension& extension) {
    return varint_size(extension.name.size()) + extension.name.size() + extension.value.size();
}

// Writes into room that was measured before.
class Writer {
 public:
    explicit Writer(std::byte* at) : at_(at) {}

    void byte(std::uint8_t value) { *at_++ = std::byte{value}; }
    void u64(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) {
            byte(static_cast<std::uint8_t>(value >> 8 * i));
        }
    }
    void varint(std::size_t value) {
        for (; value >= 0x80; value >>= 7) {
            byte(static_cast<std::uint8_t>(value | 0x80));
        }
        byte(static_cast<std::uint8_t>(value));
    }
    void bytes(std::string_view text) {
        if (!text.empty()) {
            std::memcpy(at_, text.data(), text.size());
            at_ += text.size();
        }
    }
    void field(Tag tag, std::string_view text) {
        byte(static_cast<std::uint8_t>(tag));
        varint(text.size());
        bytes(text);
    }
    void text(Tag tag, std::string_view text) {
        if (!text.empty()) {
            field(tag, text);
        }
    }
    [[nodiscard]] const std::byte* at() const { return at_; }

 private:
    std::byte* at_;
};

class Reader {
 public:
    explicit Reader(Bytes bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] std::uint8_t byte() { return std::to_integer<std::uint8_t>(*at_++); }
    [[nodiscard]] std::uint64_t u64() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) {
            value |= std::uint64_t{byte()} << 8 * i;
        }
        return value;
    }
    // A varint and that many bytes.
    [[nodiscard]] bool bytes(std::string_view& text) {
        std::uint64_t size = 0;
        for (int shift = 0;; shift += 7) {
            if (at_ == end_ || shift > 28) {
                return false;
            }
            const std::uint8_t next = byte();
            size |= std::uint64_t{next & 0x7FU} << shift;
            if (next < 0x80) {
                break;
            }
        }
        if (size > left()) {
            return false;
        }
        text = {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size)};
        at_ += size;
        return true;
    }
    [[nodiscard]] std::string_view rest() const {
        return {reinterpret_cast<const char*>(at_), left()};
    }

 private:
    const std::byte* at_;
    const std::byte* end_;
};

bool read_extension(std::string_view body, Event& event) {
    Reader reader(std::as_bytes(std::span(body)));
    Extension extension;
    if (!reader.bytes(extension.name) || extension.name.empty()) {
        return false;
    }
    extension.value = reader.rest();
    event.extensions.push_back(extension);
    return true;
}

// The member that a tag fills, nullptr if the tag is not one of a single text.
std::string_view* text_member(Event& event, Tag tag) {
    switch (tag) {
        case Tag::tenant:
            return &event.tenant;
        case Tag::id:
            return &event.id;
        case Tag::source:
            return &event.source;
        case Tag::type:
            return &event.type;
        case Tag::subject:
            return &event.subject;
        case Tag::time:
            return &event.time;
        case Tag::datacontenttype:
            return &event.datacontenttype;
        case Tag::dataschema:
            return &event.dataschema;
        case Tag::extension:
        case Tag::data:
        case Tag::elsewhere:
            break;
    }
    return nullptr;
}

// False if the field is malformed: an attribute that is empty or stands twice.
bool read_field(Tag tag, std::string_view value, Event& event) {
    if (std::string_view* member = text_member(event, tag)) {
        if (value.empty() || !member->empty()) {
            return false;
        }
        *member = value;
        return true;
    }
    if (tag == Tag::data) {
        if (event.data) {
            return false;
        }
        event.data = value;
        return true;
    }
    if (tag == Tag::elsewhere) {
        event.elsewhere = true;
        return true;
    }
    return tag != Tag::extension || read_extension(value, event);
}

}  // namespace

std::size_t record_size(const Event& event) {
    std::size_t size = kHeaderBytes;
    if (event.tenant != kDefaultTenant) {
        size += text_size(event.tenant);
    }
    size += text_size(event.id) + text_size(event.source) + text_size(event.type) +
            text_size(event.subject) + text_size(event.time) + text_size(event.datacontenttype) +
            text_size(event.dataschema);
    for (const Extension& extension : event.extensions) {
        size += field_size(extension_body_size(extension));
    }
    if (event.data) {
        size += field_size(event.data->size());
    }
    if (event.elsewhere) {
        size += field_size(0);
    }
    return size;
}

void encode_record(
    const Event& event, WallTime recorded, std::uint64_t uuid_low, std::vector<std::byte>& out
) {
    ASSERT(!event.tenant.empty());
    const std::size_t size = record_size(event);
    ASSERT(size <= std::numeric_limits<std::uint32_t>::max());
    const std::size_t before = out.size();
    out.resize(before + size);
    Writer writer(out.data() + before);
    writer.byte(kRecordVersion);
    writer.byte(0);
    writer.u64(static_cast<std::uint64_t>(recorded.time_since_epoch().count()));
    writer.u64(uuid_low);
    if (event.tenant != kDefaultTenant) {
        writer.field(Tag::tenant, event.tenant);
    }
    writer.text(Tag::id, event.id);
    writer.text(Tag::source, event.source);
    writer.text(Tag::type, event.type);
    writer.text(Tag::subject, event.subject);
    writer.text(Tag::time, event.time);
    writer.text(Tag::datacontenttype, event.datacontenttype);
    writer.text(Tag::dataschema, event.dataschema);
    for (const Extension& extension : event.extensions) {
        writer.byte(static_cast<std::uint8_t>(Tag::extension));
        writer.varint(extension_body_size(extension));
        writer.varint(extension.name.size());
        writer.bytes(extension.name);
        writer.bytes(extension.value);
    }
    if (event.data) {
        writer.field(Tag::data, *event.data);
    }
    if (event.elsewhere) {
        writer.field(Tag::elsewhere, {});
    }
    ASSERT(writer.at() == out.data() + out.size());
}

Result<StoredEvent> decode_record(Bytes body, Offset offset, std::shared_ptr<const void> owner) {
    const auto malformed = [offset](std::string_view what) {
        return fail(
            Errc::internal,
            "the record at offset " + std::to_string(offset.value) + " " + std::string(what)
        );
    };
    if (body.size() < kHeaderBytes) {
        return malformed("is shorter than its header");
    }
    Reader reader(body);
    if (reader.byte() != kRecordVersion) {
        return malformed("has a version that this program does not know");
    }
    if ((reader.byte() & kFlagsToUnderstand) != 0) {
        return malformed("has a flag that this program does not know");
    }
    StoredEvent stored;
    stored.offset = offset;
    stored.recorded = WallTime{std::chrono::microseconds{static_cast<std::int64_t>(reader.u64())}};
    stored.uuid_low = reader.u64();
    Event& event = stored.event;
    event.tenant = {};
    while (reader.left() > 0) {
        const auto tag = static_cast<Tag>(reader.byte());
        std::string_view value;
        if (!reader.bytes(value) || !read_field(tag, value, event)) {
            return malformed("has a malformed field");
        }
    }
    if (event.source.empty() || event.type.empty()) {
        return malformed("has no source or type");
    }
    if (event.tenant.empty()) {
        event.tenant = kDefaultTenant;
    }
    stored.owner = std::move(owner);
    return stored;
}

}  // namespace belfry
