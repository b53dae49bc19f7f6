#include "doors/native/sse.h"

#include "base/assert.h"
#include "base/json_text.h"
#include "event/cloudevents_json.h"

namespace belfry {

void append_sse_event(const StoredEvent& stored, std::string& out) {
    out.append("id: ");
    append_json_number(out, stored.offset.value);
    out.append("\ndata: ");
    append_event_json(stored, LogMembers::leave_out, out);  // one line, whatever the data is
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
