#include "doors/consul/catalog_queries.h"

#include "doors/consul/errors.h"
#include "doors/consul/translate.h"

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

using namespace std::chrono_literals;

constexpr Duration kWaitUsual = 5min;
constexpr Duration kWaitMost = 10min;
constexpr Duration kLookEvery = 1s;

}  // namespace

void CatalogQueries::ask(RequestContext& context, MakeJson make) {
    const auto blocking = read_blocking(context.query, kWaitUsual, kWaitMost);
    if (!blocking) {
        return answers_.text(context.exchange, 400, blocking.error());
    }
    Waiting waiting{
        .exchange = std::move(context.exchange),
        .make = std::move(make),
        .form = json_form(context),
        .grant = context.caller.grant,
        .index = blocking->index,
        .deadline = clock_.now() + blocking->wait
    };
    if (waiting.index != services_.index()) {
        return answer(waiting);
    }
    waiting_.push_back(std::move(waiting));
    if (timer_ == TimerId{}) {
        timer_ = clock_.call_after(kLookEvery, [this] { look(); });
    }
}

void CatalogQueries::answer(Waiting& waiting) {
    if (!waiting.grant->allows(Resource::agent, Verb::read, {})) {
        return answers_.text(
            waiting.exchange, 403, waiting.grant->valid() ? kPermissionDenied : kAclNotFound
        );
    }
    answers_.json(
        waiting.exchange,
        waiting.make(),
        waiting.form,
        "X-Consul-Index: " + std::to_string(services_.index()) +
            "\r\nX-Consul-Knownleader: true\r\nX-Consul-Lastcontact: 0\r\n"
    );
}

void CatalogQueries::look() {
    timer_ = {};
    std::vector<Waiting> done;
    for (Waiting& waiting : std::exchange(waiting_, {})) {
        const bool waits_on = waiting.index == services_.index() &&
                              clock_.now() < waiting.deadline && waiting.grant->valid();
        if (waiting.exchange.alive()) {
            (waits_on ? waiting_ : done).push_back(std::move(waiting));
        }
    }
    // An answer may bring the next request.
    for (Waiting& waiting : done) {
        answer(waiting);
    }
    if (!waiting_.empty() && timer_ == TimerId{}) {
        timer_ = clock_.call_after(kLookEvery, [this] { look(); });
    }
}

void CatalogQueries::release_all() {
    for (Waiting& waiting : std::exchange(waiting_, {})) {
        answer(waiting);
    }
}

}  // namespace belfry
