// HTTP/1.1 client: prebuilt request bytes out, a small answer in; connections are kept and pooled
// per endpoint. Redirects are not followed.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "net/loop.h"
#include "net/outbound_guard.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class TlsContext;

struct HttpCall {
    std::string host;  // name or address literal, without brackets
    std::uint16_t port = 80;
    std::string unix_path;  // a socket that is called instead; `host` and `port` are not looked at
    bool secure = false;    // https
    std::shared_ptr<const TlsContext> tls;  // of a secure call; none: the client's own
    std::string head;                       // request line and headers, ended by an empty line
    std::string_view body;                  // kept alive by body_owner; copied if small
    std::shared_ptr<const void> body_owner;
    Duration timeout{};  // for everything, connecting too
    Duration connect_timeout = std::chrono::seconds(3);
    bool head_request = false;    // the answer has no body
    std::uint64_t body_most = 0;  // of the answer; 0: limits.response_body_bytes
};

struct HttpReply {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;  // at most HttpCall::body_most; the rest is dropped
    bool body_truncated = false;

    [[nodiscard]] std::optional<std::string_view> header(std::string_view lower_case_name) const;
};
using HttpReplyDone = std::move_only_function<void(Result<HttpReply>)>;

// Owned by the wiring; loop, limits and guard must outlive it. Must not be destroyed from within a
// callback of its own. Destruction ends the calls in flight; their `done` does not run. I/O thread
// only.
class HttpClient {
 public:
    // No connection is made to an address that the guard refuses.
    HttpClient(Loop& loop, const Limits& limits, const OutboundGuard& guard);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // Asked by each secure call that brings none of its own; until it gives one they fail. It gives
    // the same one until certificates change.
    using TlsSource = std::function<std::shared_ptr<const TlsContext>()>;
    void set_tls(TlsSource tls);
    // `done` runs once, never from within this call. Every transport failure is Errc::unavailable
    // with a plain sentence ("connection refused", "timed out after 15 s while connecting",
    // "headers over 16384 bytes"), a refusal of the guard Errc::denied. If the guard refuses some
    // addresses of a name, the others are tried. A request on a kept connection that was closed
    // before the first byte of an answer is sent once more on a new one.
    void call(HttpCall call, HttpReplyDone done);
    // A streamed answer (SSE): `on_bytes` for each piece, then `done` with the status and headers
    // when it ends. The time-out covers connecting and the head only. The number cancels: neither
    // callback runs after that.
    std::uint64_t stream(
        HttpCall call, std::function<void(std::string_view)> on_bytes, HttpReplyDone done
    );
    void cancel(std::uint64_t stream);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace belfry
