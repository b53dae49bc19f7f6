#include "event/cloudevents_json.h"

#include "base/base64.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "event/check_event.h"
#include "event/media_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace belfry {

namespace {

using Texts = std::forward_list<std::string>;

enum class Member : std::uint8_t {
    specversion,
    id,
    source,
    type,
    subject,
    time,
    datacontenttype,
    dataschema,
    data,
    data_base64,
    extension,
};
constexpr std::array<std::string_view, 10> kMemberNames{
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
    "data_base64"
};

Member member_of(std::string_view name) {
    return static_cast<Member>(std::ranges::find(kMemberNames, name) - kMemberNames.begin());
}

std::unexpected<Error> not_json(const JsonScan& scan) {
    return fail(Errc::bad_request, fmt::format("malformed JSON at byte {}", scan.position()));
}

Result<void> check_utf8(std::string_view text) {
    if (!is_utf8(text)) {
        return fail(Errc::bad_request, "malformed JSON: the text is not UTF-8");
    }
    return {};
}

// The text of a CloudEvents Integer (1.0, 3.1: 32 bits with a sign) in its canonical form.
std::optional<std::string_view> canonical_integer(std::string_view number) {
    const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
    const bool whole = !digits.empty() && digits.size() <= 10 &&
                       digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!whole) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (const char c : digits) {
        value = value * 10 + (c - '0');
    }
    value = digits.size() == number.size() ? value : -value;
    if (value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
        return std::nullopt;
    }
    return value == 0 ? digits : number;
}

// Reads one event's object. The views it gives point into the scanned text or into `texts`.
class EnvelopeReader {
 public:
    EnvelopeReader(JsonScan& scan, const Limits& limits, Texts& texts, Event& event)
        : scan_(scan), limits_(limits), texts_(texts), event_(event) {}

    Result<void> read() {
        if (!scan_.take('{')) {
            std::string_view value;
            return scan_.value(value)
                       ? fail(Errc::invalid_event, "", "an event must be a JSON object")
                       : not_json(scan_);
        }
        if (!scan_.take('}')) {
            do {
                if (auto member = read_member(); !member) {
                    return member;
                }
            } while (scan_.take(','));
            if (!scan_.take('}')) {
                return not_json(scan_);
            }
        }
        return settle_data();
    }

 private:
    Result<void> read_member() {
        JsonScan::String scanned;
        std::string_view name;
        if (!scan_.string(scanned) || !scan_.take(':')) {
            return not_json(scan_);
        }
        if (!resolve(scanned, name)) {
            return fail(Errc::invalid_event, "", "a member's name has half a surrogate pair in it");
        }
        const Member member = member_of(name);
        if (member == Member::extension) {
            return read_extension(name);
        }
        const unsigned bit = 1U << static_cast<unsigned>(member);
        if ((seen_ & bit) != 0) {
            return fail(Errc::invalid_event, name, fmt::format("\"{}\" stands twice", name));
        }
        seen_ |= bit;
        if (member == Member::data) {
            return scan_.value(data_) ? Result<void>{} : not_json(scan_);
        }
        return read_text(name, text_member(member));
    }

    std::string_view& text_member(Member member) {
        switch (member) {
            case Member::id:
                return event_.id;
            case Member::source:
                return event_.source;
            case Member::type:
                return event_.type;
            case Member::subject:
                return event_.subject;
            case Member::time:
                return event_.time;
            case Member::datacontenttype:
                return event_.datacontenttype;
            case Member::dataschema:
                return event_.dataschema;
            case Member::data_base64:
                return data_base64_;
            case Member::specversion:
            case Member::data:
            case Member::extension:
                break;
        }
        return specversion_;
    }

    // The text that a scanned string means; false on half a surrogate pair.
    bool resolve(const JsonScan::String& scanned, std::string_view& text) {
        text = scanned.inner;
        if (!scanned.escaped) {
            return true;
        }
        std::string& unescaped = texts_.emplace_front();
        const bool good = append_unescaped(scanned.inner, unescaped);
        text = unescaped;
        return good;
    }

