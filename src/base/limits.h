// Every limit on input, in one table: the code reads the members, configuration sets them as
// `limits.<name>`, GET /api/v1/limits lists them, and docs/limits.md is held against them by a
// test. A value is constant after start; it may be read from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

enum class LimitUnit : std::uint8_t { bytes, count, milliseconds };

// X(name, default, unit, what it bounds and what happens past it)
#define BELFRY_LIMITS(X)                                                                           \
    X(request_line_bytes, 8 * 1024, bytes, "request line; 414")                                    \
    X(header_bytes, 8 * 1024, bytes, "one header line; 431")                                       \
    X(headers_bytes, 32 * 1024, bytes, "all headers of a request; 431")                            \
    X(headers, 100, count, "header lines of a request; 431")                                       \
    X(body_bytes, 1024 * 1024, bytes, "body of a request, data of one event; 413")                 \
    X(batch_bytes, 8 * 1024 * 1024, bytes, "body of a batch of events; 413")                       \
    X(batch_events, 1000, count, "events in a batch; 413")                                         \
    X(header_read_ms, 10'000, milliseconds, "time to send the headers; 408 and close")             \
    X(body_grace_ms, 5'000, milliseconds, "time before a body must keep up with body_rate_bytes")  \
    X(body_rate_bytes,                                                                             \
      1024,                                                                                        \
      bytes,                                                                                       \
      "bytes a second a body must keep up with (408), and a reader of answers; close")             \
    X(idle_ms, 60'000, milliseconds, "idle time of a kept-alive connection; close")                \
    X(request_ms, 60'000, milliseconds, "a whole request, unless its handler waits by nature; 408" \
    )                                                                                              \
    X(tls_handshake_ms, 5'000, milliseconds, "time of a TLS handshake; close")                     \
    X(tls_handshakes, 500, count, "TLS handshakes under way; further connections are closed")      \
    X(connections, 10'000, count, "open connections; 503 and close")                               \
    X(connections_per_address, 256, count, "open connections of one address, not loopback; close") \
    X(requests_per_connection,                                                                     \
      10'000,                                                                                      \
      count,                                                                                       \
      "requests on one connection, not loopback; close after")                                     \
    X(chunk_extension_bytes, 256, bytes, "extensions of one chunk; 400")                           \
    X(json_depth, 64, count, "nesting of JSON that Belfry interprets; 400")                        \
    X(json_keys, 10'000, count, "members of one JSON object; 400")                                 \
    X(json_number_digits, 64, count, "digits of one JSON number; 400")                             \
    X(yaml_bytes, 1024 * 1024, bytes, "a configuration file; refused")                             \
    X(yaml_depth, 32, count, "nesting of a configuration file; refused")                           \
    X(yaml_aliases, 100, count, "aliases in a configuration file; refused")                        \
    X(event_id_bytes, 256, bytes, "an event's id; 400")                                            \
    X(event_type_bytes, 255, bytes, "an event's type; 400")                                        \
    X(event_source_bytes, 1024, bytes, "an event's source; 400")                                   \
    X(event_subject_bytes, 1024, bytes, "an event's subject; 400")                                 \
    X(event_attribute_bytes, 4096, bytes, "any other attribute of an event; 400")                  \
    X(event_extensions, 64, count, "extension attributes of an event; 400")                        \
    X(filter_bytes, 8 * 1024, bytes, "a subscription's filter as JSON; 400")                       \
    X(filter_value_bytes, 1024, bytes, "one value in a filter; 400")                               \
    X(filter_depth, 16, count, "nesting of a filter; 400")                                         \
    X(document_bytes, 64 * 1024, bytes, "a catalog document; 413")                                 \
    X(subscriptions, 10'000, count, "subscriptions of one tenant; 429")                            \
    X(tokens, 10'000, count, "tokens of one tenant; 429")                                          \
    X(policies, 10'000, count, "policies of one tenant; 429")                                      \
    X(extensions, 1000, count, "registered extensions of one tenant; 429")                         \
    X(services, 1000, count, "services of the node; 429")                                          \
    X(services_bytes, 64 * 1024, bytes, "names and tags of the node's services; 429")              \
    X(bad_tokens_per_minute, 30, count, "requests of one address with a wrong token; 429")         \
    X(list_events, 1000, count, "events in one page; 400")                                         \
    X(consul_lists, 1024, count, "different event lists of Consul's API at a time; 503")           \
    X(consul_list_bytes, 256 * 1024 * 1024, bytes, "JSON of all of them in memory; 503")           \
    X(response_headers_bytes, 16 * 1024, bytes, "headers a listener answers; the attempt fails")   \
    X(response_body_bytes,                                                                         \
      64 * 1024,                                                                                   \
      bytes,                                                                                       \
      "body read of a listener's answer; the rest is dropped")                                     \
    X(stream_buffer_bytes,                                                                         \
      256 * 1024,                                                                                  \
      bytes,                                                                                       \
      "unsent bytes of one stream reader; then it reads on from the log")                          \
    X(pending_response_bytes,                                                                      \
      4 * 1024 * 1024,                                                                             \
      bytes,                                                                                       \
      "unsent answers of one connection; no reading until sent")                                   \
    X(bytes_in_flight,                                                                             \
      64 * 1024 * 1024,                                                                            \
      bytes,                                                                                       \
      "requests not whole yet and answers not sent yet, of all connections; 503")

struct Limits {
#define BELFRY_LIMIT_MEMBER(name, value, unit, text) std::uint64_t name = value;
    BELFRY_LIMITS(BELFRY_LIMIT_MEMBER)
#undef BELFRY_LIMIT_MEMBER
};

struct LimitInfo {
    std::string_view name;
    LimitUnit unit;
    std::string_view text;
    std::uint64_t Limits::* member;
};
// In table order.
[[nodiscard]] std::span<const LimitInfo> limit_table();

}  // namespace belfry
