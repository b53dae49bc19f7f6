#include "eventkit/server_certificates.h"

#include "base/manual_clock.h"
#include "net/test_certificates.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

namespace belfry::eventkit {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

struct ServerCertificatesTest : testing::Test {
    ServerCertificatesTest() { use(certificates.issue("DNS:localhost")); }

    void use(const TestCertificates::Files& files) {
        options.tls_certificate = files.certificate;
        options.tls_key = files.key;
    }
    // Puts a file in the place of another at a time of its own, as whoever renews them does.
    void replace(const std::string& to, const std::string& from) {
        fs::rename(from, to);
        fs::last_write_time(to, fs::last_write_time(to) + std::chrono::seconds(++replaced));
    }
    void look() { clock.advance(ServerCertificates::kInterval); }
    static std::string refusal(Result<void> result) { return result ? "" : result.error().detail; }

    TestCertificates certificates;
    ManualClock clock;
    Options options;
    int replaced = 0;
};

TEST_F(ServerCertificatesTest, AreReadAgainWhenTheirFilesChange) {
    ServerCertificates mine(options, clock);
    ASSERT_EQ(refusal(mine.read()), "");
    const auto first = mine.context();
    int changes = 0;
    mine.on_change([&changes] { ++changes; });
    look();
    EXPECT_EQ(changes, 0);
    const auto renewed = certificates.issue("DNS:localhost");
    replace(options.tls_key, renewed.key);
    replace(options.tls_certificate, renewed.certificate);
    look();
    EXPECT_EQ(changes, 1);
    EXPECT_NE(mine.context(), first);
}

TEST_F(ServerCertificatesTest, ThatAreHalfReplacedLeaveWhatWasGood) {
    ServerCertificates mine(options, clock);
    ASSERT_EQ(refusal(mine.read()), "");
    const auto first = mine.context();
    int changes = 0;
    mine.on_change([&changes] { ++changes; });
    const auto renewed = certificates.issue("DNS:localhost");
    replace(options.tls_key, renewed.key);
    look();
    EXPECT_EQ(changes, 0) << "the key is not that of the certificate";
    EXPECT_EQ(mine.context(), first);
    fs::remove(options.tls_certificate);
    look();
    EXPECT_EQ(mine.context(), first);
    replace(options.tls_certificate, renewed.certificate);
    look();
    EXPECT_EQ(changes, 1);
}

TEST_F(ServerCertificatesTest, SayWhatIsWrongWithThem) {
    options.tls_key = certificates.issue("DNS:localhost").key;
    EXPECT_THAT(refusal(ServerCertificates(options, clock).read()), HasSubstr(options.tls_key));
    options.tls_certificate = "/nowhere.pem";
    EXPECT_THAT(refusal(ServerCertificates(options, clock).read()), HasSubstr("/nowhere.pem"));
    use(certificates.issue("DNS:localhost"));
    options.tls_client_cas = {certificates.authority(), "/nowhere.pem"};
    EXPECT_THAT(refusal(ServerCertificates(options, clock).read()), HasSubstr("/nowhere.pem"));
}

TEST_F(ServerCertificatesTest, TakeAuthoritiesFromFilesAndDirectories) {
    const TestCertificates others;
    const fs::path folder = fs::path(certificates.authority()).parent_path() / "cas";
    fs::create_directories(folder / "more");
    options.tls_client_cas = {others.authority(), folder};
    EXPECT_EQ(refusal(ServerCertificates(options, clock).read()), "");
    options.tls_client_cas = {folder};
    EXPECT_THAT(
        refusal(ServerCertificates(options, clock).read()),
        HasSubstr("no certificate is in " + folder.native())
    );
    fs::copy(options.tls_key, folder / "tls.key");
    fs::copy(certificates.authority(), folder / ".hidden");
    EXPECT_THAT(refusal(ServerCertificates(options, clock).read()), HasSubstr("no certificate"));
    fs::copy(certificates.authority(), folder / "more" / "ca.crt");
    ServerCertificates mine(options, clock);
    EXPECT_EQ(refusal(mine.read()), "") << "what else lies there does no harm";
    int changes = 0;
    mine.on_change([&changes] { ++changes; });
    fs::copy(others.authority(), folder / "another.crt");
    look();
    EXPECT_EQ(changes, 1) << "a file that came";
}

}  // namespace
}  // namespace belfry::eventkit