    Result<void> read_string(std::string_view name, std::string_view& text) {
        JsonScan::String scanned;
        if (!scan_.string(scanned)) {
            return not_json(scan_);
        }
        if (!resolve(scanned, text)) {
            return fail(
                Errc::invalid_event,
                name,
                fmt::format("\"{}\" has half a surrogate pair in it", name)
            );
        }
        return {};
    }

    // A core attribute: a string that is not empty, or null, which is absence.
    Result<void> read_text(std::string_view name, std::string_view& text) {
        if (scan_.peek() == '"') {
            if (auto read = read_string(name, text); !read) {
                return read;
            }
            // Base64 of nothing is data of no bytes; an attribute may be absent, but not empty.
            if (text.empty() && name != "data_base64") {
                return fail(
                    Errc::invalid_event, name, fmt::format("\"{}\" must not be empty", name)
                );
            }
            has_base64_ = has_base64_ || name == "data_base64";
            return {};
        }
        std::string_view value;
        if (!scan_.value(value)) {
            return not_json(scan_);
        }
        if (value != "null") {
            return fail(Errc::invalid_event, name, fmt::format("\"{}\" must be a string", name));
        }
        return {};
    }

    Result<void> read_extension(std::string_view name) {
        std::string_view value;
        if (event_.extensions.size() + null_names_.size() == limits_.event_extensions) {
            return std::unexpected(Error{
                .code = Errc::invalid_event,
                .detail = fmt::format(
                    "the event has more than {} extension attributes", limits_.event_extensions
                ),
                .field = std::string(name.substr(0, 64)),
                .limit = limits_.event_extensions
            });
        }
        if (scan_.peek() == '"') {
            if (auto read = read_string(name, value); !read) {
                return read;
            }
        } else if (!scan_.value(value)) {
            return not_json(scan_);
        } else if (value == "null") {
            null_names_.push_back(name);
            return {};
        } else if (value != "true" && value != "false") {
            const auto integer = canonical_integer(value);
            if (!integer) {
                return fail(
                    Errc::invalid_event,
                    name.substr(0, 64),
                    "an extension attribute must be a string, a boolean or a whole number of 32 "
                    "bits"
                );
            }
            value = *integer;
        }
        event_.extensions.push_back(Extension{.name = name, .value = value});
        return {};
    }

    // What must wait for the last member: which form data has, and names that stood as null.
    Result<void> settle_data() {
        if (specversion_ != "1.0") {
            return fail(Errc::invalid_event, "specversion", "\"specversion\" must be \"1.0\"");
        }
        for (std::size_t i = 0; i < null_names_.size(); ++i) {
            const auto later = null_names_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
            const auto named =
                std::ranges::find(event_.extensions, null_names_[i], &Extension::name);
            if (named != event_.extensions.end() ||
                std::find(later, null_names_.end(), null_names_[i]) != null_names_.end()) {
                return fail(
                    Errc::invalid_event, null_names_[i], "an extension attribute stands twice"
                );
            }
        }
        if (has_base64_) {
            if (!data_.empty()) {
                return fail(
                    Errc::invalid_event,
                    "data_base64",
                    "an event has \"data\" or \"data_base64\", not both"
                );
            }
            std::string& decoded = texts_.emplace_front();
            if (!decode_base64(data_base64_, decoded)) {
                return fail(
                    Errc::invalid_event, "data_base64", "\"data_base64\" is not Base64 (RFC 4648)"
                );
            }
            event_.data = decoded;
            return {};
        }
        if (data_.empty()) {
            return {};
        }
        if (event_.datacontenttype.empty() || is_json_media_type(event_.datacontenttype)) {
            event_.data = data_;
            return {};
        }
        return settle_text_data();
    }

