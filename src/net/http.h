// What an HTTP request looks like to a handler, and how it is answered.
#pragma once

#include "base/error.h"
#include "base/header_field.h"
#include "net/stream_piece.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

enum class Method : std::uint8_t { get, head, post, put, del, options, patch, other };

// A request as views, valid until the handler returns; a handler that answers later copies what it
// needs.
struct HttpRequest {
    Method method = Method::other;
    std::string_view method_text;          // as it came
    std::string_view target;               // as it came: path and query
    std::string_view path;                 // raw, not decoded
    std::string_view query;                // raw, without `?`
    std::span<const HeaderField> headers;  // in order; names as they came
    std::string_view body;
    std::string_view peer;  // address of the other end, without port
    bool peer_is_loopback = false;

    // The first header of that name (any case); nullopt if absent.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// An answer. `headers` are whole lines, each ended by CRLF, without Content-Length, Date or
// Connection, which the server writes.
struct HttpResponse {
    int status = 200;
    std::string_view content_type = {};  // empty: none
    std::string_view headers = {};
    std::string_view body = {};
    bool close = false;  // close the connection afterwards
};

// The server's side of an Exchange. Outlives its exchanges. `request` is the exchange's number on
// it.
class HttpConnection {
 public:
    // Among those of its server; none has had it before. 0: it is no server's.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    virtual void respond(std::uint64_t request, const HttpResponse& response) = 0;
    virtual void begin_stream(std::uint64_t request, const HttpResponse& head) = 0;
    virtual bool write(std::uint64_t request, const StreamPiece& piece) = 0;
    virtual void end_stream(std::uint64_t request) = 0;
    [[nodiscard]] virtual std::size_t unsent(std::uint64_t request) const = 0;
    virtual void on_drained(std::uint64_t request, std::move_only_function<void()> callback) = 0;
    [[nodiscard]] virtual bool alive(std::uint64_t request) const = 0;
    virtual void on_gone(std::uint64_t request, std::move_only_function<void()> callback) = 0;
    // The exchange ended without respond() or end_stream(): unanswered, or its stream is cut.
    virtual void dropped(std::uint64_t request) = 0;

 protected:
    explicit HttpConnection(std::uint64_t number = 0) : number_(number) {}
    ~HttpConnection() = default;

 private:
    const std::uint64_t number_;
};

// The obligation to answer one request; moves, does not copy. If it is dropped unanswered, the
// server answers 500. If the client is gone, answers go nowhere and say so. I/O thread only.
class Exchange {
 public:
    Exchange() = default;
    Exchange(HttpConnection* connection, std::uint64_t request);
    Exchange(Exchange&& other) noexcept;
    Exchange& operator=(Exchange&& other) noexcept;
    ~Exchange();

    // Answers and ends the exchange, which is empty afterwards; answers of one connection leave in
    // request order. HEAD requests get the headers only.
    void respond(const HttpResponse& response);
    // Begins an endless answer (SSE): the head leaves now, the body by write(), in chunks unless
    // the client is of HTTP/1.0. Pipelined requests are not read before it ends. If this is dropped
    // without end_stream(), the connection closes, and the client sees that the answer was cut.
    void begin_stream(const HttpResponse& head);
    // Sends now what the socket takes and keeps the rest; false if the client is gone or
    // limits.stream_buffer_bytes are waiting: then the connection closes.
    bool write(const StreamPiece& piece);
    // Ends the stream, which is whole, and the exchange, which is empty afterwards.
    void end_stream();
    // Bytes of write() that have not left yet, framing included.
    [[nodiscard]] std::size_t unsent() const;
    // Called once as soon as unsent() is 0 again, never from within this call; a writer that is
    // ahead of its client goes on then. Dropped when the client goes away.
    void on_drained(std::move_only_function<void()> callback);
    // The number of its connection. Not of an empty one.
    [[nodiscard]] std::uint64_t connection() const;
    // True as long as the client is there.
    [[nodiscard]] bool alive() const;
    // Called once when the client goes away before the answer was complete; not after, and not once
    // this is dropped. It must not destroy this exchange's connection's server.
    void on_gone(std::move_only_function<void()> callback);

 private:
    HttpConnection* connection_ = nullptr;
    std::uint64_t request_ = 0;
};

// What the server asks of the program behind it.
class HttpService {
 public:
    virtual ~HttpService() = default;
    struct Admission {
        std::uint64_t body_limit = 0;
        bool waits = false;  // the handler waits by nature: no request time-out
    };
    // The head is there, the body is not (request.body is empty): how much body may come?
    [[nodiscard]] virtual Admission admit(const HttpRequest& head) = 0;
    // The body is longer than kStrangersBodyBytesMax, or of unknown length, and would have to be
    // kept until it is whole. If not, handle() follows at once, without the body, to answer the
    // same as with it, and the connection closes afterwards.
    [[nodiscard]] virtual bool admit_body(const HttpRequest& /*head*/) { return true; }
    // The whole request.
    virtual void handle(const HttpRequest& request, Exchange exchange) = 0;
    // The request breaks a limit or a rule (`status` 400, 408, 413, 414, 431, 501, 503); answer it
    // in the words of its path. Only what was parsed is set. The connection closes afterwards.
    virtual void refuse(
        const HttpRequest& head, int status, const Error& error, Exchange exchange
    ) = 0;
};

// The reason phrase of a status: "Not Found".
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace belfry
