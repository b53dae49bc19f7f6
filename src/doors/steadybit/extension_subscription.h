// The subscription that carries an extension's events: in order, one at a time, for the types its
// listeners name. Pure.
#pragma once

#include "base/limits.h"
#include "catalog/extension.h"
#include "catalog/subscription.h"
#include "event/steadybit_index.h"

#include <span>

namespace belfry {

// Every event that a listener asks for passes it; more do where the names are `*`, too many, or
// such that a filter would read them as a pattern. Nothing passes it without a name.
[[nodiscard]] Filter filter_for(std::span<const SteadybitListener> listeners);

// With the filter of every type, which is right until an index is known; begins now.
[[nodiscard]] Subscription subscription_for(const RegisteredExtension& extension);

}  // namespace belfry
