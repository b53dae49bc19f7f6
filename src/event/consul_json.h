// An event in the JSON that Consul shows: the members of its UserEvent in its order, escaped as
// Go's encoding/json does, because clients compare bytes. Shared by who answers like Consul and who
// hands events to programs made for Consul. May be called from any thread.
#pragma once

#include "event/event.h"

#include <string>
#include <string_view>

namespace belfry {

// Appends the object {"ID","Name","Payload","NodeFilter","ServiceFilter","TagFilter","Version",
// "LTime"}: the UUID form, the type, data as Base64 (null without data), the extension attributes
// nodefilter, servicefilter and tagfilter, 1, and offset + 1.
void append_consul_event(const StoredEvent& stored, std::string& out);

// `text` as a JSON string with its quotes: beside what JSON asks for, `<`, `>`, `&`, U+2028 and
// U+2029 are escaped, and each byte that is not UTF-8 becomes U+FFFD.
void append_go_string(std::string_view text, std::string& out);

}  // namespace belfry
