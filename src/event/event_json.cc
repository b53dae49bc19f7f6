#include "base/base64.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "event/cloudevents_json.h"
#include "event/media_type.h"

#include <algorithm>

namespace belfry {

namespace {

// `prefix` is `,"name":`.
void append_optional_member(std::string& out, std::string_view prefix, std::string_view text) {
    if (!text.empty()) {
        out += prefix;
        append_json_string(out, text);
    }
}

bool is_log_member(std::string_view name) {
    return name == "offset" || name == "recorded" || name == "tenant" || name == "uuid";
}

void append_uuid(std::string& out, const StoredEvent& stored) {
    const UuidText text = uuid_text(stored.uuid());
    out += '"';
    out.append(text.data(), text.size());
    out += '"';
}

void append_log_members(std::string& out, const StoredEvent& stored) {
    out += ",\"offset\":";
    append_json_number(out, stored.offset.value);
    out += ",\"recorded\":\"";
    append_rfc3339(out, stored.recorded);
    out += "\",\"tenant\":";
    append_json_string(out, stored.event.tenant);
    out += ",\"uuid\":";
    append_uuid(out, stored);
}

// A JSON text on one line: in valid JSON a line end can only be white space.
void append_on_one_line(std::string& out, std::string_view json) {
    const std::size_t before = out.size();
    out += json;
    if (json.find_first_of("\r\n") != std::string_view::npos) {
        std::replace_if(
            out.begin() + static_cast<std::ptrdiff_t>(before),
            out.end(),
            [](char c) { return c == '\r' || c == '\n'; },
            ' '
        );
    }
}

void append_data_member(std::string& out, const Event& event) {
    const std::string_view data = *event.data;
    const std::string_view type = event.datacontenttype;
    const bool json_type = type.empty() || is_json_media_type(type);
    if (json_type && is_json(data)) {
        out += ",\"data\":";
        append_on_one_line(out, data);
    } else if (!json_type && is_text_media_type(type) && is_utf8(data)) {
        out += ",\"data\":";
        append_json_string(out, data);
    } else {
        out += ",\"data_base64\":\"";
        append_base64(out, data);
        out += '"';
    }
}

}  // namespace

void append_event_json(const StoredEvent& stored, LogMembers log_members, std::string& out) {
    const Event& event = stored.event;
    out += "{\"specversion\":\"1.0\",\"id\":";
    if (event.id.empty()) {
        append_uuid(out, stored);
    } else {
        append_json_string(out, event.id);
    }
    out += ",\"source\":";
    append_json_string(out, event.source);
    out += ",\"type\":";
    append_json_string(out, event.type);
    append_optional_member(out, ",\"subject\":", event.subject);
    append_optional_member(out, ",\"time\":", event.time);
    append_optional_member(out, ",\"datacontenttype\":", event.datacontenttype);
    append_optional_member(out, ",\"dataschema\":", event.dataschema);
    for (const Extension& extension : event.extensions) {
        if (log_members == LogMembers::add && is_log_member(extension.name)) {
            continue;
        }
        out += ',';
        append_json_name(out, extension.name);
        append_json_string(out, extension.value);
    }
    if (log_members == LogMembers::add) {
        append_log_members(out, stored);
    }
    if (event.data) {
        append_data_member(out, event);
    }
    out += '}';
}

}  // namespace belfry
