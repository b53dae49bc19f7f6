#include "event/check_event.h"

#include "base/ascii.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "event/media_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace belfry {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// Nothing but bytes from 0x20 to 0x7E, eight at a time.
bool is_printable_ascii(std::string_view text) {
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + i, sizeof eight);
        const std::uint64_t delete_byte = eight ^ (kOnes * 0x7F);
        const std::uint64_t bad = (eight - kOnes * 0x20) | (delete_byte - kOnes) | eight;
        if ((bad & kHighs) != 0) {
            return false;
        }
    }
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), [](char c) {
        return c >= 0x20 && c < 0x7F;
    });
}

// CloudEvents 1.0, 3.1 "String": no control characters, no noncharacters. `text` is valid UTF-8.
bool has_forbidden_character(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto at = [text, i](std::size_t n) {
            return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0U;
        };
        const unsigned first = at(0);
        const bool c0_or_delete = first < 0x20 || first == 0x7F;
        const bool c1 = first == 0xC2 && at(1) < 0xA0;
        const bool fdd0_to_fdef = first == 0xEF && at(1) == 0xB7 && at(2) >= 0x90 && at(2) <= 0xAF;
        const bool fffe = first == 0xEF && at(1) == 0xBF && at(2) >= 0xBE;
        const bool plane_end =
            first >= 0xF0 && (at(1) & 0x0F) == 0x0F && at(2) == 0xBF && at(3) >= 0xBE;
        if (c0_or_delete || c1 || fdd0_to_fdef || fffe || plane_end) {
            return true;
        }
    }
    return false;
}

// Most texts: short and plain.
bool is_plain(std::string_view text, std::uint64_t bytes_max) {
    return text.size() <= bytes_max && is_printable_ascii(text);
}

// What is wrong with a text that is not plain, if anything is.
Result<void> check_text(std::string_view name, std::string_view text, std::uint64_t bytes_max) {
    if (text.size() > bytes_max) {
        return std::unexpected(Error{
            .code = Errc::invalid_event,
            .detail = fmt::format("\"{}\" is longer than {} bytes", name, bytes_max),
            .field = std::string(name),
            .limit = bytes_max
        });
    }
    if (!is_utf8(text)) {
        return fail(Errc::invalid_event, name, fmt::format("\"{}\" is not valid UTF-8", name));
    }
    if (has_forbidden_character(text)) {
        return fail(
            Errc::invalid_event,
            name,
            fmt::format("\"{}\" has a control character or a noncharacter in it", name)
        );
    }
    return {};
}

enum class UriClass : std::uint8_t {
    bad,
    plain,
    hex,
    percent,
    colon,
    delimiter,
    hash,
    bracket,
};

constexpr std::array<UriClass, 256> kUriClasses = [] {
    std::array<UriClass, 256> classes{};
    const auto set = [&classes](std::string_view bytes, UriClass value) {
        for (const char c : bytes) {
            classes[static_cast<unsigned char>(c)] = value;
        }
    };
    set("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-._~!$&'()*+,;=@", UriClass::plain);
    set("0123456789abcdefABCDEF", UriClass::hex);
    set("%", UriClass::percent);
    set(":", UriClass::colon);
    set("/?", UriClass::delimiter);
    set("#", UriClass::hash);
    set("[]", UriClass::bracket);
    return classes;
}();

UriClass uri_class(char c) {
    return kUriClasses[static_cast<unsigned char>(c)];
}

bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

// RFC 3986, URI-reference: the characters, percent escapes, the scheme, one fragment.
bool is_uri_reference(std::string_view text) {
    bool fragment = false;
    bool bracket = false;
    std::size_t first_delimiter = text.size();
    std::size_t first_colon = text.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
        switch (uri_class(text[i])) {
            case UriClass::plain:
            case UriClass::hex:
                break;
            case UriClass::percent:
                if (text.size() - i < 3 || uri_class(text[i + 1]) != UriClass::hex ||
                    uri_class(text[i + 2]) != UriClass::hex) {
                    return false;
                }
                i += 2;
                break;
            case UriClass::colon:
                first_colon = std::min(first_colon, i);
                break;
            case UriClass::hash:
                if (fragment) {
                    return false;
                }
                fragment = true;
                first_delimiter = std::min(first_delimiter, i);
                break;
            case UriClass::delimiter:
                first_delimiter = std::min(first_delimiter, i);
                break;
            case UriClass::bracket:
                bracket = true;
                break;
            case UriClass::bad:
                return false;
        }
    }
    // A colon in the first segment ends a scheme, or it is not allowed there.
    const bool scheme = first_colon < first_delimiter;
    if (scheme && !is_scheme(text.substr(0, first_colon))) {
        return false;
    }
    if (!bracket) {
        return true;
    }
    // Brackets only hold an IPv6 address, as the host.
    const std::string_view rest = text.substr(scheme ? first_colon + 1 : 0);
    if (!rest.starts_with("//")) {
        return false;
    }
    const std::size_t authority_end = std::min(rest.find_first_of("/?#", 2), rest.size());
    const std::string_view authority = rest.substr(2, authority_end - 2);
    const std::string_view host = authority.substr(authority.rfind('@') + 1);
    return !rest.substr(authority_end).contains('[') && !rest.substr(authority_end).contains(']') &&
           host.starts_with('[') && std::ranges::count(authority, '[') == 1 &&
           std::ranges::count(authority, ']') == 1;
}

