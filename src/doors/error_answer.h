// What every door says of an error in the same way, whatever its words: which status, and which
// details stay inside. Pure; may be called from any thread.
#pragma once

#include "base/error.h"

#include <string_view>

namespace belfry {

// Total: every code has a status. A contract that wants another one says so in its door.
[[nodiscard]] int http_status(Errc code);

// What went wrong, without what may name files or addresses of this machine: of such failures the
// code's meaning.
[[nodiscard]] std::string_view public_detail(const Error& error);

}  // namespace belfry
