// The audit of a door: one line of log for every administrative act, whether it was done, refused
// or failed: who, what, from where, with which result. Of what callers without a token do in vain
// ten lines a second are written, the others counted. An act is audited by standing between its
// handler and the connection that waits for the answer. Owned by the router; outlives what it
// audits. I/O thread only.
#pragma once

#include "doors/routes.h"
#include "net/http.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace belfry {

class Audit final : public HttpConnection {
 public:
    // Whether a route's requests are acts of administration: they change something beside events.
    [[nodiscard]] static bool concerns(const Route& route) {
        return route.needs.verb == Verb::write && route.needs.resource != Resource::event &&
               route.needs.resource != Resource::none;
    }

    // The same for a path that cannot be read, so that no route is known.
    [[nodiscard]] static bool may_concern(Method method) {
        return method != Method::get && method != Method::head && method != Method::options;
    }

    // The exchange to hand on in place of `exchange`: its answer is noted on the way.
    [[nodiscard]] Exchange watch(
        const HttpRequest& request, const Caller& caller, Exchange exchange
    );

    void respond(std::uint64_t act, const HttpResponse& response) override;
    void begin_stream(std::uint64_t act, const HttpResponse& head) override;
    bool write(std::uint64_t act, const StreamPiece& piece) override;
    void end_stream(std::uint64_t act) override;
    [[nodiscard]] std::size_t unsent(std::uint64_t act) const override;
    void on_drained(std::uint64_t act, std::move_only_function<void()> callback) override;
    [[nodiscard]] bool alive(std::uint64_t act) const override;
    void on_gone(std::uint64_t act, std::move_only_function<void()> callback) override;
    void dropped(std::uint64_t act) override;

 private:
    struct Act {
        Exchange exchange;
        std::string who;
        std::string tenant;
        std::string method;
        std::string path;
        std::string peer;
        bool noted = false;
    };
    static void note(Act& act, int status);

    std::unordered_map<std::uint64_t, Act> acts_;
    std::uint64_t last_ = 0;
};

}  // namespace belfry
