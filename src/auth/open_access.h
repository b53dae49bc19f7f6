// OpenAccess: whom a hub hears who shows no token. A program on this machine may do everything as
// long as there are no tokens; a browser may not be steered into it by a foreign page, and nobody
// else gets in unless the operator said `--insecure`. TokenAccess asks it first.
#pragma once

#include "hub/access.h"

#include <memory>

namespace belfry {

// Allows everything, always. One for the program.
[[nodiscard]] const std::shared_ptr<const Grant>& open_grant();

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

 private:
    const Exposure exposure_;
};

}  // namespace belfry
