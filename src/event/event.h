// An event: a CloudEvents 1.0 event as a set of views, and the event together with the bytes it
// lives in.
#pragma once

#include "base/clock.h"
#include "base/offset.h"
#include "event/uuid.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// An extension attribute (CloudEvents 1.0, 3.1.1: lower-case letters and digits).
struct Extension {
    std::string_view name;
    std::string_view value;
    bool operator==(const Extension&) const = default;
};

// An event as views; it owns nothing. Whoever makes one says which bytes must outlive it: the
// request buffer on the way in, the record on the way out. Every text is valid UTF-8 without
// control characters once check_event() passed it.
struct Event {
    std::string_view tenant = "default";
    std::string_view id;  // empty: the publisher gave none, the log makes one
    std::string_view source;
    std::string_view type;
    std::string_view subject;          // empty: absent
    std::string_view time;             // RFC 3339 as it came; empty: absent
    std::string_view datacontenttype;  // empty: absent
    std::string_view dataschema;       // empty: absent
    std::vector<Extension> extensions;
    std::optional<std::string_view> data;  // absent is not empty; bytes exactly as they came
    // Its Consul filters name other nodes than this hub's, or cannot be read: judged once, when it
    // is stored, whichever door it came by. Consul's clients do not see it; everybody else does.
    bool elsewhere = false;

    // The attribute's value by its CloudEvents name (`id` only if the publisher gave one), nullopt
    // if absent.
    [[nodiscard]] std::optional<std::string_view> attribute(std::string_view name) const;
};

// An event of the log. Copies share the bytes and stay valid as long as any copy lives; a
// StoredEvent may be handed to another thread.
struct StoredEvent {
    Event event;
    Offset offset;
    WallTime recorded;
    std::uint64_t uuid_low = 0;
    std::shared_ptr<const void> owner;  // keeps the bytes under `event` alive

    [[nodiscard]] Uuid uuid() const { return event_uuid(uuid_low, offset); }
    // The id that readers see: the publisher's, else the UUID form.
    [[nodiscard]] std::string id() const;
};

}  // namespace belfry
