// Registrations of services as JSON, one or a list. What is accepted must be stored as a document
// that reads back equal.
#include "base/assert.h"
#include "catalog/service.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

void check_round_trip(const belfry::Service& service) {
    ASSERT(!service.name.empty() && !service.id.empty());
    const auto again = belfry::parse_stored_service(belfry::stored_service_json(service));
    ASSERT(again.has_value() && *again == service);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const belfry::Limits limits;
    if (const auto service = belfry::parse_service(text, limits)) {
        check_round_trip(*service);
    } else {
        ASSERT(!service.error().detail.empty());
    }
    if (const auto list = belfry::parse_services(text, limits)) {
        for (const belfry::Service& service : *list) {
            check_round_trip(service);
        }
    } else {
        ASSERT(!list.error().detail.empty());
    }
    return 0;
}
