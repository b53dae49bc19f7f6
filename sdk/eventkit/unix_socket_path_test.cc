#include "eventkit/unix_socket_path.h"

#include "net/http_server.h"
#include "net/test_peer.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
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

    // A server that listens there for as long as it lives.
    struct Listener {
        explicit Listener(const std::string& at) {
            EXPECT_TRUE(server.listen_unix(at).has_value());
        }
        Loop loop;
        TestService service;
        const Limits limits;
        HttpServer server{loop, service, limits};
    };
    static std::string refusal(Result<void> result) { return result ? "" : result.error().detail; }

    std::string directory = testing::TempDir() + "belfry-XXXXXX";
    std::string path;
};

TEST_F(UnixSocket, GetsItsDirectoryAndGoesAtTheEnd) {
    {
        UnixSocketPath mine;
        ASSERT_EQ(refusal(mine.claim(path)), "");
        const Listener listener(path);
        mine.bound();
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
    ASSERT_EQ(refusal(mine.claim(path)), "");
    EXPECT_FALSE(fs::exists(path));
    const Listener listener(path);
}

TEST_F(UnixSocket, ThatSomebodyListensOnIsLeftAlone) {
    fs::create_directories(fs::path(path).parent_path());
    const Listener other(path);
    UnixSocketPath mine;
    EXPECT_THAT(refusal(mine.claim(path)), HasSubstr("another process listens on " + path));
    mine.release();
    EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(UnixSocket, ThatIsAFileIsLeftAlone) {
    UnixSocketPath mine;
    EXPECT_THAT(refusal(mine.claim(directory)), HasSubstr("is no socket"));
    EXPECT_TRUE(fs::exists(directory));
}

TEST_F(UnixSocket, ThatSomebodyElseHasMadeSinceIsNotRemoved) {
    UnixSocketPath mine;
    ASSERT_EQ(refusal(mine.claim(path)), "");
    {
        const Listener listener(path);
        mine.bound();
    }
    fs::rename(path, path + ".old");  // keeps the number of the file from being used again
    const Listener other(path);
    mine.release();
    EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(UnixSocket, WithAPathThatCannotBeIsRefusedWithAReason) {
    UnixSocketPath mine;
    EXPECT_THAT(refusal(mine.claim("a.sock")), HasSubstr("absolute path"));
    EXPECT_THAT(refusal(mine.claim("/" + std::string(120, 'a'))), HasSubstr("at most 107 bytes"));
    EXPECT_THAT(
        refusal(mine.claim("/proc/nowhere/a.sock")), HasSubstr("cannot make the directory")
    );
}

}  // namespace
}  // namespace belfry::eventkit
