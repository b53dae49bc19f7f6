// Filters of Consul's events. The input is three lines: node, service and tag filter; then the name
// of the node. Whatever they are, parsing ends with a judge or with a sentence, and the judge keeps
// to its rules.
#include "base/assert.h"
#include "base/manual_clock.h"
#include "doors/consul/event_filter.h"
#include "engine/memory_kv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace belfry;

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

const Services& services() {
    static const Limits kLimits;
    static ManualExecutor loop;
    static MemoryKv kv(loop);
    static const Services kServices(
        kv, kLimits, {{.id = "a", .name = "mysql", .tags = {"master"}}, {.id = "b", .name = "web"}}
    );
    return kServices;
}

void check_error(const Error& error, const Limits& limits) {
    ASSERT(error.code == Errc::invalid_filter && !error.detail.empty());
    ASSERT(error.field == "node" || error.field == "service" || error.field == "tag");
    ASSERT(error.detail.size() <= limits.filter_value_bytes + 200);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Limits limits;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    EventFilterTexts texts;
    texts.node = take_line(text);
    texts.service = take_line(text);
    texts.tag = take_line(text);
    const NodeIdentity node{.name = std::string(text)};

    const auto search = EventFilter::parse_search(texts, limits);
    const auto filter = EventFilter::parse(texts, limits);
    if (!filter) {
        check_error(filter.error(), limits);
        ASSERT(!search || (!texts.tag.empty() && texts.service.empty()));
        return 0;
    }
    ASSERT(search.has_value());
    ASSERT(search->admits({}));
    ASSERT(search->accepts(node, services()) == filter->accepts(node, services()));
    if (texts.node.empty() && texts.service.empty()) {
        ASSERT(filter->accepts(node, services()));
    }
    // One filter is never stricter than itself with another beside it.
    if (filter->accepts(node, services())) {
        ASSERT(EventFilter::parse({.node = texts.node}, limits)->accepts(node, services()));
        ASSERT(EventFilter::parse({.service = texts.service}, limits)->accepts(node, services()));
    }
    return 0;
}
