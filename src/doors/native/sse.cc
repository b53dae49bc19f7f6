#include "doors/native/sse.h"

#include "base/assert.h"
#include "base/json_text.h"
#include "event/cloudevents_json.h"

namespace belfry {

namespace {

// Rewrites what was appended from `begin` on so that each of its lines is a `data:` line. Only data
// that came with line breaks between its JSON tokens has any.
void split_lines(std::size_t begin, std::string& out) {
    if (out.find_first_of("\r\n", begin) == std::string::npos) {
        return;
    }
    std::string text = out.substr(begin);
    out.resize(begin);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r' && text[i] != '\n') {
            out.push_back(text[i]);
            continue;
        }
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
            ++i;
        }
        out.append("\ndata: ");
    }
}

}  // namespace

void append_sse_event(const StoredEvent& stored, std::string& out) {
    out.append("id: ");
    append_json_number(out, stored.offset.value);
    out.append("\ndata: ");
    std::size_t begin = out.size();
    append_event_json(stored, LogMembers::leave_out, out);
    split_lines(begin, out);
    out.append("\n\n");
}

void append_sse_gap(Offset from, Offset to, MissingBy reason, std::string& out) {
    ASSERT(from < to);
    std::uint64_t last = to.value - 1;
    out.append("event: gap\nid: ");
    append_json_number(out, last);
    out.append("\ndata: {\"from\":");
    append_json_number(out, from.value);
    out.append(",\"to\":");
    append_json_number(out, last);
    out.append(
        reason == MissingBy::retention ? ",\"reason\":\"retention\"}\n\n"
                                       : ",\"reason\":\"damage\"}\n\n"
    );
}

void append_sse_position(Offset next, std::string& out) {
    if (next.value == 0) {
        out.append(": waiting\n\n");
        return;
    }
    out.append("id: ");
    append_json_number(out, next.value - 1);
    out.append("\n\n");
}

}  // namespace belfry
