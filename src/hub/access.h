// Port: who may do what. Every route of every door names a resource and a verb; this answers.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry {

enum class Resource : std::uint8_t {
    none,
    event,
    subscription,
    dead_letter,
    agent,
    catalog,
    token,
    op
};
enum class Verb : std::uint8_t { read, write };

// What a request shows about its sender. Views are valid during the call.
struct Credentials {
    std::string_view token = {};  // empty: none
    bool peer_is_loopback = false;
    std::string_view host = {};            // Host header
    std::string_view origin = {};          // Origin header; empty: absent
    std::string_view sec_fetch_site = {};  // Sec-Fetch-Site header; empty: absent
};

// Who is asking, after identify().
struct Caller {
    std::string tenant = "default";
    std::string token_id;  // empty: anonymous
};

// I/O thread only.
class Access {
 public:
    virtual ~Access() = default;
    // unauthenticated or denied.
    [[nodiscard]] virtual Result<Caller> identify(const Credentials& credentials) = 0;
    // denied. `name` is the event type, subscription name …; empty when the route has none.
    [[nodiscard]] virtual Result<void> check(
        const Caller& caller, Resource resource, Verb verb, std::string_view name
    ) = 0;
};

}  // namespace belfry
