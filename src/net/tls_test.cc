#include "net/http_client.h"
#include "net/socket.h"
#include "net/test_certificates.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <fcntl.h>

namespace belfry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::uint16_t port_of(const std::string& address) {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

// A server that speaks TLS for localhost, and a client that trusts its authority.
struct TlsTest : ServerFixture {
    TlsTest() {
        server.set_tls(certificates.server("DNS:localhost,IP:127.0.0.1"));
        client.set_tls([context = certificates.client()] { return context; });
    }

    HttpCall call_to(const std::string& host, std::string_view body = {}) {
        HttpCall call;
        call.host = host;
        call.port = port_of(server.address());
        call.secure = true;
        call.head =
            "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n";
        call.body = body;
        call.timeout = kLongEnough;
        call.connect_timeout = kLongEnough;
        return call;
    }
    Result<HttpReply> exchange(HttpCall call) {
        std::optional<Result<HttpReply>> reply;
        client.call(std::move(call), [&](Result<HttpReply> r) { reply = std::move(r); });
        EXPECT_TRUE(until([&] { return reply.has_value(); }));
        return reply ? *std::move(reply) : fail(Errc::internal, "no answer");
    }
    std::string failure_of(HttpCall call) {
        const Result<HttpReply> reply = exchange(std::move(call));
        return reply ? "status " + std::to_string(reply->status) : reply.error().detail;
    }