    // Under a media type that is not JSON the value is a string that holds the content.
    Result<void> settle_text_data() {
        if (data_ == "null") {
            return {};
        }
        JsonScan again(data_);
        JsonScan::String scanned;
        std::string_view text;
        if (!again.string(scanned)) {
            return fail(
                Errc::invalid_event,
                "data",
                "\"data\" must be a string when \"datacontenttype\" is not JSON"
            );
        }
        if (!resolve(scanned, text)) {
            return fail(Errc::invalid_event, "data", "\"data\" has half a surrogate pair in it");
        }
        event_.data = text;
        return {};
    }

    JsonScan& scan_;
    const Limits& limits_;
    Texts& texts_;
    Event& event_;
    unsigned seen_ = 0;  // a bit per Member
    std::string_view specversion_;
    std::string_view data_;  // as it stands in the text; empty: absent
    std::string_view data_base64_;
    bool has_base64_ = false;
    std::vector<std::string_view> null_names_;
};

Error at_index(Error error, std::size_t index) {
    error.index = index;
    return error;
}

}  // namespace

CloudEventsJsonParser::CloudEventsJsonParser(const Limits& limits, std::string default_source)
    : limits_(limits), default_source_(std::move(default_source)) {}

Result<void> CloudEventsJsonParser::parse_next(JsonScan& scan, ParsedEvents& parsed) const {
    if (parsed.events.size() == limits_.batch_events) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = fmt::format("a batch has more than {} events", limits_.batch_events),
            .limit = limits_.batch_events
        });
    }
    const std::size_t index = parsed.events.size();
    Event& event = parsed.events.emplace_back();
    auto read = EnvelopeReader(scan, limits_, parsed.texts_, event).read();
    if (read) {
        if (event.source.empty()) {
            event.source = default_source_;
        }
        read = check_event(event, limits_);
    }
    if (!read) {
        return std::unexpected(at_index(std::move(read.error()), index));
    }
    return {};
}

Result<ParsedEvents> CloudEventsJsonParser::parse_one(std::string_view json) const {
    ParsedEvents parsed;
    JsonScan scan(json);
    auto read = check_utf8(json);
    if (read) {
        read = parse_next(scan, parsed);
    }
    if (read && !scan.at_end()) {
        read = not_json(scan);
    }
    if (!read) {
        read.error().index.reset();
        return std::unexpected(std::move(read.error()));
    }
    return parsed;
}

Result<ParsedEvents> CloudEventsJsonParser::parse_batch(std::string_view json) const {
    ParsedEvents parsed;
    JsonScan scan(json);
    if (auto utf8 = check_utf8(json); !utf8) {
        return std::unexpected(std::move(utf8.error()));
    }
    if (!scan.take('[')) {
        return fail(Errc::bad_request, "a batch must be a JSON array of events");
    }
    if (!scan.take(']')) {
        do {
            if (auto read = parse_next(scan, parsed); !read) {
                return std::unexpected(std::move(read.error()));
            }
        } while (scan.take(','));
        if (!scan.take(']')) {
            return not_json(scan);
        }
    }
    if (!scan.at_end()) {
        return not_json(scan);
    }
    return parsed;
}

Result<ParsedEvents> CloudEventsJsonParser::parse_lines(std::string_view ndjson) const {
    ParsedEvents parsed;
    if (auto utf8 = check_utf8(ndjson); !utf8) {
        return std::unexpected(std::move(utf8.error()));
    }
    while (!ndjson.empty()) {
        const std::size_t end = std::min(ndjson.find('\n'), ndjson.size());
        JsonScan scan(ndjson.substr(0, end));
        ndjson.remove_prefix(std::min(end + 1, ndjson.size()));
        if (scan.at_end()) {
            continue;
        }
        const std::size_t index = parsed.events.size();
        auto read = parse_next(scan, parsed);
        if (read && !scan.at_end()) {
            read = std::unexpected(at_index(not_json(scan).error(), index));
        }
        if (!read) {
            return std::unexpected(std::move(read.error()));
        }
    }
    return parsed;
}

}  // namespace belfry
