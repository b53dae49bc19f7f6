#include "eventkit/unix_socket_path.h"

#include "net/http_server.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace belfry::eventkit {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

// A path in a directory that is not there yet.
struct UnixSocket : testing::Test {
    UnixSocket() {
        EXPECT_NE(::mkdtemp(directory.data()), nullptr);
        path = directory + "/new/folder/a.sock";
    }
    ~UnixSocket() override { fs::remove_all(directory); }

    // A server; it listens there for as long as it lives.
    struct Listener {
        Listener() = default;
        explicit Listener(const std::string& at) {
            EXPECT_TRUE(server.listen_unix(at).has_value());
        }
        Loop loop;
        TestService service;
        const Limits limits;
        HttpServer server{loop, service, limits};
    };
    static std::string refusal(const Result<void>& result) {
        return result ? "" : result.error().detail;
    }
    // Of a claim for that server; empty: it listens.
    static std::string claim(UnixSocketPath& mine, const std::string& at, Listener& listener) {
        return refusal(mine.claim(at, [&] { return listener.server.listen_unix(at); }));
    }

    std::string directory = testing::TempDir() + "belfry-XXXXXX";
    std::string path;
};

TEST_F(UnixSocket, GetsItsDirectoryAndGoesAtTheEnd) {
    {
        UnixSocketPath mine;
        Listener listener;
        ASSERT_EQ(claim(mine, path, listener), "");
        EXPECT_TRUE(fs::is_socket(path));
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(UnixSocket, ThatAProcessLeftBehindIsReplaced) {
    fs::create_directories(fs::path(path).parent_path());
    {
        const Listener killed(path);
    }
    ASSERT_TRUE(fs::is_socket(path));
    UnixSocketPath mine;
    Listener listener;
    EXPECT_EQ(claim(mine, path, listener), "");
}

TEST_F(UnixSocket, ThatSomebodyListensOnIsLeftAlone) {
    fs::create_directories(fs::path(path).parent_path());
    const Listener other(path);
    UnixSocketPath mine;
    Listener listener;
    EXPECT_THAT(claim(mine, path, listener), HasSubstr("another process listens on " + path));
    mine.release();
    EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(UnixSocket, ThatSomebodyElseWasQuickerToMakeIsLeftAlone) {
    std::unique_ptr<Listener> other;
    {
        UnixSocketPath mine;
        const auto too_late = [&]() -> Result<void> {
            other = std::make_unique<Listener>(path);
            Listener late;
            return late.server.listen_unix(path);
        };
        EXPECT_THAT(refusal(mine.claim(path, too_late)), HasSubstr("in use"));
    }
    EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(UnixSocket, ThatIsAFileIsLeftAlone) {
    UnixSocketPath mine;
    Listener listener;
    EXPECT_THAT(claim(mine, directory, listener), HasSubstr("is no socket"));
    EXPECT_TRUE(fs::exists(directory));
}

TEST_F(UnixSocket, ThatSomebodyElseHasMadeSinceIsNotRemoved) {
    UnixSocketPath mine;
    {
        Listener listener;
        ASSERT_EQ(claim(mine, path, listener), "");
    }
    fs::rename(path, path + ".old");  // keeps the number of the file from being used again
    const Listener other(path);
    mine.release();
    EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(UnixSocket, WithAPathThatCannotBeIsRefusedWithAReason) {
    UnixSocketPath mine;
    Listener listener;
    EXPECT_THAT(claim(mine, "a.sock", listener), HasSubstr("absolute path"));
    EXPECT_THAT(claim(mine, "/" + std::string(120, 'a'), listener), HasSubstr("at most 107 bytes"));
    EXPECT_THAT(
        claim(mine, "/proc/nowhere/a.sock", listener), HasSubstr("cannot make the directory")
    );
}

}  // namespace
}  // namespace belfry::eventkit
