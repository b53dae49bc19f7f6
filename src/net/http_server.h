// HTTP/1.1 server: listens, parses with Beast's parser under the strict rules of RFC 9112, answers.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "net/http.h"
#include "net/loop.h"

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>

namespace belfry {

class TlsContext;

// Why requests are refused: each with the status that says so, a failed handshake of TLS without.
enum class RefusalReason : std::uint8_t {
    malformed,              // 400
    slow,                   // 408
    body_too_large,         // 413
    request_line_too_long,  // 414
    expectation,            // 417
    headers_too_large,      // 431
    unsupported,            // 501
    no_room,                // 503
    tls,
};
// As metrics name them, in the same order.
inline constexpr std::array<std::string_view, 9> kRefusalReasons{
    "malformed",
    "slow",
    "body_too_large",
    "request_line_too_long",
    "expectation",
    "headers_too_large",
    "unsupported",
    "no_room",
    "tls",
};
static_assert(kRefusalReasons.size() == static_cast<std::size_t>(RefusalReason::tls) + 1);

// How many were refused, by reason.
class RefusalCounts {
 public:
    void add(RefusalReason reason) { ++counts_[static_cast<std::size_t>(reason)]; }
    [[nodiscard]] std::uint64_t of(RefusalReason reason) const {
        return counts_[static_cast<std::size_t>(reason)];
    }
    [[nodiscard]] std::uint64_t all() const {
        return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
    }

 private:
    std::array<std::uint64_t, kRefusalReasons.size()> counts_{};
};

struct HttpServerStatus {
    std::uint64_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t requests = 0;
    RefusalCounts refused;  // requests, and handshakes of TLS
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t sends = 0;     // system calls that sent answers
    std::uint64_t rejected = 0;  // connections closed unheard: too many, or out of descriptors
    std::uint64_t bytes_in_flight = 0;               // requests not whole yet, answers not sent yet
    WallTime certificate_expires = WallTime::max();  // max: none is served
};

// Owned by the wiring; loop, service and limits must outlive it. I/O thread only.
class HttpServer {
 public:
    HttpServer(Loop& loop, HttpService& service, const Limits& limits);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // Binds "127.0.0.1:8420", "[::1]:8420", "0.0.0.0:0" … and accepts. An error names the address.
    [[nodiscard]] Result<void> listen(const std::string& address);
    // Binds a Unix socket instead: an absolute path at which nothing is yet; who calls removes it
    // afterwards. Its mode is what the umask leaves.
    [[nodiscard]] Result<void> listen_unix(const std::string& path);
    // Connections to come speak TLS, as this says; those that are there keep what they have.
    void set_tls(std::shared_ptr<const TlsContext> tls);
    // The bound address, with the real port; "unix:/run/a.sock".
    [[nodiscard]] std::string address() const;
    [[nodiscard]] bool is_loopback() const;
    // Stops accepting, answers what was asked, closes idle connections and those with a stream;
    // `done` when none is left or `wait` has passed (the rest is cut).
    void stop(Duration wait, Task done);
    [[nodiscard]] HttpServerStatus status() const;

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace belfry
