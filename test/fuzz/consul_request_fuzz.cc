// A request's path and query as the Consul door reads them before anything else. Input: the target.
#include "base/utf8.h"
#include "doors/consul/go_numbers.h"
#include "doors/consul/translate.h"
#include "doors/query.h"
#include "event/check_event.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void expect(bool good) {
    if (!good) {
        std::abort();
    }
}

void read_path(std::string_view path) {
    const bool printable = belfry::is_printable_path(path);
    const auto moved = belfry::go_redirect(path);
    if (moved) {
        // A client that follows arrives.
        expect(!belfry::go_redirect(*moved));
        expect(!printable || belfry::is_printable_path(*moved));
        expect(moved->starts_with('/'));
        expect(!moved->contains("//"));
    }
}

void read_query(std::string_view raw) {
    belfry::Query query;
    if (!query.parse(
            raw, belfry::Query::Repeated::first_counts, belfry::Query::Content::any_bytes
        )) {
        return;
    }
    const std::string_view wait = query.get("wait").value_or("");
    const auto duration = belfry::parse_go_duration(wait);
    if (duration && !wait.starts_with('-')) {
        expect(*duration >= belfry::Duration::zero());
    }
    const std::string_view index = query.get("index").value_or("");
    if (const auto number = belfry::parse_go_uint(index)) {
        const std::size_t digits = std::min(index.find_first_not_of('0'), index.size() - 1);
        expect(std::to_string(*number) == index.substr(digits));
    }
    static_cast<void>(belfry::is_datacenter(query, belfry::NodeIdentity{.name = "n", .id = "i"}));
    const belfry::Event event = belfry::fired_event(
        query.get("name").value_or(""),
        query.get("payload").value_or(""),
        {.node = query.get("node").value_or(""),
         .service = query.get("service").value_or(""),
         .tag = query.get("tag").value_or("")}
    );
    if (belfry::check_event(event, belfry::Limits{})) {
        // What is stored is text, though a query may hold any bytes.
        expect(belfry::is_utf8(event.type));
        for (const belfry::Extension& filter : event.extensions) {
            expect(belfry::is_utf8(filter.value) && !filter.value.contains('\0'));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view target(reinterpret_cast<const char*>(data), size);
    read_path(target.substr(0, target.find('?')));
    if (const std::size_t query = target.find('?'); query != std::string_view::npos) {
        read_query(target.substr(query + 1));
    }
    return 0;
}
