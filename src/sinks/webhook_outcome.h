// What a listener's answer means for delivery. Pure.
//
//   2xx                      settled
//   400 413 415 422          rejected: the event's fault
//   410                      gone: the listener wants no more
//   429, or any Retry-After  wait: the listener asks for time
//   everything else          failed: the endpoint's fault
#pragma once

#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"

namespace belfry {

// An error of `reply` is a failed attempt without a status. `now` is what an HTTP-date counts from.
[[nodiscard]] Outcome webhook_outcome(const Result<HttpReply>& reply, WallTime now);

}  // namespace belfry
