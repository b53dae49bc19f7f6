#include "app/load/http_text.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(FirstMessage, EndsBehindTheBodyThatContentLengthNames) {
    constexpr std::string_view kText =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhelloHTTP";
    const auto message = first_message(kText);
    ASSERT_TRUE(message);
    EXPECT_EQ(kText.substr(message->head, message->total - message->head), "hello");
}

TEST(FirstMessage, IsThereOnlyOnceTheLastByteCame) {
    const std::string_view text = "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(first_message(text.substr(0, size))) << size;
    }
    EXPECT_TRUE(first_message(text));
}

TEST(FirstMessage, WithoutContentLengthHasNoBody) {
    const auto message = first_message("HTTP/1.1 204 No Content\r\nX-Content-Length: 9\r\n\r\n");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->total, message->head);
}

TEST(FirstHead, SaysHowLongTheMessageIsBeforeItsBodyCame) {
    const std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    EXPECT_FALSE(first_head(head.substr(0, head.size() - 1)));
    const auto message = first_head(head);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->head, head.size());
    EXPECT_EQ(message->total, head.size() + 5);
}

}  // namespace
}  // namespace belfry
