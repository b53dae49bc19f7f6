#include "event/cloudevents_http.h"

#include "base/ascii.h"
#include "base/hex.h"
#include "base/json_scan.h"
#include "event/check_event.h"
#include "event/media_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace belfry {

namespace {

constexpr std::string_view kPrefix = "ce-";

bool has_prefix(std::string_view name) {
    return name.size() >= kPrefix.size() &&
           equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

// Takes one level of double quotes off (RFC 9110, 5.6.4). False if they do not close.
bool unquote(std::string_view value, std::string& out) {
    for (std::size_t i = 1; i < value.size(); ++i) {
        if (value[i] == '"') {
            return i + 1 == value.size();
        }
        if (value[i] == '\\') {
            ++i;
            if (i == value.size()) {
                return false;
            }
        }
        out += value[i];
    }
    return false;
}

// One round of %XX, in place. False if a % is not followed by two hex digits.
bool percent_decode(std::string& text) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char byte = text[i];
        if (byte == '%') {
            const bool digits = text.size() - i > 2 && hex_digit_value(text[i + 1]) >= 0 &&
                                hex_digit_value(text[i + 2]) >= 0;
            if (!digits) {
                return false;
            }
            byte =
                static_cast<char>(hex_digit_value(text[i + 1]) << 4 | hex_digit_value(text[i + 2]));
            i += 2;
        }
        text[to++] = byte;
    }
    text.resize(to);
    return true;
}

// The attribute that a header's value means. Most need no decoding and stay where they are.
std::optional<std::string_view> decode_value(
    std::string_view value, std::vector<std::string>& memory
) {
    const bool quoted = value.starts_with('"');
    if (!quoted && !value.contains('%')) {
        return value;
    }
    std::string& decoded = memory.emplace_back();
    if (!quoted) {
        decoded = value;
    } else if (!unquote(value, decoded)) {
        return std::nullopt;
    }
    if (!percent_decode(decoded)) {
        return std::nullopt;
    }
    return decoded;
}

// The name behind `ce-` in lower case.
std::string_view attribute_name(std::string_view header, std::vector<std::string>& memory) {
    const std::string_view name = header.substr(kPrefix.size());
    if (std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return name;
    }
    std::string& lowered = memory.emplace_back(name);
    std::ranges::transform(lowered, lowered.begin(), ascii_lower);
    return lowered;
}

// nullptr: an extension.
std::string_view* core_member(Event& event, std::string_view name) {
    if (name == "id") {
        return &event.id;
    }
    if (name == "source") {
        return &event.source;
    }
    if (name == "type") {
        return &event.type;
    }
    if (name == "subject") {
        return &event.subject;
    }
    if (name == "time") {
        return &event.time;
    }
    if (name == "dataschema") {
        return &event.dataschema;
    }
    return nullptr;
}

Result<void> read_attribute(
    const HeaderField& header,
    Event& event,
    std::string_view& specversion,
    std::vector<std::string>& memory
) {
    const std::string_view name = attribute_name(header.name, memory);
    const auto value = decode_value(header.value, memory);
    if (!value) {
        return fail(
            Errc::invalid_event,
            name,
            fmt::format("\"{}\": the header's quotes or percent escapes are malformed", name)
        );
    }
    std::string_view* member = name == "specversion" ? &specversion : core_member(event, name);
    if (member == nullptr) {
        // check_event() refuses what is no name of an extension: datacontenttype and data, too,
        // which travel as Content-Type and as the body.
        event.extensions.push_back(Extension{.name = name, .value = *value});
        return {};
    }
    if (value->empty()) {
        return fail(Errc::invalid_event, name, fmt::format("\"{}\" must not be empty", name));
    }
    if (!member->empty()) {
        return fail(Errc::invalid_event, name, fmt::format("\"{}\" stands twice", name));
    }
    *member = *value;
    return {};
}

