#include "app/listen_address.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(ListenAddress, LiteralsAreReadAndJudged) {
    struct Case {
        std::string_view text;
        std::string_view host;
        std::uint16_t port;
        bool loopback;
    };
    for (const Case& c : {
             Case{"127.0.0.1:8420", "127.0.0.1", 8420, true},
             Case{"127.9.9.9:0", "127.9.9.9", 0, true},
             Case{"[::1]:80", "::1", 80, true},
             Case{"0.0.0.0:65535", "0.0.0.0", 65535, false},
             Case{"[::]:80", "::", 80, false},
             Case{"10.0.0.1:80", "10.0.0.1", 80, false},
             // Other machines cannot reach it, but not every judge agrees; the careful answer
             // counts.
             Case{"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, false},
         }) {
        Result<ListenAddress> address = parse_listen_address(c.text);
        ASSERT_TRUE(address.has_value()) << c.text;
        EXPECT_EQ(address->host, c.host);
        EXPECT_EQ(address->port, c.port);
        EXPECT_EQ(address->loopback, c.loopback) << c.text;
    }
}

TEST(ListenAddress, EverythingElseIsRefused) {
    for (std::string_view text :
         {"",
          ":",
          ":8420",
          "8420",
          "127.0.0.1",
          "127.0.0.1:",
          "127.0.0.1:x",
          "127.0.0.1:65536",
          "127.0.0.1:-1",
          "127.0.0.1: 80",
          "127.1:80",
          "localhost:80",
          "::1:80",
          "[::1]",
          "[]:80",
          "[127.0.0.1]:80",
          "[::1%lo]:80",
          "1.2.3.4.5:80",
          "256.0.0.1:80",
          "127.0.0.1:80 "}) {
        EXPECT_FALSE(parse_listen_address(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace belfry
