#include "net/tls_context.h"

#include "base/assert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <chrono>
#include <string_view>

namespace belfry {
namespace {

constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kSessionName[] = "belfry";
// HTTP/1.1 is all that is spoken here (RFC 7301, 3.1: a length before each name).
constexpr unsigned char kProtocols[] = "\x08http/1.1";
constexpr unsigned int kProtocolsSize = sizeof(kProtocols) - 1;

// The first error OpenSSL noted, without its codes and source lines.
std::string reason() {
    const unsigned long error = ERR_get_error();
    ERR_clear_error();
    const char* text = ERR_reason_error_string(error);
    return text != nullptr ? text : "unknown reason";
}

Error file_error(const std::string& what, const std::string& file) {
    return Error{Errc::bad_request, what + " " + file + ": " + reason()};
}

// A client that offers other protocols only is turned away rather than spoken to in the wrong one.
int choose_protocol(
    SSL* /*ssl*/,
    const unsigned char** out,
    unsigned char* out_size,
    const unsigned char* in,
    unsigned int in_size,
    void* /*unused*/
) {
    unsigned char* chosen = nullptr;
    const int result =
        SSL_select_next_proto(&chosen, out_size, kProtocols, kProtocolsSize, in, in_size);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX* make_context(const SSL_METHOD* method) {
    SSL_CTX* context = SSL_CTX_new(method);
    ASSERT(context != nullptr);
    ASSERT(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    ASSERT(SSL_CTX_set_cipher_list(context, kCiphers) == 1);
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
            SSL_OP_PRIORITIZE_CHACHA
    );
    // Answers grow while they wait to be sent, and an idle connection owns no buffer.
    SSL_CTX_set_mode(
        context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
            SSL_MODE_RELEASE_BUFFERS
    );
    return context;
}

WallTime end_of(const X509* certificate) {
    tm broken{};
    ASSERT(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &broken) == 1);
    return std::chrono::time_point_cast<WallTime::duration>(
        std::chrono::system_clock::from_time_t(timegm(&broken))
    );
}

}  // namespace

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

Result<void> TlsContext::load_own(const std::string& certificate, const std::string& key) {
    if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1) {
        return std::unexpected(file_error("no certificate can be read from", certificate));
    }
    if (SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return std::unexpected(file_error("no key of " + certificate + " can be read from", key));
    }
    if (SSL_CTX_check_private_key(context_) != 1) {
        return std::unexpected(file_error("the key does not belong to the certificate", key));
    }
    const X509* own = SSL_CTX_get0_certificate(context_);
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0) {
        return fail(Errc::bad_request, "the certificate in " + certificate + " has expired");
    }
    expires_ = end_of(own);
    return {};
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsServerFiles& files) {
    std::shared_ptr<TlsContext> made(new TlsContext(make_context(TLS_server_method())));
    if (Result<void> own = made->load_own(files.certificate, files.key); !own) {
        return std::unexpected(std::move(own.error()));
    }
    SSL_CTX_set_alpn_select_cb(made->context_, choose_protocol, nullptr);
    SSL_CTX_set_session_id_context(made->context_, kSessionName, sizeof(kSessionName) - 1);
    if (files.client_ca.empty()) {
        return made;
    }
    STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
    ASSERT(names != nullptr);
    SSL_CTX_set_client_CA_list(made->context_, names);
    std::vector<std::string> authorities = files.more_client_cas;
    authorities.insert(authorities.begin(), files.client_ca);
    for (const std::string& file : authorities) {
        if (SSL_add_file_cert_subjects_to_stack(names, file.c_str()) != 1 ||
            SSL_CTX_load_verify_file(made->context_, file.c_str()) != 1) {
            return std::unexpected(file_error("no certificate can be read from", file));
        }
    }
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsClientFiles& files) {
    std::shared_ptr<TlsContext> made(new TlsContext(make_context(TLS_client_method())));
    ASSERT(SSL_CTX_set_alpn_protos(made->context_, kProtocols, kProtocolsSize) == 0);
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
    // A machine without certificates of its own is not an error: what is missing shows per host.
    SSL_CTX_set_default_verify_paths(made->context_);
    ERR_clear_error();
    if (!files.ca.empty() && SSL_CTX_load_verify_file(made->context_, files.ca.c_str()) != 1) {
        return std::unexpected(file_error("no certificate can be read from", files.ca));
    }
    if (!files.certificate.empty()) {
        if (Result<void> own = made->load_own(files.certificate, files.key); !own) {
            return std::unexpected(std::move(own.error()));
        }
    }
    return made;
}

}  // namespace belfry
