// The target of a request, "path?query", and a body, cut at the first line break: what routing and
// the native door's parameters make of them is text without control characters, bounded, and the
// same the next time.
#include "doors/native/translate.h"
#include "doors/query.h"
#include "doors/route_trie.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace belfry {
namespace {

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

bool is_clean(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

const RouteTrie& trie() {
    static const auto kTrie = [] {
        auto made = std::make_unique<RouteTrie>();
        made->add(Method::get, "/events/{id}", 0);
        made->add(Method::get, "/events/{id}/data", 1);
        made->add(Method::get, "/events/stream", 2);
        made->add(Method::put, "/fire/{name*}", 3);
        return made;
    }();
    return *kTrie;
}

void try_path(std::string_view path, RouteTrie::Slash slash) {
    std::string memory;
    Result<RouteTrie::Match> match = trie().find(path, slash, memory);
    if (!match || match->entry == nullptr) {
        return;
    }
    for (const std::string& name : match->entry->parameters) {
        std::string_view value = match->parameters.get(name);
        must(!value.empty() && is_clean(value) && value.size() <= path.size());
        must(name != "id" || slash == RouteTrie::Slash::may_be_encoded || !value.contains('/'));
        must(value != ".." && value != ".");
    }
    std::string again;
    must(trie().find(path, slash, again)->entry == match->entry);
}

void try_query(std::string_view raw) {
    static const Limits kLimits;
    Query query;
    if (!query.parse(raw)) {
        return;
    }
    for (const QueryParameter& parameter : query.parameters()) {
        must(is_clean(parameter.name) && is_clean(parameter.value));
        must(query.get(parameter.name) == parameter.value);
    }
    if (Result<ListQuery> list = list_query(query, "default", kLimits, WallTime())) {
        must(list->limit >= 1 && list->limit <= kLimits.list_events);
    }
    static_cast<void>(dead_letter_query(query, "default", kLimits, WallTime()));
    if (Result<Event> event = plain_event(query, std::nullopt, raw, kLimits)) {
        must(!event->type.empty() && event->type.size() <= kLimits.event_type_bytes);
    }
}

}  // namespace
}  // namespace belfry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::string_view target = input.substr(0, input.find('\n'));
    std::string_view body = input.substr(std::min(target.size() + 1, size));
    std::size_t mark = target.find('?');
    try_path(target.substr(0, mark), RouteTrie::Slash::separates);
    try_path(target.substr(0, mark), RouteTrie::Slash::may_be_encoded);
    if (mark != std::string_view::npos) {
        try_query(target.substr(mark + 1));
    }
    static_cast<void>(dead_letter_query(body, "default", Limits(), WallTime()));
    static_cast<void>(expectation(body));
    return 0;
}
