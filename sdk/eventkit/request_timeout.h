// How long a caller waits, as `Request-Timeout` says: seconds, with a fraction if need be. Pure;
// any thread.
#pragma once

#include "base/clock.h"
#include "net/http.h"

#include <optional>

namespace belfry::eventkit {

// Of `Request-Timeout`, else of `X-Request-Timeout`. What is no number above zero says nothing;
// more than an hour is an hour.
[[nodiscard]] std::optional<Duration> request_timeout(const HttpRequest& request);

}  // namespace belfry::eventkit
