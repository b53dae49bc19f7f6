// The extensions that files of Steadybit's packages register: `extension-*.yaml` in one directory,
// each with `url` or `unixSocket` and perhaps `types`. Only those without types, or with EVENT (or
// EVENTS) among them, are registered here. Beside these, a file may have what a registration by the
// API has; other keys are passed over. May be called from any thread.
#pragma once

#include "app/extension_environment.h"
#include "base/limits.h"
#include "catalog/extension_document.h"

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// nullopt: it is not about events. bad_request says what is wrong and, if it is YAML that cannot be
// read, in which line.
[[nodiscard]] Result<std::optional<RegisteredExtension>> parse_extension_file(
    std::string_view yaml, const ExtensionDefaults& defaults, const Limits& limits
);

// All of a directory, by the files' names. One that is not there has none; "none" is no directory.
[[nodiscard]] FoundExtensions extensions_in_directory(
    const std::string& directory, const ExtensionDefaults& defaults, const Limits& limits
);

}  // namespace belfry
