// An extension as text: what a registration asks for, what is stored of it, what is shown. May be
// called from any thread.
#pragma once

#include "base/limits.h"
#include "catalog/extension.h"

#include <string>
#include <string_view>
#include <vector>

namespace belfry {

inline constexpr Pace kSteadybitPoll{.events = 50, .every = std::chrono::seconds(5)};

// What a registration leaves out.
struct ExtensionDefaults {
    Pace poll = kSteadybitPoll;
};

// From a request's body: unknown members are unknown_field, bad values bad_request, `field` a path.
// A user in the URL becomes `basic`. Without a name it gets default_extension_name().
[[nodiscard]] Result<RegisteredExtension> parse_extension(
    std::string_view text, const ExtensionDefaults& defaults, const Limits& limits
);
// A list of them, as the configuration has it; no two with one identity or name.
[[nodiscard]] Result<std::vector<RegisteredExtension>> parse_extensions(
    std::string_view text, const ExtensionDefaults& defaults, const Limits& limits
);

// The stored form, with its secrets, and its way back.
[[nodiscard]] std::string stored_extension_json(const RegisteredExtension& extension);
[[nodiscard]] Result<RegisteredExtension> parse_stored_extension(std::string_view text);
// The members of the public form, without the braces around them: no password, no file, no value of
// the URL's query.
void append_extension_members(std::string& out, const RegisteredExtension& extension);

}  // namespace belfry
