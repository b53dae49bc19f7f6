// Router: from a request to its handler. Finds the door and the route, decodes the path once, asks
// Access, puts acts of administration under audit, then calls the handler; whatever goes wrong
// before that is answered in the words of the path's door.
#pragma once

#include "base/limits.h"
#include "doors/audit.h"
#include "doors/route_trie.h"
#include "doors/routes.h"

#include <memory>
#include <optional>
#include <vector>

namespace belfry {

// Owned by the wiring; access and limits must outlive it, and it must outlive the last callback of
// whatever the handlers call, so it goes after the loop has stopped. I/O thread only. A request
// that is found and has no escapes costs no allocation.
class Router final : public HttpService {
 public:
    // At least one door; the first also answers for paths that are nobody's, and serves
    // /openapi.json, which is made here from all routes. ASSERTs that no two routes have the same
    // method and path.
    Router(std::vector<Door> doors, Access& access, const Limits& limits);

    [[nodiscard]] Admission admit(const HttpRequest& head) override;
    [[nodiscard]] bool admit_body(const HttpRequest& head) override;
    void handle(const HttpRequest& request, Exchange exchange) override;
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override;

    // Answers what waits by nature, because the program stops; what comes later is answered as
    // ever.
    void release_waiting();

 private:
    [[nodiscard]] const Door& door_of(std::string_view path) const;
    // `memory` keeps what was decoded.
    [[nodiscard]] Result<RouteTrie::Match> match_of(
        const Door& door, std::string_view path, std::string& memory
    ) const;
    [[nodiscard]] const Route* route_of(
        const Door& door, Method method, const RouteTrie::Match& match
    ) const;
    [[nodiscard]] Result<void> authorise(
        const HttpRequest& request, const Door& door, const Query& query, Caller& caller
    ) const;
    void answer_without_route(
        const HttpRequest& request,
        const Door& door,
        const RouteTrie::Match& match,
        Exchange exchange
    ) const;

    // Constant after construction.
    std::vector<Door> doors_;
    Access& access_;
    const Limits& limits_;
    RouteTrie trie_;
    std::vector<const Route*> routes_;  // by RouteTrie number
    // I/O thread.
    Audit audit_;
    // From admit_body(), if it turned the body away, to the handle() that follows it.
    struct TurnedAway {
        std::optional<Error> stranger;  // a wrong token is counted once
    };
    std::optional<TurnedAway> turned_away_;
};

}  // namespace belfry
