// Answers in Consul's manner: what its HTTP wrapper puts around every answer of its API (Consul's
// agent/http.go: setHeaders, marshalJSON, the gzip handler). Owned by the door. I/O thread only.
#pragma once

#include "doors/routes.h"

#include <functional>
#include <string>
#include <string_view>

namespace belfry {

// How a request wants its JSON. `pretty`: indented by four spaces and ended by a line break, else
// compact and without one.
struct JsonForm {
    bool pretty = false;
    bool gzip = false;  // the client takes it
    bool operator==(const JsonForm&) const = default;
};
[[nodiscard]] JsonForm json_form(const RequestContext& context);

// The JSON as `form` has it on the wire; empty when that is `compact` itself.
struct WireJson {
    std::string bytes;
    bool is_gzip = false;
};
[[nodiscard]] WireJson wire_json(std::string_view compact, JsonForm form);

class ConsulAnswers {
 public:
    // `denies`: whether who has no token is denied by default, as X-Consul-Default-ACL-Policy says.
    explicit ConsulAnswers(std::function<bool()> denies) : denies_(std::move(denies)) {}

    // 200 application/json. `more_headers`: whole lines, each ended by CRLF.
    void json(
        RequestContext& context, std::string_view compact, std::string_view more_headers = {}
    );
    // The same later, to a request of that form.
    void json(
        Exchange& exchange,
        std::string_view compact,
        JsonForm form,
        std::string_view more_headers = {}
    );
    // The same from bytes that wire_json() made.
    void wire(
        Exchange& exchange, std::string_view bytes, bool is_gzip, std::string_view more_headers
    );
    // Bare text without a line break, as Consul's errors are; an empty one has no media type.
    void text(
        Exchange& exchange, int status, std::string_view text, std::string_view more_headers = {}
    );
    // `Allow: OPTIONS,PUT` from the router's "PUT, OPTIONS"; HEAD is not served.
    [[nodiscard]] static std::string allow_line(std::string_view allow);

 private:
    void begin_headers();

    const std::function<bool()> denies_;
    std::string headers_;  // of the answer being written; keeps its memory
};

}  // namespace belfry
