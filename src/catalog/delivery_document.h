// The `start` and `delivery` members of a subscription: their checks on the way in, their text on
// the way out.
#pragma once

#include "base/json.h"
#include "catalog/subscription.h"

#include <string>

namespace belfry {

// Members that are absent keep what `defaults` says. Bounds: timeout 1 s to 30 s, max_in_flight 1
// to 1,000, retry 1 to 50 waits of 1 ms to 30 d, pace from 1 event and 1 ms, max_unsettled 1 to
// 10,000.
[[nodiscard]] Result<DeliveryPolicy> read_delivery(
    const boost::json::value& value, const std::string& path, DeliveryPolicy defaults = {}
);
void append_delivery(std::string& out, const DeliveryPolicy& delivery);

[[nodiscard]] Result<Start> read_start(const boost::json::value& value, const std::string& path);
void append_start(std::string& out, const Start& start);

}  // namespace belfry
