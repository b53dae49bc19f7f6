// Between Consul's requests and ours. Pure.
#pragma once

#include "base/clock.h"
#include "catalog/node_identity.h"
#include "doors/consul/event_filter.h"
#include "doors/query.h"
#include "event/event.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// The `source` of what is fired at this node: "/consul/<name>", percent-encoded where a URI needs
// it.
[[nodiscard]] std::string consul_source(std::string_view node_name);

// The event that a request fires: views of the arguments. Its tenant and source are the door's.
[[nodiscard]] Event fired_event(
    std::string_view name, std::string_view payload, EventFilterTexts filters
);

// Where Go's router sends a request for this raw path: a cleaned path (no empty segments, dots
// followed), or the one with a slash at its end that is served. nullopt: it stays. What is given
// begins with one slash.
[[nodiscard]] std::optional<std::string> go_redirect(std::string_view raw_path);

// Whether every character of the path, decoded, is a letter, mark, number, punctuation, symbol or
// the ASCII space (Consul's PrintablePathCheckHandler), and valid UTF-8. What has a malformed
// escape is not.
[[nodiscard]] bool is_printable_path(std::string_view raw_path);

// `index` and `wait` of a blocking query. A wait that is absent, zero or negative is `usual`, one
// beyond `most` is `most`. Otherwise what Consul says is wrong, `wait` first.
struct Blocking {
    std::uint64_t index = 0;  // 0: does not wait
    Duration wait{};
};
[[nodiscard]] std::expected<Blocking, std::string_view> read_blocking(
    const Query& query, Duration usual, Duration most
);

// Asks for this node's datacenter, or for none in particular.
[[nodiscard]] bool is_datacenter(const Query& query, const NodeIdentity& node);

}  // namespace belfry
