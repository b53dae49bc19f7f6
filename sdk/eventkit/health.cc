#include "eventkit/health.h"

namespace belfry::eventkit {

bool Health::answers(const HttpRequest& request, Exchange& exchange) const {
    const bool is_liveness = request.path == "/health/liveness";
    if (!is_liveness && request.path != "/health/readiness") {
        return false;
    }
    if (request.method != belfry::Method::get && request.method != belfry::Method::head) {
        exchange.respond({.status = 405, .headers = "Allow: GET, HEAD\r\n"});
        return true;
    }
    const bool good = is_liveness || (ready_.load() && !stopping_);
    exchange.respond({.status = good ? 200 : 503});
    return true;
}

HttpService::Admission Health::admit(const HttpRequest& /*head*/) {
    return {.body_limit = 0, .waits = false};
}

void Health::handle(const HttpRequest& request, Exchange exchange) {
    if (!answers(request, exchange)) {
        exchange.respond({.status = 404});
    }
}

void Health::refuse(
    const HttpRequest& /*head*/, int status, const Error& /*error*/, Exchange exchange
) {
    exchange.respond({.status = status, .close = true});
}

}  // namespace belfry::eventkit
