#include "doors/route_trie.h"

#include "base/assert.h"
#include "base/fixed_limits.h"
#include "doors/percent_decoding.h"

#include <algorithm>
#include <optional>

namespace belfry {

struct RouteTrie::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::optional<Entry> rest;  // "{name*}": everything from here on
    std::optional<Entry> entry;
};

// A path cut at its slashes. Past kPathSegmentsMax only "the rest" can match, so no more are kept.
struct RouteTrie::Path {
    std::array<std::string_view, kPathSegmentsMax> texts;  // decoded
    std::array<std::size_t, kPathSegmentsMax> begins;      // of the raw segments
    std::size_t count = 0;
    bool whole = true;  // all segments are in texts
    std::string_view raw;
    std::string* memory = nullptr;
};

namespace {

constexpr std::array<std::string_view, RouteTrie::kMethods> kMethodNames{
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", ""
};

std::string allowed_methods(const RouteTrie::Entry& entry) {
    std::string allow;
    for (std::size_t i = 0; i < kMethodNames.size(); ++i) {
        bool served = entry.routes[i] != RouteTrie::Entry::kNone;
        bool head = i == static_cast<std::size_t>(Method::head) &&
                    entry.routes[static_cast<std::size_t>(Method::get)] != RouteTrie::Entry::kNone;
        if (served || head) {
            allow.append(kMethodNames[i]).append(", ");
        }
    }
    return allow + "OPTIONS";
}

void add_to(
    std::optional<RouteTrie::Entry>& entry,
    Method method,
    std::vector<std::string> parameters,
    std::uint32_t route
) {
    if (!entry) {
        entry.emplace();
        entry->routes.fill(RouteTrie::Entry::kNone);
        entry->parameters = std::move(parameters);
    } else {
        ASSERT(entry->parameters == parameters);
    }
    std::uint32_t& slot = entry->routes[static_cast<std::size_t>(method)];
    ASSERT(slot == RouteTrie::Entry::kNone);
    slot = route;
    entry->allow = allowed_methods(*entry);
}

}  // namespace

RouteTrie::RouteTrie() : root_(std::make_unique<Node>()) {}
RouteTrie::~RouteTrie() = default;

void RouteTrie::add(Method method, std::string_view pattern, std::uint32_t route) {
    ASSERT(pattern.starts_with('/'));
    Node* node = root_.get();
    std::vector<std::string> parameters;
    for (std::string_view rest = pattern;;) {
        rest.remove_prefix(1);
        std::string_view segment = rest.substr(0, rest.find('/'));
        rest.remove_prefix(segment.size());
        if (segment.starts_with('{')) {
            ASSERT(segment.ends_with('}') && parameters.size() < PathParameters::kMax);
            std::string_view name = segment.substr(1, segment.size() - 2);
            if (name.ends_with('*')) {
                ASSERT(rest.empty());
                name.remove_suffix(1);
                parameters.emplace_back(name);
                add_to(node->rest, method, std::move(parameters), route);
                return;
            }
            parameters.emplace_back(name);
            if (!node->parameter) {
                node->parameter = std::make_unique<Node>();
            }
            node = node->parameter.get();
        } else {
            std::unique_ptr<Node>& child = node->literals[std::string(segment)];
            if (!child) {
                child = std::make_unique<Node>();
            }
            node = child.get();
        }
        if (rest.empty()) {
            add_to(node->entry, method, std::move(parameters), route);
            return;
        }
    }
}

Result<RouteTrie::Match> RouteTrie::find(std::string_view raw, Slash slash, std::string& memory)
    const {
    if (!raw.starts_with('/')) {
        return fail(Errc::bad_request, "the path does not begin with a slash");
    }
    if (raw.contains('%')) {
        memory.reserve(memory.size() + 2 * raw.size());  // each segment, then perhaps the rest
    }
    Path path;
    path.raw = raw;
    path.memory = &memory;
    for (std::size_t begin = 1; begin <= raw.size();) {
        std::size_t end = std::min(raw.find('/', begin), raw.size());
        auto text = percent_decode(raw.substr(begin, end - begin), PlusSign::is_plus, memory);
        if (!text) {
            return fail(
                Errc::bad_request,
                "the path is not percent-encoded UTF-8 without control characters"
            );
        }
        if (*text == "." || *text == "..") {
            return fail(Errc::bad_request, "the path has a dot segment");
        }
        if (slash == Slash::separates && text->find_first_of("/\\") != std::string_view::npos) {
            return fail(Errc::bad_request, "a path segment has a slash in it");
        }
        if (path.count < kPathSegmentsMax) {
            path.texts[path.count] = *text;
            path.begins[path.count++] = begin;
        } else {
            path.whole = false;
        }
        begin = end + 1;
    }
    Match match;
    match.entry = walk(*root_, path, 0, 0, match.parameters);
    if (match.entry != nullptr) {
        match.parameters.names = &match.entry->parameters;
    }
    return match;
}

// Depth-first: a literal that leads nowhere gives way to a parameter. Depth is bounded by the
// deepest pattern.
const RouteTrie::Entry* RouteTrie::walk(
    const Node& node,
    const Path& path,
    std::size_t segment,
    std::size_t count,
    PathParameters& parameters
) {
    if (segment == path.count) {
        return path.whole && node.entry ? &*node.entry : nullptr;
    }
    std::string_view text = path.texts[segment];
    if (auto child = node.literals.find(text); child != node.literals.end()) {
        if (const Entry* found = walk(*child->second, path, segment + 1, count, parameters)) {
            return found;
        }
    }
    if (node.parameter && !text.empty()) {
        if (const Entry* found = walk(*node.parameter, path, segment + 1, count + 1, parameters)) {
            parameters.values[count] = text;
            return found;
        }
    }
    std::string_view rest = path.raw.substr(path.begins[segment]);
    if (!node.rest || rest.empty()) {
        return nullptr;
    }
    // The segments decoded, so the rest does.
    parameters.values[count] = percent_decode(rest, PlusSign::is_plus, *path.memory).value();
    return &*node.rest;
}

}  // namespace belfry
