// Errors in the words of the native door: an HTTP status and application/problem+json (RFC 9457).
// docs/errors.md lists the codes. Pure but for answer_error(), which logs what only an operator may
// read.
#pragma once

#include "base/error.h"
#include "doors/routes.h"
#include "net/http.h"

#include <string>

namespace belfry {

// {"type","title","status","code","detail","field"?,"limit"?,"index"?,"first"?}. The detail of
// failures that may name files is replaced by the code's meaning; nobody outside learns a path of
// this machine.
[[nodiscard]] std::string problem_json(const Error& error, int status);

void answer_error(Exchange& exchange, const Error& error);

// The native door's WriteRefusal.
void refuse_natively(const DoorRefusal& refusal, Exchange exchange);

}  // namespace belfry
