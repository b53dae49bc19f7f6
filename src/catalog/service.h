// A service that runs on this node: what the service and tag filters of an event are held against,
// and what Consul's clients register and list. Its JSON is the one of Consul's
// `PUT /v1/agent/service/register`, here, in Kv and in the configuration. May be called from any
// thread.
#pragma once

#include "base/error.h"
#include "base/limits.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct Service {
    std::string id;
    std::string name;
    std::vector<std::string> tags;
    std::string address;
    std::uint16_t port = 0;
    std::map<std::string, std::string, std::less<>> meta;

    bool operator==(const Service&) const = default;
};

// From what a client sends. Members are found in any case, as Go finds them; null is absence, other
// members (Check, Weights, Connect …) are passed over; the id is the name if it is left out.
// bad_request, the detail in Consul's words where it has some, `field` the member at fault.
[[nodiscard]] Result<Service> parse_service(std::string_view text, const Limits& limits);
// A list of them, as the configuration has it; no two with one id, at most limits.services. `field`
// is the place in the list: `[0]`.
[[nodiscard]] Result<std::vector<Service>> parse_services(
    std::string_view text, const Limits& limits
);

// The document in Kv.
[[nodiscard]] Result<Service> parse_stored_service(std::string_view text);
[[nodiscard]] std::string stored_service_json(const Service& service);

}  // namespace belfry
