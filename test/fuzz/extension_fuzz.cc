// Registrations of extensions as JSON, one or a list. What is accepted must be stored as a document
// that reads back equal, and has one identity and a name.
#include "base/assert.h"
#include "base/json_scan.h"
#include "catalog/extension_document.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

void check_round_trip(const belfry::RegisteredExtension& extension) {
    ASSERT(belfry::check_extension_name(extension.name).has_value());
    ASSERT(extension.url.empty() != extension.unix_socket.empty());
    const auto again = belfry::parse_stored_extension(belfry::stored_extension_json(extension));
    ASSERT(again.has_value() && *again == extension);
    ASSERT(again->identity() == extension.identity());
    std::string shown = "{";
    belfry::append_extension_members(shown, extension);
    ASSERT(belfry::is_json(shown + "}"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const belfry::Limits limits;
    const belfry::ExtensionDefaults defaults;
    if (const auto extension = belfry::parse_extension(text, defaults, limits)) {
        check_round_trip(*extension);
    } else {
        ASSERT(!extension.error().detail.empty());
    }
    if (const auto list = belfry::parse_extensions(text, defaults, limits)) {
        for (const belfry::RegisteredExtension& extension : *list) {
            check_round_trip(extension);
        }
    } else {
        ASSERT(!list.error().detail.empty());
    }
    return 0;
}
