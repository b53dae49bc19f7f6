// /health/liveness and /health/readiness, as Kubernetes asks for them: on a port of their own, or,
// if the extension listens on a Unix socket, beside everything else. I/O thread only.
#pragma once

#include "net/http.h"

#include <atomic>

namespace belfry::eventkit {

class Health final : public HttpService {
 public:
    // `ready` must outlive it.
    explicit Health(const std::atomic<bool>& ready) : ready_(ready) {}

    // Answers if the path is one of the two; else `exchange` is as it was.
    bool answers(const HttpRequest& request, Exchange& exchange) const;
    // From now on nothing is ready.
    void stop() { stopping_ = true; }

    [[nodiscard]] Admission admit(const HttpRequest& head) override;
    void handle(const HttpRequest& request, Exchange exchange) override;
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override;

 private:
    const std::atomic<bool>& ready_;
    bool stopping_ = false;
};

}  // namespace belfry::eventkit