bool must_encode(char c) {
    return c <= 0x20 || c >= 0x7F || c == '"' || c == '%';
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    out += kPrefix;
    out += name;
    out += ": ";
    std::size_t i = 0;
    while (true) {
        const auto* const stop =
            std::find_if(value.begin() + i, value.end(), [](char c) { return must_encode(c); });
        const auto end = static_cast<std::size_t>(stop - value.begin());
        out.append(value, i, end - i);
        if (end == value.size()) {
            break;
        }
        const auto byte = static_cast<std::uint8_t>(value[end]);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 0xF];
        i = end + 1;
    }
    out += "\r\n";
}

void append_optional_header(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        append_header(out, name, value);
    }
}

// CloudEvents JSON format 1.0, 3.1.2: data without a type that is JSON is named so in other
// formats.
std::string_view content_type(const Event& event) {
    if (!event.datacontenttype.empty() || !event.data || !is_json(*event.data)) {
        return event.datacontenttype;
    }
    return "application/json";
}

}  // namespace

CloudEventsMode cloudevents_mode(std::span<const HeaderField> headers) {
    static constexpr std::string_view kBatch = "application/cloudevents-batch";
    static constexpr std::string_view kOne = "application/cloudevents";
    CloudEventsMode mode = CloudEventsMode::none;
    for (const HeaderField& header : headers) {
        if (equals_ignoring_case(header.name, "content-type")) {
            const std::string_view type = header.value.substr(0, header.value.find_first_of(";+ "));
            if (equals_ignoring_case(type, kBatch)) {
                return CloudEventsMode::batch;
            }
            if (equals_ignoring_case(type, kOne)) {
                return CloudEventsMode::structured;
            }
        } else if (equals_ignoring_case(header.name, "ce-specversion")) {
            mode = CloudEventsMode::binary;
        }
    }
    return mode;
}

Result<Event> parse_binary_event(
    std::span<const HeaderField> headers,
    std::string_view body,
    const Limits& limits,
    std::vector<std::string>& memory
) {
    // Room for all that may come, so that what the views point to does not move.
    memory.clear();
    memory.reserve(2 * headers.size());
    Event event;
    std::string_view specversion;
    for (const HeaderField& header : headers) {
        if (has_prefix(header.name)) {
            if (auto read = read_attribute(header, event, specversion, memory); !read) {
                return std::unexpected(std::move(read.error()));
            }
        } else if (equals_ignoring_case(header.name, "content-type") && !header.value.empty()) {
            if (!event.datacontenttype.empty()) {
                return fail(Errc::invalid_event, "datacontenttype", "Content-Type stands twice");
            }
            event.datacontenttype = header.value;
        }
    }
    if (specversion != "1.0") {
        return fail(Errc::invalid_event, "specversion", "\"ce-specversion\" must be 1.0");
    }
    // HTTP cannot tell a body of no bytes from none.
    if (!body.empty()) {
        event.data = body;
    }
    if (auto checked = check_event(event, limits); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    return event;
}

void append_binary_headers(const StoredEvent& stored, std::string& out) {
    const Event& event = stored.event;
    out += "ce-specversion: 1.0\r\n";
    if (event.id.empty()) {
        const UuidText text = uuid_text(stored.uuid());
        append_header(out, "id", {text.data(), text.size()});
    } else {
        append_header(out, "id", event.id);
    }
    append_header(out, "source", event.source);
    append_header(out, "type", event.type);
    append_optional_header(out, "subject", event.subject);
    append_optional_header(out, "time", event.time);
    append_optional_header(out, "dataschema", event.dataschema);
    for (const Extension& extension : event.extensions) {
        append_header(out, extension.name, extension.value);
    }
    append_content_type(event, out);
}

void append_content_type(const Event& event, std::string& out) {
    const std::string_view type = content_type(event);
    // A checked event has a media type here; nothing else may reach the wire, least of all a line
    // end.
    if (is_media_type(type)) {
        out += "Content-Type: ";
        out += type;
        out += "\r\n";
    }
}

}  // namespace belfry
