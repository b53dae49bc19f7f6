// Asking a Steadybit extension for its index, and what its answer means. Pure.
#pragma once

#include "base/limits.h"
#include "catalog/extension.h"
#include "event/steadybit_index.h"
#include "net/http_client.h"
#include "sinks/steadybit_target.h"

#include <optional>
#include <string>
#include <string_view>

namespace belfry {

// Where calls of the extension go, without certificates.
[[nodiscard]] SteadybitTarget target_of(const RegisteredExtension& extension);

// A request on the very URL that was registered, 10 s at most; `etag` goes back byte for byte in
// If-None-Match, an empty one does not.
[[nodiscard]] HttpCall index_call(
    const RegisteredExtension& extension,
    const SteadybitTarget& target,
    std::string_view etag,
    std::string_view user_agent
);

struct FetchedIndex {
    std::optional<SteadybitIndex> index;  // none: it is as before (304)
    std::string etag;                     // as it came, with its quotes if it has some; of a 200
};
// Errors say what was answered in place of an index; they hold no credentials.
[[nodiscard]] Result<FetchedIndex> read_index_reply(
    const Result<HttpReply>& reply, std::string_view sent_etag, const Limits& limits
);

}  // namespace belfry
