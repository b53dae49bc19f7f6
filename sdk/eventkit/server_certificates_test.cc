#include "eventkit/server_certificates.h"

#include "base/manual_clock.h"
#include "net/test_certificates.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <string>
#include <sys/inotify.h>
#include <unistd.h>
#include <vector>

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

TEST_F(ServerCertificatesTest, AreReadAgainThoughTheNewFileIsAsOldAndAsLarge) {
    options.tls_client_cas = {certificates.authority()};
    ServerCertificates mine(options, clock);
    ASSERT_EQ(refusal(mine.read()), "");
    int changes = 0;
    mine.on_change([&changes] { ++changes; });
    const auto time = fs::last_write_time(certificates.authority());
    fs::copy(certificates.authority(), certificates.authority() + ".new");
    fs::last_write_time(certificates.authority() + ".new", time);
    fs::rename(certificates.authority() + ".new", certificates.authority());
    look();
    EXPECT_EQ(changes, 1);
}

// The files of a directory that were opened since it was made.
class Opened {
 public:
    explicit Opened(const fs::path& directory) {
        EXPECT_GE(::inotify_add_watch(descriptor_, directory.c_str(), IN_OPEN), 0);
    }
    ~Opened() { ::close(descriptor_); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

    std::vector<std::string> take() {
        alignas(inotify_event) std::array<char, 4096> buffer{};
        std::vector<std::string> names;
        const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
        for (ssize_t at = 0; at < got;) {
            const auto* event =
                reinterpret_cast<const inotify_event*>(&buffer.at(static_cast<std::size_t>(at)));
            if ((event->mask & IN_ISDIR) == 0) {
                names.emplace_back(event->name);
            }
            at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
        return names;
    }

 private:
    const int descriptor_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
};

TEST_F(ServerCertificatesTest, AreNotOpenedAtEachLook) {
    const fs::path folder = fs::path(certificates.authority()).parent_path() / "cas";
    fs::create_directories(folder);
    fs::copy(certificates.authority(), folder / "ca.crt");
    fs::copy(options.tls_key, folder / "notes");
    options.tls_client_cas = {folder};
    ServerCertificates mine(options, clock);
    ASSERT_EQ(refusal(mine.read()), "");
    mine.on_change([] {});
    Opened opened(folder);
    look();
    look();
    EXPECT_THAT(opened.take(), testing::IsEmpty());
    fs::last_write_time(
        folder / "notes", fs::last_write_time(folder / "notes") + std::chrono::seconds(1)
    );
    look();
    EXPECT_THAT(opened.take(), testing::ElementsAre("notes")) << "it could hold one now";
}

}  // namespace
}  // namespace belfry::eventkit
