// All extensions of Steadybit that are registered without the API: by configuration, by files, by
// the environment. May be called from any thread.
#pragma once

#include "app/config.h"
#include "catalog/extension_document.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry {

// What registrations leave out.
[[nodiscard]] ExtensionDefaults extension_defaults(const Config& config);

struct ConfiguredExtensions {
    std::vector<RegisteredExtension> extensions;
    // Sources that could not be read as a whole: what is not among the extensions may still be
    // meant to be there.
    std::vector<RegisteredExtension::Origin> unread;
};

// No two with one identity: of several the configuration's counts, then the file's. What cannot be
// read is logged with its place and left out; the configuration was checked when it was read.
[[nodiscard]] ConfiguredExtensions configured_extensions(
    const Config& config, const std::vector<std::pair<std::string, std::string>>& environment
);

// The setting as it may be printed: `(hidden)` for passwords, no users in URLs.
[[nodiscard]] std::string without_passwords(std::string_view extensions);

}  // namespace belfry
