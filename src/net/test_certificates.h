// For tests: certificates made on the spot, in a directory that ends with the object: an authority
// of its own and what it signs.
#pragma once

#include "base/assert.h"
#include "net/tls_context.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace belfry {

class TestCertificates {
 public:
    struct Files {
        std::string certificate;
        std::string key;
    };

    TestCertificates() {
        std::string name = std::filesystem::temp_directory_path() / "belfry-tls-XXXXXX";
        ASSERT(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
        authority_key_ = EVP_EC_gen("P-256");
        authority_ = sign(
            "authority " + directory_.filename().string(),
            "",
            authority_key_,
            std::chrono::hours(24)
        );
        write_certificate(authority(), authority_);
    }
    ~TestCertificates() {
        X509_free(authority_);
        EVP_PKEY_free(authority_key_);
        std::filesystem::remove_all(directory_);
    }
    TestCertificates(const TestCertificates&) = delete;
    TestCertificates& operator=(const TestCertificates&) = delete;

    [[nodiscard]] std::string authority() const { return directory_ / "authority.pem"; }
    // For "DNS:localhost,IP:127.0.0.1"; a life below zero has ended that long ago. The key becomes
    // its own.
    [[nodiscard]] Files issue(
        const std::string& names,
        std::chrono::seconds life = std::chrono::hours(1),
        EVP_PKEY* key = EVP_EC_gen("P-256")
    ) {
        const std::string stem = directory_ / std::to_string(++serial_);
        Files files{.certificate = stem + ".pem", .key = stem + ".key"};
        X509* made = sign("leaf", names, key, life);
        write_certificate(files.certificate, made);
        const File file = new_file(files.key);
        ASSERT(PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
        ASSERT(std::fflush(file.get()) == 0);
        X509_free(made);
        EVP_PKEY_free(key);
        return files;
    }
    [[nodiscard]] std::shared_ptr<const TlsContext> server(
        const std::string& names, const std::string& client_ca = ""
    ) {
        const Files own = issue(names);
        auto made = TlsContext::server({own.certificate, own.key, client_ca});
        ASSERT(made.has_value());
        return *made;
    }
    // Of a server that has outlived its certificate; it would not have loaded this one.
    [[nodiscard]] std::shared_ptr<const TlsContext> expired_server(const std::string& names) {
        auto made = server(names);
        const Files old = issue(names, std::chrono::hours(-1));
        SSL_CTX* const context = made->get();
        ASSERT(SSL_CTX_use_certificate_chain_file(context, old.certificate.c_str()) == 1);
        ASSERT(SSL_CTX_use_PrivateKey_file(context, old.key.c_str(), SSL_FILETYPE_PEM) == 1);
        return made;
    }
    // Trusts this authority; shows `own` if there is one.
    [[nodiscard]] std::shared_ptr<const TlsContext> client(const Files& own = {}) const {
        auto made = TlsContext::client({authority(), own.certificate, own.key});
        ASSERT(made.has_value());
        return *made;
    }

 private:
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

    static File new_file(const std::string& path) {
        File file(std::fopen(path.c_str(), "we"), std::fclose);
        ASSERT(file != nullptr);
        return file;
    }
    static void add(X509* to, X509* issuer, int kind, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
        ASSERT(made != nullptr);
        ASSERT(X509_add_ext(to, made, -1) == 1);
        X509_EXTENSION_free(made);
    }
    // Without names: the authority itself.
    X509* sign(
        const std::string& who, const std::string& names, EVP_PKEY* key, std::chrono::seconds life
    ) {
        X509* made = X509_new();
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(made), -48L * 3600);
        X509_gmtime_adj(X509_getm_notAfter(made), static_cast<long>(life.count()));
        X509_set_pubkey(made, key);
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(made),
            "CN",
            MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>(who.c_str()),
            -1,
            -1,
            0
        );
        X509* issuer = names.empty() ? made : authority_;
        X509_set_issuer_name(made, X509_get_subject_name(issuer));
        add(made, issuer, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
        if (!names.empty()) {
            add(made, issuer, NID_subject_alt_name, names);
        }
        ASSERT(X509_sign(made, authority_key_, EVP_sha256()) != 0);
        return made;
    }
    static void write_certificate(const std::string& path, X509* certificate) {
        const File file = new_file(path);
        ASSERT(PEM_write_X509(file.get(), certificate) == 1);
        ASSERT(std::fflush(file.get()) == 0);
    }

    std::filesystem::path directory_;
    EVP_PKEY* authority_key_ = nullptr;
    X509* authority_ = nullptr;
    int serial_ = 0;
};

}  // namespace belfry
