#include "doors/audit.h"

#include "base/logging.h"

#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kNobody = "none";

}  // namespace

Exchange Audit::watch(const HttpRequest& request, const Caller& caller, Exchange exchange) {
    acts_.emplace(
        ++last_,
        Act{.exchange = std::move(exchange),
            .who = caller.token_id.empty() ? std::string(kNobody) : caller.token_id,
            .tenant = caller.tenant,
            .method = std::string(request.method_text),
            .path = std::string(request.path),  // without the query
            .peer = std::string(request.peer)}
    );
    return {this, last_};
}

void Audit::note(Act& act, int status) {
    if (std::exchange(act.noted, true)) {
        return;
    }
    std::string_view result = "done";
    if (status == 401 || status == 403) {
        result = "denied";
    } else if (status >= 300) {  // where a redirect leads, a client has yet to ask
        result = "failed";
    }
    // What strangers try in vain must not bury what was done, or with a full pipe lose it.
    const bool in_vain = act.who == kNobody && result != "done";
    const auto log = in_vain ? log_limited_info : log_info;
    log("audit",
        {{"token", act.who},
         {"tenant", act.tenant},
         {"method", act.method},
         {"path", act.path},
         {"peer", act.peer},
         {"result", result},
         {"status", status}});
}

void Audit::respond(std::uint64_t act, const HttpResponse& response) {
    auto node = acts_.extract(act);
    note(node.mapped(), response.status);
    node.mapped().exchange.respond(response);
}

void Audit::begin_stream(std::uint64_t act, const HttpResponse& head) {
    note(acts_.at(act), head.status);
    acts_.at(act).exchange.begin_stream(head);
}

bool Audit::write(std::uint64_t act, const StreamPiece& piece) {
    return acts_.at(act).exchange.write(piece);
}

void Audit::end_stream(std::uint64_t act) {
    acts_.extract(act).mapped().exchange.end_stream();
}

std::size_t Audit::unsent(std::uint64_t act) const {
    return acts_.at(act).exchange.unsent();
}

void Audit::on_drained(std::uint64_t act, std::move_only_function<void()> callback) {
    acts_.at(act).exchange.on_drained(std::move(callback));
}

bool Audit::alive(std::uint64_t act) const {
    return acts_.at(act).exchange.alive();
}

void Audit::on_gone(std::uint64_t act, std::move_only_function<void()> callback) {
    acts_.at(act).exchange.on_gone(std::move(callback));
}

// A stream is cut, or unanswered: then the server answers 500 when the exchange goes.
void Audit::dropped(std::uint64_t act) {
    auto node = acts_.extract(act);
    note(node.mapped(), 500);
}

}  // namespace belfry