Result<void> check_uri(std::string_view name, std::string_view text, std::uint64_t bytes_max) {
    // Its characters are a subset of the printable ones, so text is not looked at twice.
    if (text.size() <= bytes_max && is_uri_reference(text)) {
        return {};
    }
    if (auto checked = check_text(name, text, bytes_max); !checked) {
        return checked;
    }
    return fail(
        Errc::invalid_event,
        name,
        fmt::format("\"{}\" is not a URI reference (RFC 3986); encode odd characters as %XX", name)
    );
}

bool is_extension_name(std::string_view name) {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); });
}

bool is_core_name(std::string_view name) {
    static constexpr std::array<std::string_view, 9> kNames{
        "id",
        "source",
        "specversion",
        "type",
        "datacontenttype",
        "dataschema",
        "subject",
        "time",
        "data"
    };
    return std::ranges::find(kNames, name) != kNames.end();
}

Result<void> check_extensions(const Event& event, const Limits& limits) {
    if (event.extensions.size() > limits.event_extensions) {
        return std::unexpected(Error{
            .code = Errc::invalid_event,
            .detail = fmt::format(
                "the event has more than {} extension attributes", limits.event_extensions
            ),
            .field = std::string(event.extensions[limits.event_extensions].name),
            .limit = limits.event_extensions
        });
    }
    for (std::size_t i = 0; i < event.extensions.size(); ++i) {
        const auto& [name, value] = event.extensions[i];
        if (!is_extension_name(name) || is_core_name(name)) {
            // The name may be anything, even not UTF-8; it is only told if it can be.
            const bool tellable = is_printable_ascii(name) && name.size() <= 255;
            return fail(
                Errc::invalid_event,
                tellable ? name : "extensions",
                "an extension attribute's name has lower-case letters and digits only and is not "
                "one of the core attributes'"
            );
        }
        if (name.size() > limits.event_attribute_bytes) {
            return std::unexpected(Error{
                .code = Errc::invalid_event,
                .detail = "an extension attribute's name is too long",
                .field = std::string(name.substr(0, 64)),
                .limit = limits.event_attribute_bytes
            });
        }
        for (std::size_t before = 0; before < i; ++before) {
            if (event.extensions[before].name == name) {
                return fail(Errc::invalid_event, name, fmt::format("\"{}\" stands twice", name));
            }
        }
        if (!is_plain(value, limits.event_attribute_bytes)) {
            if (auto checked = check_text(name, value, limits.event_attribute_bytes); !checked) {
                return checked;
            }
        }
    }
    return {};
}

Result<void> check_optional(const Event& event, const Limits& limits) {
    if (!is_plain(event.subject, limits.event_subject_bytes)) {
        if (auto checked = check_text("subject", event.subject, limits.event_subject_bytes);
            !checked) {
            return checked;
        }
    }
    if (!event.time.empty()) {
        if (!parse_rfc3339(event.time)) {
            return fail(
                Errc::invalid_event,
                "time",
                "\"time\" is not an RFC 3339 date and time with an offset"
            );
        }
        if (event.time.size() > limits.event_attribute_bytes) {
            return check_text("time", event.time, limits.event_attribute_bytes);
        }
    }
    const std::string_view type = event.datacontenttype;
    if (!type.empty() && (type.size() > limits.event_attribute_bytes || !is_media_type(type))) {
        if (auto checked = check_text("datacontenttype", type, limits.event_attribute_bytes);
            !checked) {
            return checked;
        }
        return fail(
            Errc::invalid_event,
            "datacontenttype",
            "\"datacontenttype\" is not a media type (RFC 2046)"
        );
    }
    if (!event.dataschema.empty()) {
        return check_uri("dataschema", event.dataschema, limits.event_attribute_bytes);
    }
    return {};
}

}  // namespace

Result<void> check_event(const Event& event, const Limits& limits) {
    if (event.type.empty()) {
        return fail(Errc::invalid_event, "type", "\"type\" is missing or empty");
    }
    if (event.source.empty()) {
        return fail(Errc::invalid_event, "source", "\"source\" is missing or empty");
    }
    if (!is_plain(event.type, limits.event_type_bytes)) {
        if (auto checked = check_text("type", event.type, limits.event_type_bytes); !checked) {
            return checked;
        }
    }
    if (auto checked = check_uri("source", event.source, limits.event_source_bytes); !checked) {
        return checked;
    }
    if (!is_plain(event.id, limits.event_id_bytes)) {
        if (auto checked = check_text("id", event.id, limits.event_id_bytes); !checked) {
            return checked;
        }
    }
    if (auto checked = check_optional(event, limits); !checked) {
        return checked;
    }
    if (auto checked = check_extensions(event, limits); !checked) {
        return checked;
    }
    if (event.data && event.data->size() > limits.body_bytes) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = fmt::format("the event's data is over {} bytes", limits.body_bytes),
            .field = "data",
            .limit = limits.body_bytes
        });
    }
    return {};
}

}  // namespace belfry
