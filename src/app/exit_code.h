// How the program ends; a published contract (src/app/README.md).
#pragma once

#include "base/error.h"

#include <cstdint>

namespace belfry {

enum class ExitCode : std::uint8_t {
    ok = 0,
    failure = 1,
    usage = 2,
    not_found = 3,
    refused = 4,      // unauthenticated or denied
    invalid = 5,      // input or configuration that cannot be accepted
    unreachable = 6,  // no hub answered
};

// What an error that a hub answered means to a script.
[[nodiscard]] ExitCode exit_code(Errc code);

}  // namespace belfry
