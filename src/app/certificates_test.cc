#include "app/certificates.h"

#include "base/manual_clock.h"
#include "net/test_certificates.h"

#include <gmock/gmock.h>

namespace belfry {
namespace {

using testing::HasSubstr;

struct CertificatesTest : testing::Test {
    // Puts another certificate where the first one lies, with a later time.
    void replace(const TestCertificates::Files& with) {
        std::filesystem::copy_file(
            with.certificate, own.certificate, std::filesystem::copy_options::overwrite_existing
        );
        std::filesystem::copy_file(
            with.key, own.key, std::filesystem::copy_options::overwrite_existing
        );
        const auto later = std::filesystem::last_write_time(own.key) + std::chrono::hours(++edits);
        std::filesystem::last_write_time(own.certificate, later);
        std::filesystem::last_write_time(own.key, later);
    }
    std::string why(const Config& broken) {
        auto loaded = Certificates::load(broken, clock);
        return loaded ? "loaded" : loaded.error().detail;
    }

    TestCertificates made;
    TestCertificates::Files own = made.issue("DNS:localhost");
    ManualClock clock;
    Config config;
    int edits = 0;
};

TEST_F(CertificatesTest, WithoutSettingsTheServerIsPlainAndTheClientTrustsTheSystem) {
    auto certificates = Certificates::load(config, clock);
    ASSERT_TRUE(certificates.has_value());
    EXPECT_EQ((*certificates)->server(), nullptr);
    EXPECT_NE((*certificates)->client(), nullptr);
}

TEST_F(CertificatesTest, AChangedFileIsReadAgain) {
    config.http_tls_certificate = own.certificate;
    config.http_tls_key = own.key;
    auto certificates = Certificates::load(config, clock);
    ASSERT_TRUE(certificates.has_value()) << certificates.error().detail;
    int changes = 0;
    (*certificates)->on_change([&] { ++changes; });
    const auto first = (*certificates)->server();

    clock.advance(Certificates::kInterval * 3);
    EXPECT_EQ(changes, 0) << "nothing changed";
    EXPECT_EQ((*certificates)->server(), first);

    replace(made.issue("DNS:localhost", std::chrono::hours(9)));
    clock.advance(Certificates::kInterval);
    EXPECT_EQ(changes, 1);
    EXPECT_GT((*certificates)->server()->expires(), first->expires());
}

TEST_F(CertificatesTest, WhatCannotBeUsedLeavesWhatWasGood) {
    config.http_tls_certificate = own.certificate;
    config.http_tls_key = own.key;
    auto certificates = Certificates::load(config, clock);
    ASSERT_TRUE(certificates.has_value());
    int changes = 0;
    (*certificates)->on_change([&] { ++changes; });
    const auto first = (*certificates)->server();

    replace({.certificate = made.issue("DNS:a").certificate, .key = made.issue("DNS:b").key});
    clock.advance(Certificates::kInterval);
    EXPECT_EQ(changes, 0);
    EXPECT_EQ((*certificates)->server(), first);

    replace(made.issue("DNS:localhost"));
    clock.advance(Certificates::kInterval);
    EXPECT_EQ(changes, 1);
    EXPECT_NE((*certificates)->server(), first);
}

TEST_F(CertificatesTest, AReloadReadsAtOnce) {
    config.http_tls_certificate = own.certificate;
    config.http_tls_key = own.key;
    auto certificates = Certificates::load(config, clock);
    ASSERT_TRUE(certificates.has_value());
    int changes = 0;
    (*certificates)->on_change([&] { ++changes; });
    (*certificates)->reload();
    EXPECT_EQ(changes, 1);
}

TEST_F(CertificatesTest, HalfASettingIsRefused) {
    Config only_certificate;
    only_certificate.http_tls_certificate = own.certificate;
    EXPECT_THAT(why(only_certificate), HasSubstr("http.tls.key is not"));
    Config only_key;
    only_key.outbound_tls_key = own.key;
    EXPECT_THAT(why(only_key), HasSubstr("outbound.tls.certificate is not"));
    Config only_clients;
    only_clients.http_tls_client_ca = made.authority();
    EXPECT_THAT(why(only_clients), HasSubstr("http.tls.certificate is not"));
    Config nowhere;
    nowhere.outbound_tls_ca = "/nowhere.pem";
    EXPECT_THAT(why(nowhere), HasSubstr("/nowhere.pem"));
}

}  // namespace
}  // namespace belfry
