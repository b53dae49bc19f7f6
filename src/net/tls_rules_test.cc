// The rules of both contexts, by handshakes in memory with peers of OpenSSL that keep none of them.
#include "net/test_certificates.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <functional>
#include <utility>

namespace belfry {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// What is allowed to everybody here, so that a refusal is Belfry's.
Context lax(const SSL_METHOD* method) {
    Context context(SSL_CTX_new(method), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    return context;
}

class Wire {
 public:
    Wire(SSL_CTX* client, SSL_CTX* server) : client_(SSL_new(client)), server_(SSL_new(server)) {
        BIO* one = nullptr;
        BIO* other = nullptr;
        EXPECT_EQ(BIO_new_bio_pair(&one, 0, &other, 0), 1);
        SSL_set_bio(client_, one, one);
        SSL_set_bio(server_, other, other);
        SSL_set_connect_state(client_);
        SSL_set_accept_state(server_);
    }
    ~Wire() {
        SSL_free(client_);
        SSL_free(server_);
    }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    // The version, or "refused".
    std::string shake() {
        bool client_done = false;
        bool server_done = false;
        for (int round = 0; round < 20 && !(client_done && server_done); ++round) {
            const int client = SSL_do_handshake(client_);
            const int server = SSL_do_handshake(server_);
            if (failed(client_, client) || failed(server_, server)) {
                return "refused";
            }
            client_done = client == 1;
            server_done = server == 1;
        }
        return client_done && server_done ? SSL_get_version(client_) : "no end";
    }
    // Lets the client take what the server sent behind the handshake, and the server what the
    // client asks for; whether the client is refused.
    bool refused_behind() {
        char byte = 0;
        for (int round = 0; round < 5; ++round) {
            const int server = SSL_read(server_, &byte, 1);
            const int client = SSL_read(client_, &byte, 1);
            if (failed(client_, client) || failed(server_, server)) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] SSL* client() const { return client_; }

 private:
    static bool failed(const SSL* tls, int result) {
        if (result > 0) {
            return false;
        }
        const int error = SSL_get_error(tls, result);
        return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    }

    SSL* client_;
    SSL* server_;
};

struct TlsRulesTest : testing::Test {
    // A server that allows everything, with a certificate that clients here trust.
    Context lax_server(const TestCertificates::Files& files) {
        Context context = lax(TLS_server_method());
        EXPECT_EQ(
            SSL_CTX_use_certificate_file(
                context.get(), files.certificate.c_str(), SSL_FILETYPE_PEM
            ),
            1
        );
        EXPECT_EQ(
            SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM), 1
        );
        return context;
    }

    TestCertificates certificates;
    const TestCertificates::Files rsa =
        certificates.issue("DNS:localhost", std::chrono::hours(1), EVP_RSA_gen(2048));
    const std::shared_ptr<const TlsContext> server =
        TlsContext::server({rsa.certificate, rsa.key, ""}).value();
    const std::shared_ptr<const TlsContext> client = certificates.client();
    const Context lax_client = lax(TLS_client_method());
    const Context other_server = lax_server(rsa);
};

TEST_F(TlsRulesTest, WithAnRsaKeyThereIsForwardSecrecyAndNoCbc) {
    for (const auto& [cipher, by_belfry] :
         {std::pair("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"),
          std::pair("AES128-GCM-SHA256", "refused"),
          std::pair("AES256-SHA", "refused"),
          std::pair("ECDHE-RSA-AES128-SHA", "refused")}) {
        const Context only = lax(TLS_client_method());
        SSL_CTX_set_max_proto_version(only.get(), TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(only.get(), (std::string(cipher) + ":@SECLEVEL=0").c_str());
        EXPECT_EQ(Wire(only.get(), other_server.get()).shake(), "TLSv1.2") << cipher;
        EXPECT_EQ(Wire(only.get(), server->get()).shake(), by_belfry) << cipher;
    }
}

TEST_F(TlsRulesTest, TheClientSpeaksTwoVersionsToo) {
    EXPECT_EQ(Wire(client->get(), other_server.get()).shake(), "TLSv1.3");
    SSL_CTX_set_max_proto_version(other_server.get(), TLS1_2_VERSION);
    EXPECT_EQ(Wire(client->get(), other_server.get()).shake(), "TLSv1.2");
    SSL_CTX_set_max_proto_version(other_server.get(), TLS1_1_VERSION);
    EXPECT_EQ(Wire(lax_client.get(), other_server.get()).shake(), "TLSv1.1");
    EXPECT_EQ(Wire(client->get(), other_server.get()).shake(), "refused");
}

TEST_F(TlsRulesTest, ARenegotiationIsRefused) {
    SSL_CTX_set_max_proto_version(lax_client.get(), TLS1_2_VERSION);
    const auto refused = [&](SSL_CTX* by) {
        Wire wire(lax_client.get(), by);
        EXPECT_EQ(wire.shake(), "TLSv1.2");
        EXPECT_EQ(SSL_renegotiate(wire.client()), 1);
        SSL_do_handshake(wire.client());
        return wire.refused_behind();
    };
    SSL_CTX_set_options(other_server.get(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    EXPECT_FALSE(refused(other_server.get()));
    EXPECT_TRUE(refused(server->get()));
}

TEST_F(TlsRulesTest, ASessionAllowsNoEarlyData) {
    const auto allowed = [&](SSL_CTX* by) {
        Wire wire(lax_client.get(), by);
        EXPECT_EQ(wire.shake(), "TLSv1.3");
        EXPECT_FALSE(wire.refused_behind());
        SSL_SESSION* session = SSL_get1_session(wire.client());
        EXPECT_EQ(SSL_SESSION_is_resumable(session), 1) << "no ticket came";
        const std::uint32_t bytes = SSL_SESSION_get_max_early_data(session);
        SSL_SESSION_free(session);
        return bytes;
    };
    SSL_CTX_set_max_early_data(other_server.get(), 1024);
    EXPECT_EQ(allowed(other_server.get()), 1024U);
    EXPECT_EQ(allowed(server->get()), 0U);
}

TEST_F(TlsRulesTest, NothingIsCompressed) {
    // OpenSSL of Debian is built without, so there is nothing to shake hands about.
    for (SSL_CTX* context : {server->get(), client->get()}) {
        EXPECT_NE(SSL_CTX_get_options(context) & SSL_OP_NO_COMPRESSION, 0U);
    }
}

}  // namespace
}  // namespace belfry
