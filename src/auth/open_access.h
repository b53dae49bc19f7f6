// OpenAccess: the Access of a hub without tokens. A program on this machine may do everything; a
// browser may not be steered into it by a foreign page, and nobody else gets in unless the operator
// said `--insecure`.
#pragma once

#include "hub/access.h"

namespace belfry {

enum class Exposure : bool { loopback_only, insecure };

// Owned by the wiring. I/O thread only; allocates nothing.
class OpenAccess final : public Access {
 public:
    explicit OpenAccess(Exposure exposure) : exposure_(exposure) {}

    // denied: a peer off loopback (unless insecure), a Host that is neither a loopback literal nor
    // `localhost` (a foreign name that resolves to us; not judged when insecure), an Origin other
    // than the Host, or Sec-Fetch-Site: cross-site. A token is ignored: its owner may do everything
    // anyway.
    [[nodiscard]] Result<Caller> identify(const Credentials& credentials) override;
    [[nodiscard]] Result<void> check(
        const Caller& caller, Resource resource, Verb verb, std::string_view name
    ) override;

 private:
    const Exposure exposure_;
};

}  // namespace belfry
