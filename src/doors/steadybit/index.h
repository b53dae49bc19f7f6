// GET /steadybit: the list of event listeners that an agent asks an extension for. Here it is
// always one, for all events. Owned by the door. I/O thread only.
#pragma once

#include "base/clock.h"
#include "doors/routes.h"

#include <span>
#include <string>
#include <string_view>

namespace belfry {

class OwnIndex {
 public:
    // The ETag is of this start of the hub, as those of Steadybit's extensions are.
    explicit OwnIndex(WallTime started);

    void answer(RequestContext& context);

 private:
    const std::string etag_;     // without quotes
    const std::string headers_;  // of both answers, 200 and 304
};

// One of the If-None-Match headers names the tag: in quotes, weak or strong, or bare, as the
// clients of Steadybit's extensions send it; or `*`.
[[nodiscard]] bool names_etag(std::span<const HeaderField> headers, std::string_view etag);

}  // namespace belfry
