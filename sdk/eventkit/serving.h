// One run of an extension: its servers, from the first connection to the last answer. Owned by
// Extension::run(), together with what it is given, which must outlive it; I/O thread only.
#pragma once

#include "eventkit/event_service.h"
#include "eventkit/health.h"
#include "eventkit/registry.h"
#include "eventkit/server_certificates.h"
#include "eventkit/unix_socket_path.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <belfry/eventkit/options.h>

#include <atomic>
#include <memory>
#include <string>

namespace belfry::eventkit {

class Serving {
 public:
    Serving(const Options& options, Registry& registry, const std::atomic<bool>& ready, Loop& loop);
    ~Serving();
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    // Reads certificates and listens.
    [[nodiscard]] Result<void> start();
    // "http://127.0.0.1:8080/", "unix:/run/a.sock".
    [[nodiscard]] std::string where() const;
    // Runs the loop until a signal or stop(), then until all is finished.
    void run();
    // No further connections; what was taken on is finished. A second signal does not wait for it.
    void stop();

 private:
    [[nodiscard]] std::string host();
    [[nodiscard]] Result<void> listen();
    void on_signal(int number);
    void end_if_done();
    void end_anyway();

    const Options& options_;
    Loop& loop_;
    Limits limits_;
    UnixSocketPath socket_path_;
    ServerCertificates certificates_;
    EventService service_;
    Health health_;
    HttpServer server_;
    std::unique_ptr<HttpServer> health_server_;
    bool stopping_ = false;
    bool connections_gone_ = false;
    TimerId overdue_;
};

}  // namespace belfry::eventkit
