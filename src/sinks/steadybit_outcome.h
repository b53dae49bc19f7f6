// What a listener's answer to an event call of Steadybit's Event API means. Pure.
//
//   2xx                    settled, whatever the body; with a warning if the body is an index
//   400 413 415 422        rejected: the event's fault
//   410                    gone: this listener wants no more
//   408 425 429 502 503 504 and no answer
//                          failed: the endpoint's fault
//   everything else        unclear: extensions answer 500 to a bad event and to their own failure;
//                          redirects, which are not followed, are here, too
#pragma once

#include "base/clock.h"
#include "hub/sink.h"
#include "net/http_client.h"

#include <string>

namespace belfry {

struct SteadybitAnswer {
    Outcome outcome;      // of the one listener
    std::string warning;  // empty: none
};
// `now` is what an HTTP-date counts from.
[[nodiscard]] SteadybitAnswer steadybit_outcome(const Result<HttpReply>& reply, WallTime now);

}  // namespace belfry
