// Server-sent events (WHATWG HTML, 9.2) as the stream of events writes them. Pure; appends to a
// string the caller reuses.
#pragma once

#include "engine/log.h"

#include <string>

namespace belfry {

// `id:` the offset, `data:` the CloudEvent as JSON.
void append_sse_event(const StoredEvent& stored, std::string& out);

// `event: gap` for the offsets [from, to), which nobody can read any more. In the JSON both ends
// are inclusive, and the `id:` is the last one, so that a reader who reconnects goes on behind it.
// ASSERTs from < to.
enum class MissingBy : bool { retention, damage };
void append_sse_gap(Offset from, Offset to, MissingBy reason, std::string& out);

// How far was examined: everything below `next`. A comment if that is nothing.
void append_sse_position(Offset next, std::string& out);

}  // namespace belfry