    TestCertificates certificates;
    const OutboundGuard unrestricted = OutboundGuard::unrestricted();
    HttpClient client{loop, limits, unrestricted};
};

TEST_F(TlsTest, AnswersAndKeepsTheConnection) {
    for (int i = 0; i < 3; ++i) {
        const Result<HttpReply> reply = exchange(call_to("localhost", "hello"));
        ASSERT_TRUE(reply.has_value()) << reply.error().detail;
        EXPECT_EQ(reply->body, "hello");
        // What the server sends between calls (tickets) does not end the connection.
        until([this] { return server.status().connections == 1; });
    }
    EXPECT_EQ(server.status().accepted, 1U);
}

TEST_F(TlsTest, BodiesLargerThanEveryBufferArriveWholeBothWays) {
    std::string body(900'000, 'x');
    for (std::size_t i = 0; i < body.size(); ++i) {
        body[i] = static_cast<char>('a' + i % 23);
    }
    limits.response_body_bytes = body.size();
    const Result<HttpReply> reply = exchange(call_to("localhost", body));
    ASSERT_TRUE(reply.has_value()) << reply.error().detail;
    EXPECT_TRUE(reply->body == body);
}

TEST_F(TlsTest, AnAddressIsGoodIfTheCertificateNamesIt) {
    EXPECT_EQ(failure_of(call_to("127.0.0.1")), "status 200");
    server.set_tls(certificates.server("DNS:localhost"));
    EXPECT_THAT(failure_of(call_to("127.0.0.2")), HasSubstr("refused"));
}

TEST_F(TlsTest, RefusesACertificateOfAnotherHost) {
    server.set_tls(certificates.server("DNS:other.example"));
    EXPECT_EQ(
        failure_of(call_to("localhost")), "the server's certificate is refused: hostname mismatch"
    );
    EXPECT_TRUE(service.seen.empty());
}

TEST_F(TlsTest, RefusesACertificateThatHasExpired) {
    const auto files = certificates.issue("DNS:localhost", std::chrono::hours(-1));
    const auto loaded = TlsContext::server({files.certificate, files.key, ""});
    ASSERT_FALSE(loaded.has_value());
    EXPECT_THAT(loaded.error().detail, HasSubstr("has expired"));

    server.set_tls(certificates.expired_server("DNS:localhost"));
    EXPECT_EQ(
        failure_of(call_to("localhost")),
        "the server's certificate is refused: certificate has expired"
    );
}

TEST_F(TlsTest, RefusesAnUnknownAuthority) {
    TestCertificates others;
    server.set_tls(others.server("DNS:localhost"));
    EXPECT_THAT(
        failure_of(call_to("localhost")), HasSubstr("unable to get local issuer certificate")
    );
}

TEST_F(TlsTest, AsksForAClientsCertificateWhenItHasAnAuthorityForThem) {
    server.set_tls(certificates.server("DNS:localhost", certificates.authority()));
    EXPECT_THAT(failure_of(call_to("localhost")), HasSubstr("certificate required"));

    HttpCall call = call_to("localhost");
    call.tls = certificates.client(certificates.issue("DNS:me"));
    EXPECT_EQ(failure_of(std::move(call)), "status 200");

    TestCertificates others;
    call = call_to("localhost");
    const auto foreign = others.issue("DNS:me");
    call.tls = certificates.client(foreign);
    EXPECT_THAT(failure_of(std::move(call)), Not(HasSubstr("status")));
    EXPECT_EQ(service.seen.size(), 1U);

    const auto own = certificates.issue("DNS:localhost");
    server.set_tls(*TlsContext::server({
        .certificate = own.certificate,
        .key = own.key,
        .client_ca = certificates.authority(),
        .more_client_cas = {others.authority()},
    }));
    call = call_to("localhost");
    call.tls = certificates.client(foreign);
    EXPECT_EQ(failure_of(std::move(call)), "status 200") << "each of several authorities counts";
}

TEST_F(TlsTest, ANewCertificateServesNewConnectionsAndLeavesTheOldOnes) {
    ASSERT_EQ(failure_of(call_to("localhost")), "status 200");
    TestCertificates others;
    server.set_tls(others.server("DNS:localhost"));
    EXPECT_EQ(failure_of(call_to("localhost")), "status 200") << "the kept connection goes on";
    HttpCall call = call_to("localhost");
    call.tls = others.client();
    EXPECT_EQ(failure_of(std::move(call)), "status 200");
    EXPECT_EQ(server.status().accepted, 2U) << "certificates do not share a connection";
}

TEST_F(TlsTest, TellsAPeerThatSpeaksPlainHttp) {
    TestPeer peer = connect();
    peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(until([&] { return peer.ended(); }));
    EXPECT_THAT(peer.received(), HasSubstr("400 Bad Request"));
    EXPECT_THAT(peer.received(), HasSubstr("https"));
    EXPECT_TRUE(service.seen.empty());
    EXPECT_EQ(server.status().refused.of(RefusalReason::tls), 1U);
}

TEST_F(TlsTest, AClientWithoutCertificatesToTrustCallsNobody) {
    client.set_tls({});
    EXPECT_EQ(failure_of(call_to("localhost")), "this client has no TLS");
    EXPECT_EQ(server.status().accepted, 0U);
}

TEST_F(TlsTest, AClientSaysThatAServerSpeaksNoTls) {
    server.set_tls(nullptr);
    EXPECT_EQ(failure_of(call_to("localhost")), "TLS: the server does not speak it on this port");
}

TEST_F(TlsTest, AHandshakeThatDoesNotEndIsClosed) {
    limits.tls_handshake_ms = 300;
    TestPeer silent = connect();
    TestPeer begun = connect();
    begun.send("\x16\x03\x01\x02");
    EXPECT_TRUE(until([&] { return silent.ended() && begun.ended(); }));
    EXPECT_EQ(silent.received(), "");
}

TEST_F(TlsTest, HandshakesUnderWayAreBounded) {
    limits.tls_handshakes = 2;
    TestPeer first = connect();
    TestPeer second = connect();
    ASSERT_TRUE(until([this] { return server.status().connections == 2; }));
    TestPeer third = connect();
    EXPECT_TRUE(until([&] { return third.ended(); }));
    EXPECT_EQ(server.status().rejected, 1U);
    first.close();
    ASSERT_TRUE(until([this] { return server.status().connections == 1; }));
    EXPECT_EQ(failure_of(call_to("localhost")), "status 200");
}

TEST_F(TlsTest, AStreamIsReadAndItsEndIsToldToTheHandler) {
    bool gone = false;
    std::optional<Exchange> stream;
    service.answer = [&](const HttpRequest&, Exchange exchange) {
        exchange.on_gone([&] { gone = true; });
        exchange.begin_stream({200, "text/event-stream", {}, {}, false});
        stream = std::move(exchange);
    };
    std::string came;
    const std::uint64_t id = client.stream(
        call_to("localhost"), [&](std::string_view bytes) { came += bytes; }, [](auto) {}
    );
    ASSERT_TRUE(until([&] { return stream.has_value(); }));
    ASSERT_TRUE(stream->write(StreamPiece("id: 1\n\n")));
    ASSERT_TRUE(until([&] { return came == "id: 1\n\n"; }));
    client.cancel(id);
    EXPECT_TRUE(until([&] { return gone; }));
}

TEST_F(TlsTest, AStreamThatEndsIsWholeAndOneThatIsCutIsNot) {
    for (const bool is_cut : {false, true}) {
        std::optional<Exchange> stream;
        service.answer = [&](const HttpRequest&, Exchange exchange) {
            exchange.begin_stream({200, "text/event-stream", {}, {}, false});
            stream = std::move(exchange);
        };
        std::string came;
        std::optional<Result<HttpReply>> reply;
        client.stream(
            call_to("localhost"),
            [&](std::string_view bytes) { came += bytes; },
            [&](Result<HttpReply> ended) { reply = std::move(ended); }
        );
        ASSERT_TRUE(until([&] { return stream.has_value(); }));
        ASSERT_TRUE(stream->write(StreamPiece("id: 1\n\n")));
        if (!is_cut) {
            stream->end_stream();
        }
        stream.reset();
        ASSERT_TRUE(until([&] { return reply.has_value(); }));
        EXPECT_EQ(came, "id: 1\n\n");
        EXPECT_EQ(reply->has_value(), !is_cut);
        if (is_cut) {
            EXPECT_EQ(
                reply->error().detail, "the connection was closed in the middle of the answer"
            );
        }
    }
}

// --- Versions, ciphers

// One handshake of OpenSSL's own client, whose settings `set` spoils, with the server; its version
// or "refused".
std::string shake(TlsTest& test, const std::function<void(SSL_CTX*)>& set) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    set(context);
    SSL* tls = SSL_new(context);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto to = parse_listen_address(test.server.address());
    EXPECT_EQ(::connect(descriptor, to->get(), to->size), 0);
    ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
    SSL_set_fd(tls, descriptor);
    SSL_set_connect_state(tls);
    std::string outcome;
    EXPECT_TRUE(test.until([&] {
        const int result = SSL_do_handshake(tls);
        if (result == 1) {
            outcome = SSL_get_version(tls);
        } else if (const int error = SSL_get_error(tls, result);
                   error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            outcome = "refused";
        }
        return !outcome.empty();
    }));
    SSL_free(tls);
    ::close(descriptor);
    SSL_CTX_free(context);
    return outcome;
}

TEST_F(TlsTest, SpeaksTwoVersionsAndNoWeakCipher) {
    EXPECT_EQ(shake(*this, [](SSL_CTX*) {}), "TLSv1.3");
    const auto only = [](int version) {
        return [version](SSL_CTX* context) {
            SSL_CTX_set_min_proto_version(context, version);
            SSL_CTX_set_max_proto_version(context, version);
        };
    };
    EXPECT_EQ(shake(*this, only(TLS1_2_VERSION)), "TLSv1.2");
    EXPECT_EQ(shake(*this, only(TLS1_1_VERSION)), "refused");
    EXPECT_EQ(shake(*this, only(TLS1_VERSION)), "refused");
    for (const char* ciphers : {"ECDHE-ECDSA-AES128-SHA", "NULL"}) {
        const auto weak = [ciphers](SSL_CTX* context) {
            SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
            SSL_CTX_set_cipher_list(context, ciphers);
        };
        EXPECT_EQ(shake(*this, weak), "refused") << ciphers;
    }
}

TEST_F(TlsTest, RefusesAProtocolThatIsNotHttp1) {
    const auto offer = [](const std::string& protocols) {
        return [protocols](SSL_CTX* context) {
            SSL_CTX_set_alpn_protos(
                context,
                reinterpret_cast<const unsigned char*>(protocols.data()),
                static_cast<unsigned int>(protocols.size())
            );
        };
    };
    EXPECT_EQ(shake(*this, offer("\x02h2\x08http/1.1")), "TLSv1.3");
    EXPECT_EQ(shake(*this, offer("\x04mqtt")), "refused");
}

// --- Files

TEST_F(TlsTest, FilesThatAreNotWhatTheyShouldBeAreNamed) {
    const auto one = certificates.issue("DNS:a");
    const auto other = certificates.issue("DNS:b");
    const auto why = [](const TlsServerFiles& files) {
        const auto made = TlsContext::server(files);
        return made ? "loaded" : made.error().detail;
    };
    EXPECT_EQ(why({one.certificate, one.key, ""}), "loaded");
    EXPECT_THAT(why({"/nowhere.pem", one.key, ""}), HasSubstr("/nowhere.pem"));
    EXPECT_THAT(why({one.key, one.key, ""}), HasSubstr("no certificate can be read from"));
    EXPECT_THAT(why({one.certificate, "/nowhere.key", ""}), HasSubstr("/nowhere.key"));
    EXPECT_THAT(why({one.certificate, other.key, ""}), HasSubstr(other.key));
    EXPECT_THAT(why({one.certificate, one.key, one.key}), HasSubstr(one.key));
}

}  // namespace
}  // namespace belfry
