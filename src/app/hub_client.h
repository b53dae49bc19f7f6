// A running hub, as the commands see it: one call after another, each blocking until it is
// answered. Owned by the command; one thread, which runs the loop inside the calls. Nothing is sent
// twice but by follow().
#pragma once

#include "app/event_stream.h"
#include "app/exit_code.h"
#include "app/url_text.h"
#include "base/limits.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/tls_context.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belfry {

// Why a command ends without success, in words and as a code; the texts are safe for a terminal.
struct HubFailure {
    ExitCode code = ExitCode::failure;
    std::string sentence;
    std::string next_step;
    int status = 0;  // what the hub answered; 0: it did not
};
template <typename T>
using HubResult = std::expected<T, HubFailure>;

struct HubRequest {
    std::string_view method = "GET";
    Target target;
    std::string content_type = {};
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    Duration timeout = std::chrono::seconds(60);  // the slowest is a test delivery
};

// What to follow, and who hears of it.
struct StreamRequest {
    Target target;
    std::string after;  // Last-Event-ID to begin with; empty: from now on
    std::function<bool(const StreamEvent&, std::string_view id)> on_event;  // false: enough
    std::function<void(std::string_view reason, Duration wait)> on_wait;  // before a new connection
};

class HubClient {
 public:
    // The token may be empty. A header value with a control character in it is refused by call().
    // Without `tls` it speaks plain http.
    HubClient(Url address, std::string token, std::shared_ptr<const TlsContext> tls = nullptr);

    // The answer, if its status is 2xx. Ends without one when somebody stops the loop meanwhile.
    [[nodiscard]] HubResult<HttpReply> call(const HubRequest& request);
    // Reads a stream of events until on_event has enough; connects anew after a loss, with growing
    // waits, and goes on after the last event. Fails if the first connection does, or when the hub
    // refuses.
    [[nodiscard]] HubResult<void> follow(StreamRequest request);
    [[nodiscard]] const Clock& clock() const { return loop_; }
    // For signals and timers of the command; what runs there runs within the calls.
    [[nodiscard]] Loop& loop() { return loop_; }

 private:
    class Follower;
    [[nodiscard]] HubResult<HttpCall> prepare(const HubRequest& request) const;
    [[nodiscard]] HubFailure unreachable(const Error& error) const;

    const Url address_;
    const std::string token_;
    Limits limits_;
    Loop loop_;
    const OutboundGuard guard_ = OutboundGuard::unrestricted();  // it calls what its user names
    HttpClient client_;
};

// What an answer outside 2xx says: the problem document if there is one, the sentence of a plain
// text.
[[nodiscard]] HubFailure failure_of(
    int status, std::string_view body, std::string_view content_type = {}
);

}  // namespace belfry
