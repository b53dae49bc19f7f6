// Port: who may do what. Every route of every door names a resource and a verb; whoever handles
// single objects asks again with their names.
#pragma once

#include "base/error.h"
#include "event/type_pattern.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
inline constexpr std::size_t kResources = 8;
enum class Verb : std::uint8_t { read, write };

// What is allowed, fixed: two who have the same object may do the same. Immutable; may be read from
// any thread.
class Rights {
 public:
    virtual ~Rights() = default;
    // As Grant's.
    [[nodiscard]] virtual bool allows(Resource resource, Verb verb, std::string_view name)
        const = 0;
    [[nodiscard]] virtual bool covers(Verb verb, const TypePattern& types) const = 0;
};

// What a caller may do. It follows its token and its policies: what they lose, it loses at once,
// so whoever keeps a request open keeps this and asks again. I/O thread only.
class Grant {
 public:
    virtual ~Grant() = default;
    // `name` is the event type; other resources have no rules by name yet. For events an empty name
    // asks: any type at all? Resource::none is always allowed. Nothing is allowed by a grant that
    // is not valid, once that was noticed.
    [[nodiscard]] virtual bool allows(Resource resource, Verb verb, std::string_view name)
        const = 0;
    // Every event type that the pattern matches?
    [[nodiscard]] virtual bool covers(Verb verb, const TypePattern& types) const = 0;
    // What it allows now; nullptr: everything. Grants of the same policies have the same.
    [[nodiscard]] virtual std::shared_ptr<const Rights> rights() const = 0;
    // False once the token is revoked or has expired. Reads the wall clock.
    [[nodiscard]] virtual bool valid() const = 0;
    // Changes whenever what it allows may have changed, so that what was judged by it can be kept.
    [[nodiscard]] virtual std::uint64_t revision() const = 0;
};
// How often whoever keeps a request open asks valid().
inline constexpr std::chrono::seconds kGrantCheckEvery{2};

// What a request shows about its sender. Views are valid during the call.
struct Credentials {
    std::string_view token = {};  // empty: none
    std::string_view peer = {};   // address of the other end
    bool peer_is_loopback = false;
    std::string_view host = {};            // Host header
    std::string_view origin = {};          // Origin header; empty: absent
    std::string_view sec_fetch_site = {};  // Sec-Fetch-Site header; empty: absent
};

// Who is asking, after identify().
struct Caller {
    std::string tenant = "default";
    std::string token_id;                // empty: no token
    std::shared_ptr<const Grant> grant;  // none: may do nothing
    std::string_view door = "hub";       // by which it came; outlives the caller

    [[nodiscard]] bool may(Resource resource, Verb verb, std::string_view name = {}) const {
        return grant != nullptr && grant->allows(resource, verb, name);
    }
    // denied; unauthenticated if a token could change that. The same words whatever the object is.
    [[nodiscard]] Result<void> check(Resource resource, Verb verb, std::string_view name = {})
        const;
};

// I/O thread only.
class Access {
 public:
    virtual ~Access() = default;
    // unauthenticated, denied, or rate_limited after too many wrong tokens.
    [[nodiscard]] virtual Result<Caller> identify(const Credentials& credentials) = 0;
};

// "event", "dead_letter" …, as policies name them.
[[nodiscard]] std::string_view resource_name(Resource resource);

}  // namespace belfry
