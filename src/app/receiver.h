// A listener for people who try things out: answers deliveries and prints each. Owned by the listen
// command; I/O thread only.
#pragma once

#include "app/console.h"
#include "base/limits.h"
#include "net/http.h"

#include <cstdint>
#include <functional>
#include <string>

namespace belfry {

struct ReceiverOptions {
    int status = 204;              // what deliveries are answered
    std::uint64_t fail = 0;        // so many at first are answered 500 instead
    std::uint64_t count = 0;       // done after so many; 0: never
    std::uint64_t body_bytes = 0;  // of one delivery at most
    // Whether the signature of a request is good; empty: no secret is known.
    std::function<Result<void>(const HttpRequest&)> check_signature;
    std::function<void()> on_done;  // once, after `count`
};

class Receiver final : public HttpService {
 public:
    // The console must outlive it.
    Receiver(ReceiverOptions options, Console& console);

    [[nodiscard]] Admission admit(const HttpRequest& head) override;
    void handle(const HttpRequest& request, Exchange exchange) override;
    void refuse(const HttpRequest& head, int status, const Error& error, Exchange exchange)
        override;
    [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
    [[nodiscard]] std::string signature_text(const HttpRequest& request) const;

    const ReceiverOptions options_;
    Console& console_;
    std::uint64_t received_ = 0;
};

}  // namespace belfry
