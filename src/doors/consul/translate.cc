#include "doors/consul/translate.h"

#include "base/ascii.h"
#include "base/percent_encoding.h"
#include "doors/consul/go_numbers.h"
#include "doors/percent_decoding.h"

#include <re2/re2.h>

#include <algorithm>

namespace belfry {

namespace {

// The paths below which Go's router serves a whole tree; without the slash it adds one.
constexpr std::string_view kTree = "/v1/event/fire";

std::optional<std::string> decoded(std::string_view raw_path) {
    std::string memory;
    memory.reserve(raw_path.size());
    std::optional<std::string_view> path = percent_decode(raw_path, PlusSign::is_plus, memory);
    return path ? std::optional<std::string>(*path) : std::nullopt;
}

// As Go's router cleans a path: no empty segments, dots followed, a slash at the end kept.
std::string cleaned(std::string_view path) {
    std::string clean;
    std::string_view segment;
    for (std::string_view rest = path; !rest.empty();) {
        const std::size_t end = std::min(rest.find('/', 1), rest.size());
        segment = rest.substr(1, end - 1);
        rest.remove_prefix(end);
        if (segment == "..") {
            clean.erase(std::min(clean.rfind('/'), clean.size()));
        } else if (!segment.empty() && segment != ".") {
            clean.append("/").append(segment);
        }
    }
    if (clean.empty() || path.ends_with('/')) {
        clean.push_back('/');
    }
    return clean;
}

// As Go encodes a path: what a path segment may hold, and the slash (RFC 3986, 3.3).
std::string encoded_path(std::string_view path) {
    constexpr std::string_view kPlain = "/$&+,:;=@";
    std::string out;
    for (char c : path) {
        const std::string_view one(&c, 1);
        out += kPlain.contains(c) ? std::string(one) : percent_encoded(one);
    }
    return out;
}

}  // namespace

std::string consul_source(std::string_view node_name) {
    return "/consul/" + percent_encoded(node_name);
}

Event fired_event(std::string_view name, std::string_view payload, EventFilterTexts filters) {
    Event event;
    event.type = name;
    if (!payload.empty()) {
        event.data = payload;
    }
    const auto extension = [&event](std::string_view attribute, std::string_view text) {
        if (!text.empty()) {
            event.extensions.push_back({attribute, text});
        }
    };
    extension("nodefilter", filters.node);
    extension("servicefilter", filters.service);
    extension("tagfilter", filters.tag);
    return event;
}

std::optional<std::string> go_redirect(std::string_view raw_path) {
    const std::optional<std::string> path = decoded(raw_path);
    if (!path || !path->starts_with('/')) {
        return std::nullopt;
    }
    std::string clean = cleaned(*path);
    if (clean == kTree) {
        clean.push_back('/');
    }
    return clean == *path ? std::nullopt : std::optional(encoded_path(clean));
}

bool is_printable_path(std::string_view raw_path) {
    static const re2::RE2 kPrintable(R"([\pL\pM\pN\pP\pS ]*)");
    const std::optional<std::string> path = decoded(raw_path);
    return path && re2::RE2::FullMatch(*path, kPrintable);
}

std::expected<Blocking, std::string_view> read_blocking(
    const Query& query, Duration usual, Duration most
) {
    Blocking blocking{.wait = usual};
    if (std::string_view text = query.get("wait").value_or(""); !text.empty()) {
        const std::optional<Duration> wait = parse_go_duration(text);
        if (!wait) {
            return std::unexpected("Invalid wait time");
        }
        if (*wait > Duration::zero()) {
            blocking.wait = std::min(*wait, most);
        }
    }
    if (std::string_view text = query.get("index").value_or(""); !text.empty()) {
        const std::optional<std::uint64_t> index = parse_go_uint(text);
        if (!index) {
            return std::unexpected("Invalid index");
        }
        blocking.index = *index;
    }
    return blocking;
}

bool is_datacenter(const Query& query, const NodeIdentity& node) {
    std::string_view asked = query.get("datacenter").value_or("");
    if (asked.empty()) {
        asked = query.get("dc").value_or("");
    }
    return asked.empty() || equals_ignoring_case(asked, node.datacenter);
}

}  // namespace belfry
