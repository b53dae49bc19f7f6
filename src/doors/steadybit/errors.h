// Errors in the words of Steadybit's extensions: an object with `title` and `detail` under
// application/json.
#pragma once

#include "base/error.h"
#include "doors/routes.h"

#include <string_view>

namespace belfry {

// What a malformed event is answered with.
enum class MalformedStatus : std::uint16_t { as_extensions = 500, strict = 400 };

// Total: every code has a status.
[[nodiscard]] int steadybit_status(Errc code, MalformedStatus malformed);

// To an event call.
void answer_steadybit_error(Exchange& exchange, const Error& error, MalformedStatus malformed);
// Door::refuse.
void refuse_in_steadybits_words(const DoorRefusal& refusal, Exchange exchange);

}  // namespace belfry
