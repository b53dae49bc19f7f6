// A connected stream socket, with or without TLS: what a connection reads from and writes to.
// Never blocks, never raises SIGPIPE. Owned by its connection; I/O thread only.
#pragma once

#include "net/tls_context.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;

namespace belfry {

class Socket {
 public:
    enum class Io : std::uint8_t {
        done,    // of a handshake: it is over; else bytes() were moved
        again,   // not before the socket is ready
        closed,  // read only: the peer has finished writing
        failed,  // failure() says why
    };

    Socket() = default;
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&&) = delete;
    ~Socket();  // closes

    // Takes the descriptor over; only if there is none.
    void open(int descriptor);
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

    // Speaks TLS from here on; handshake() comes first then.
    void begin_tls_server(std::shared_ptr<const TlsContext> context);
    // `host`, a name or an address literal, is what the certificate must be for (RFC 6125) and, a
    // name, what the server is told (SNI).
    void begin_tls_client(std::shared_ptr<const TlsContext> context, const std::string& host);
    // After `again`: call once more when the socket is ready for what wants_write() says.
    Io handshake();
    // The handshake waits until it can write; else until it can read.
    [[nodiscard]] bool wants_write() const { return wants_write_; }

    Io read(char* buffer, std::size_t size);
    // May write a part. What `again` refused must be the beginning of the next write.
    Io write(std::string_view bytes);
    // Both, one after the other, in one system call where that can be.
    Io write(std::string_view first, std::string_view second);
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // Tells the peer that nothing more comes. Best effort.
    void finish_writing();
    void close();
    // A short sentence without addresses, for people.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    // The peer spoke plain HTTP where TLS was expected.
    [[nodiscard]] bool peer_spoke_http() const { return peer_spoke_http_; }

 private:
    void begin_tls(std::shared_ptr<const TlsContext> context);
    Io after_tls(int result);
    Io after_plain(std::ptrdiff_t moved);
    void explain_tls();

    int descriptor_ = -1;
    bool wants_write_ = false;
    bool peer_spoke_http_ = false;
    bool broken_ = false;  // a fatal error happened: no word of farewell
    std::size_t bytes_ = 0;
    ssl_st* tls_ = nullptr;
    std::shared_ptr<const TlsContext> context_;
    std::string failure_;
};

// What errno means, in lower case.
[[nodiscard]] std::string system_error_text(int error);

}  // namespace belfry
