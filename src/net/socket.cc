#include "net/socket.h"

#include "base/ascii.h"
#include "base/assert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace belfry {
namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that is gone would end the process.
int bio_write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    int descriptor = -1;
    BIO_get_fd(bio, &descriptor);
    const ssize_t sent =
        ::send(descriptor, bytes, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return static_cast<int>(sent);
}

const BIO_METHOD* bio_method() {
    static const BIO_METHOD* const kMethod = [] {
        const BIO_METHOD* of_socket = BIO_s_socket();
        BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
        ASSERT(made != nullptr);
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, BIO_meth_get_read(of_socket));
        BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(of_socket));
        BIO_meth_set_create(made, BIO_meth_get_create(of_socket));
        BIO_meth_set_destroy(made, BIO_meth_get_destroy(of_socket));
        return made;
    }();
    return kMethod;
}

bool is_address(const std::string& host) {
    in6_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

std::string system_error_text(int error) {
    std::string text = std::strerror(error);
    text[0] = ascii_lower(text[0]);
    return text;
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      wants_write_(other.wants_write_),
      peer_spoke_http_(other.peer_spoke_http_),
      broken_(other.broken_),
      bytes_(other.bytes_),
      tls_(std::exchange(other.tls_, nullptr)),
      context_(std::move(other.context_)),
      failure_(std::move(other.failure_)) {}

Socket::~Socket() {
    close();
}

void Socket::open(int descriptor) {
    ASSERT(descriptor_ < 0);
    descriptor_ = descriptor;
}

void Socket::close() {
    SSL_free(std::exchange(tls_, nullptr));
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

// --- TLS

void Socket::begin_tls(std::shared_ptr<const TlsContext> context) {
    ASSERT(tls_ == nullptr && descriptor_ >= 0);
    context_ = std::move(context);
    tls_ = SSL_new(context_->get());
    ASSERT(tls_ != nullptr);
    BIO* bio = BIO_new(bio_method());
    ASSERT(bio != nullptr);
    BIO_set_fd(bio, descriptor_, BIO_NOCLOSE);
    SSL_set_bio(tls_, bio, bio);
}

void Socket::begin_tls_server(std::shared_ptr<const TlsContext> context) {
    begin_tls(std::move(context));
    SSL_set_accept_state(tls_);
}

void Socket::begin_tls_client(std::shared_ptr<const TlsContext> context, const std::string& host) {
    begin_tls(std::move(context));
    SSL_set_connect_state(tls_);
    if (is_address(host)) {
        ASSERT(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_), host.c_str()) == 1);
        return;
    }
    SSL_set_hostflags(tls_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ASSERT(SSL_set1_host(tls_, host.c_str()) == 1);
    ASSERT(SSL_set_tlsext_host_name(tls_, host.c_str()) == 1);
}

Socket::Io Socket::handshake() {
    ERR_clear_error();
    return after_tls(SSL_do_handshake(tls_));
}

Socket::Io Socket::after_tls(int result) {
    if (result > 0) {
        bytes_ = static_cast<std::size_t>(result);
        return Io::done;
    }
    const int error_number = errno;
    switch (SSL_get_error(tls_, result)) {
        case SSL_ERROR_WANT_READ:
            wants_write_ = false;
            return Io::again;
        case SSL_ERROR_WANT_WRITE:
            wants_write_ = true;
            return Io::again;
        case SSL_ERROR_ZERO_RETURN:
            return Io::closed;
        case SSL_ERROR_SYSCALL:
            broken_ = true;
            failure_ =
                error_number != 0 ? system_error_text(error_number) : "the connection was closed";
            return Io::failed;
        default:
            broken_ = true;
            explain_tls();
            return Io::failed;
    }
}

// A certificate that was refused says why in the verification's words, which name the reason better
// than "certificate verify failed".
void Socket::explain_tls() {
    const unsigned long error = ERR_peek_error();
    const int reason = ERR_GET_REASON(error);
    const long verified = SSL_get_verify_result(tls_);
    const char* text = ERR_reason_error_string(error);
    if (verified != X509_V_OK) {
        failure_ = "the server's certificate is refused: ";
        failure_ += X509_verify_cert_error_string(verified);
        if (SSL_is_server(tls_) != 0) {
            failure_.replace(0, std::strlen("the server's"), "the client's");
        }
    } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        failure_ = "the connection was closed";
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER && SSL_is_server(tls_) == 0) {
        failure_ = "TLS: the server does not speak it on this port";
    } else {
        failure_ = "TLS: ";
        failure_ += text != nullptr ? text : "protocol error";
    }
    peer_spoke_http_ = reason == SSL_R_HTTP_REQUEST;
    ERR_clear_error();
}

// --- Bytes

Socket::Io Socket::after_plain(std::ptrdiff_t moved) {
    if (moved >= 0) {
        bytes_ = static_cast<std::size_t>(moved);
        return Io::done;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return Io::again;
    }
    failure_ = system_error_text(errno);
    return Io::failed;
}

Socket::Io Socket::read(char* buffer, std::size_t size) {
    if (tls_ == nullptr) {
        const ssize_t got = ::recv(descriptor_, buffer, size, MSG_DONTWAIT);
        return got == 0 ? Io::closed : after_plain(got);
    }
    ERR_clear_error();
    // Whole records at a time: what is left decrypted inside OpenSSL, no poll would tell of.
    std::size_t total = 0;
    do {
        const int got = SSL_read(
            tls_, buffer + total, static_cast<int>(std::min<std::size_t>(size - total, INT_MAX))
        );
        if (got <= 0) {
            if (total == 0) {
                return after_tls(got);
            }
            break;  // shows again at the next read
        }
        total += static_cast<std::size_t>(got);
    } while (total < size && SSL_pending(tls_) > 0);
    bytes_ = total;
    return Io::done;
}

Socket::Io Socket::write(std::string_view bytes) {
    if (tls_ == nullptr) {
        return after_plain(
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
        );
    }
    ERR_clear_error();
    return after_tls(SSL_write(
        tls_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))
    ));
}

Socket::Io Socket::write(std::string_view first, std::string_view second) {
    if (tls_ != nullptr || first.empty() || second.empty()) {
        return write(first.empty() ? second : first);
    }
    // sendmsg does not write through these.
    std::array<iovec, 2> pieces{
        iovec{const_cast<char*>(first.data()), first.size()},
        iovec{const_cast<char*>(second.data()), second.size()}
    };
    msghdr bytes{};
    bytes.msg_iov = pieces.data();
    bytes.msg_iovlen = pieces.size();
    return after_plain(::sendmsg(descriptor_, &bytes, MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Socket::finish_writing() {
    if (tls_ != nullptr && !broken_) {
        SSL_shutdown(tls_);
        ERR_clear_error();
    }
    ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace belfry
