#include "eventkit/serving.h"

#include "base/logging.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

namespace belfry::eventkit {
namespace {

// A handler may take its time; whoever sends slowly is stopped by limits.body_rate_bytes.
constexpr std::uint64_t kRequestMs = 3'700'000;
constexpr std::uint64_t kConnections = 1000;
constexpr std::chrono::seconds kFlushTime{1};
constexpr const char* kEverywhere = "::";
constexpr const char* kEverywhereOnV4 = "0.0.0.0";

// "[::1]:80" of "::1".
std::string address_text(const std::string& host, std::uint16_t port) {
    return host.contains(':') ? fmt::format("[{}]:{}", host, port)
                              : fmt::format("{}:{}", host, port);
}

// What handlers that are done have printed may still lie in stdio's buffers. One that hangs may
// hold the lock of a stream, so this is not waited for without end; standard output comes first.
void flush_streams() {
    try {
        const auto flushed = std::make_shared<std::promise<void>>();
        std::thread([flushed] {
            std::fflush(stdout);
            std::fflush(nullptr);
            flushed->set_value();
        }).detach();
        flushed->get_future().wait_for(kFlushTime);
    } catch (const std::system_error&) {
        log_warn("no thread can be started: what is buffered is lost");
    }
}

}  // namespace

Serving::Serving(
    const Options& options, Registry& registry, const std::atomic<bool>& ready, Loop& loop
)
    : options_(options),
      loop_(loop),
      certificates_(options, loop),
      service_(options, registry, loop),
      health_(ready),
      server_(loop, service_, limits_) {
    limits_.request_ms = kRequestMs;
    limits_.connections = kConnections;
    limits_.bytes_in_flight =
        std::max<std::uint64_t>(limits_.bytes_in_flight, 2 * options.body_bytes);
}

Serving::~Serving() {
    loop_.cancel(overdue_);
}

Result<void> Serving::start() {
    if (Result<void> opened = service_.open(); !opened) {
        return opened;
    }
    if (!options_.tls_certificate.empty() && options_.unix_socket.empty()) {
        if (Result<void> read = certificates_.read(); !read) {
            return read;
        }
        server_.set_tls(certificates_.context());
        certificates_.on_change([this] { server_.set_tls(certificates_.context()); });
    }
    if (Result<void> listening = listen(); !listening) {
        return listening;
    }
    service_.when_idle([this] { end_if_done(); });
    loop_.on_signal([this](int number) { on_signal(number); });
    return {};
}

// Every address, on a machine without IPv6, is every one of IPv4.
std::string Serving::host() {
    if (options_.host != kEverywhere ||
        HttpServer(loop_, health_, limits_).listen(address_text(kEverywhere, 0))) {
        return options_.host;
    }
    return kEverywhereOnV4;
}

Result<void> Serving::listen() {
    if (!options_.unix_socket.empty()) {
        service_.serve_health(&health_);
        return socket_path_.claim(options_.unix_socket, [this] {
            return server_.listen_unix(options_.unix_socket);
        });
    }
    const std::string to = host();
    if (options_.health_port != 0) {
        health_server_ = std::make_unique<HttpServer>(loop_, health_, limits_);
        Result<void> listening = health_server_->listen(address_text(to, options_.health_port));
        if (!listening) {
            return listening;
        }
    }
    return server_.listen(address_text(to, options_.port));
}

std::string Serving::where() const {
    if (!options_.unix_socket.empty()) {
        return server_.address();
    }
    return fmt::format(
        "{}://{}/", options_.tls_certificate.empty() ? "http" : "https", server_.address()
    );
}

void Serving::run() {
    loop_.run();
}

void Serving::on_signal(int number) {
    if (number != SIGHUP && stopping_) {
        end_anyway();
    } else if (number != SIGHUP) {
        stop();
    } else if (certificates_.context() != nullptr) {
        certificates_.reload();
    }
}

void Serving::stop() {
    if (std::exchange(stopping_, true)) {
        return;
    }
    log_info("stopping", {{"events", service_.unfinished()}});
    health_.stop();
    overdue_ = loop_.call_after(options_.drain_time, [this] { end_anyway(); });
    server_.stop(options_.drain_time, [this] {
        connections_gone_ = true;
        end_if_done();
    });
}

void Serving::end_if_done() {
    if (connections_gone_ && service_.unfinished() == 0) {
        loop_.stop();
    }
}

// A thread cannot be ended from outside, and what a handler uses must not go away under it: the
// process ends instead, without cleaning up after them.
void Serving::end_anyway() {
    if (service_.unfinished() == 0) {
        loop_.stop();
        return;
    }
    log_error(
        "handlers are not done in time: the program ends without them",
        {{"events", service_.unfinished()}}
    );
    socket_path_.release();
    flush_streams();
    std::_Exit(EXIT_FAILURE);
}

}  // namespace belfry::eventkit
