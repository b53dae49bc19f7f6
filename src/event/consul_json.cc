#include "event/consul_json.h"

#include "base/base64.h"
#include "base/json_text.h"

#include <cstdint>

namespace belfry {

namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

// The length of the UTF-8 character that begins at `i`; 0 if none does. By the table of well-formed
// sequences (Unicode, 3.9): nothing overlong, no surrogate, nothing past U+10FFFF.
std::size_t character_length(std::string_view text, std::size_t i) {
    const unsigned first = byte_at(text, i);
    if (first < 0x80) {
        return 1;
    }
    std::size_t length = 0;
    unsigned low = 0x80;
    unsigned high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    }
    if (length == 0 || text.size() - i < length || byte_at(text, i + 1) < low ||
        byte_at(text, i + 1) > high) {
        return 0;
    }
    for (std::size_t next = i + 2; next < i + length; ++next) {
        if ((byte_at(text, next) & 0xc0U) != 0x80U) {
            return 0;
        }
    }
    return length;
}

void append_character(std::string_view character, std::string& out) {
    if (character == "\u2028") {
        out += "\\u2028";
    } else if (character == "\u2029") {
        out += "\\u2029";
    } else {
        out += character;
    }
}

void append_ascii(char c, std::string& out) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '<' && c != '>' && c != '&') {
        out += c;
        return;
    }
    static constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\u00";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xfU];
}

void append_member(std::string_view name, std::string_view text, std::string& out) {
    append_json_name(out, name);
    append_go_string(text, out);
    out += ',';
}

}  // namespace

void append_go_string(std::string_view text, std::string& out) {
    out += '"';
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t length = character_length(text, i);
        if (length == 0) {
            out += "\\ufffd";
            ++i;
        } else if (length == 1) {
            append_ascii(text[i], out);
            ++i;
        } else {
            append_character(text.substr(i, length), out);
            i += length;
        }
    }
    out += '"';
}

void append_consul_event(const StoredEvent& stored, std::string& out) {
    const Event& event = stored.event;
    const UuidText id = uuid_text(stored.uuid());
    out += '{';
    append_member("ID", {id.data(), id.size()}, out);
    append_member("Name", event.type, out);
    // To Consul no data and empty data are the same.
    if (event.data.value_or("").empty()) {
        out += "\"Payload\":null,";
    } else {
        out += "\"Payload\":\"";
        append_base64(out, *event.data);
        out += "\",";
    }
    append_member("NodeFilter", event.attribute("nodefilter").value_or(""), out);
    append_member("ServiceFilter", event.attribute("servicefilter").value_or(""), out);
    append_member("TagFilter", event.attribute("tagfilter").value_or(""), out);
    out += "\"Version\":1,\"LTime\":";
    append_json_number(out, stored.offset.value + 1);
    out += '}';
}

}  // namespace belfry
