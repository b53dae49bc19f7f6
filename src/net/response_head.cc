#include "net/response_head.h"

#include "base/ascii.h"
#include "net/http_syntax.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <limits>
#include <utility>

namespace belfry {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastText = boost::beast::string_view;

class ResponseHeadParser final : public http::basic_parser<false> {
 public:
    ResponseHeadParser(std::vector<HeaderField>& fields, ResponseHead& head)
        : fields_(fields), head_(head) {
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    std::optional<std::string> parse(std::string_view block) {
        error_code error;
        const std::size_t used = put(boost::asio::buffer(block.data(), block.size()), error);
        if (!fault_ && error) {
            fault_ = "the answer is not HTTP/1.1: " + error.message();
        }
        if (!fault_ && used != block.size()) {
            fault_ = "the answer's head has bytes behind its end";
        }
        if (!fault_ && head_.chunked && (head_.content_length || http_1_0_)) {
            fault_ = "the answer's length is given in two ways";
        }
        head_.keep_alive = http_1_0_ ? keep_ && !close_ : !close_;
        return std::move(fault_);
    }

 private:
    void on_response_impl(int status, BeastText, int version, error_code& error) override {
        head_.status = status;
        http_1_0_ = version == 10;
        if (status < 100 || status > 599) {
            fault_ = "the answer's status is not between 100 and 599";
            error = http::error::bad_status;
        }
    }

    void on_field_impl(http::field field, BeastText name, BeastText value, error_code& error)
        override {
        const std::string_view text = std::string_view(value);
        fields_.push_back({std::string_view(name), text});
        if (field == http::field::content_length) {
            on_content_length(text);
        } else if (field == http::field::transfer_encoding) {
            if (std::exchange(head_.chunked, true) || !equals_ignoring_case(text, "chunked")) {
                fault_ = "the answer's Transfer-Encoding is not exactly chunked";
            }
        } else if (field == http::field::connection) {
            for_each_member(text, [this](std::string_view option) {
                close_ |= equals_ignoring_case(option, "close");
                keep_ |= equals_ignoring_case(option, "keep-alive");
            });
        }
        if (fault_) {
            error = http::error::bad_field;
        }
    }

    void on_content_length(std::string_view value) {
        const auto length = parse_content_length(value);
        if (head_.content_length || !length) {
            fault_ = "the answer's Content-Length is not one number";
            return;
        }
        head_.content_length = length;
    }

    // Bodies are read by the connection; the parser stops after the head.
    void on_request_impl(http::verb, BeastText, BeastText, int, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(BeastText, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, BeastText, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastText, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    std::vector<HeaderField>& fields_;
    ResponseHead& head_;
    std::optional<std::string> fault_;
    bool http_1_0_ = false;
    bool close_ = false;
    bool keep_ = false;
};

}  // namespace

std::optional<std::string> parse_response_head(
    std::string_view block, std::vector<HeaderField>& fields, ResponseHead& head
) {
    fields.clear();
    head = ResponseHead{};
    return ResponseHeadParser(fields, head).parse(block);
}

}  // namespace belfry
