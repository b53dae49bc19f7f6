#include "net/request_head.h"

#include "base/ascii.h"
#include "net/http_syntax.h"
#include "net/request_target.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <limits>
#include <utility>

namespace belfry {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
// Beast's own string_view is Boost's.
using BeastText = boost::beast::string_view;

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::delete_:
            return Method::del;
        case http::verb::options:
            return Method::options;
        case http::verb::patch:
            return Method::patch;
        default:
            return Method::other;
    }
}

// Beast's view of the head, checked against ours while it is made. A refusal of ours stops Beast
// with any error.
class RequestHeadParser final : public http::basic_parser<true> {
 public:
    RequestHeadParser(std::vector<HeaderField>& fields, RequestHead& head)
        : fields_(fields), head_(head) {
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    std::optional<Refusal> parse(std::string_view block) {
        error_code error;
        const std::size_t used = put(boost::asio::buffer(block.data(), block.size()), error);
        head_.request.headers = fields_;
        if (refusal_) {
            return std::move(refusal_);
        }
        if (error) {
            refuse(400, "the request is not HTTP/1.1: " + error.message());
        } else if (used != block.size() || !is_header_done()) {
            refuse(400, "the request's head has bytes behind its end");
        } else {
            check_whole();
        }
        return std::move(refusal_);
    }

 private:
    void refuse(int status, std::string why) {
        if (!refusal_) {
            const Errc code = status == 501 ? Errc::method_not_allowed : Errc::bad_request;
            refusal_ = Refusal{status, Error{code, std::move(why)}};
        }
    }

    void on_request_impl(
        http::verb verb, BeastText method, BeastText target, int version, error_code& error
    ) override {
        HttpRequest& request = head_.request;
        request.method = method_of(verb);
        request.method_text = std::string_view(method);
        request.target = std::string_view(target);
        head_.http_1_0 = version == 10;
        if (verb == http::verb::connect) {
            refuse(501, "CONNECT is not served");
        } else if (const auto parsed = parse_request_target(request.target);
                   !parsed || (request.target == "*" && verb != http::verb::options)) {
            refuse(400, "the request's target is not a path this server takes");
        } else {
            request.path = parsed->path;
            request.query = parsed->query;
            authority_ = parsed->authority;
        }
        stop_if_refused(error);
    }

    void on_field_impl(http::field field, BeastText name, BeastText value, error_code& error)
        override {
        fields_.push_back({std::string_view(name), std::string_view(value)});
        if (fields_.back().name.contains('_')) {
            refuse(400, "a header's name holds an underscore");
        }
        switch (field) {
            case http::field::content_length:
                on_content_length(std::string_view(value));
                break;
            case http::field::transfer_encoding:
                on_transfer_encoding(std::string_view(value));
                break;
            case http::field::host:
                on_host(std::string_view(value));
                break;
            case http::field::connection:
                on_connection(std::string_view(value));
                break;
            case http::field::expect:
                on_expect(std::string_view(value));
                break;
            default:
                break;
        }
        stop_if_refused(error);
    }

    void on_content_length(std::string_view value) {
        if (std::exchange(has_length_, true)) {
            refuse(400, "Content-Length stands twice");
        } else if (const auto length = parse_content_length(value)) {
            head_.content_length = *length;
        } else {
            refuse(400, "Content-Length is not a number of at most 19 digits");
        }
    }

    void on_transfer_encoding(std::string_view value) {
        if (std::exchange(head_.chunked, true)) {
            refuse(400, "Transfer-Encoding stands twice");
        } else if (!equals_ignoring_case(value, "chunked")) {
            std::string_view last;
            for_each_member(value, [&](std::string_view coding) { last = coding; });
            const bool known_end = equals_ignoring_case(last, "chunked");
            refuse(known_end ? 501 : 400, "Transfer-Encoding is not exactly chunked");
        }
    }

    void on_host(std::string_view value) {
        if (std::exchange(has_host_, true)) {
            refuse(400, "Host stands twice");
        } else if (!is_authority(value)) {
            refuse(400, "Host is not a host with an optional port");
        } else {
            host_ = value;
        }
    }

    void on_connection(std::string_view value) {
        for_each_member(value, [this](std::string_view option) {
            close_ |= equals_ignoring_case(option, "close");
            keep_ |= equals_ignoring_case(option, "keep-alive");
        });
    }

    void on_expect(std::string_view value) {
        if (std::exchange(head_.expects_continue, true) ||
            !equals_ignoring_case(value, "100-continue")) {
            refuse(417, "Expect is not 100-continue");
        }
    }

    // What only the whole head can tell.
    void check_whole() {
        if (head_.chunked && has_length_) {
            refuse(400, "Content-Length and Transfer-Encoding stand together");
        } else if (head_.chunked && head_.http_1_0) {
            refuse(400, "Transfer-Encoding in HTTP/1.0");
        } else if (!has_host_ && !head_.http_1_0) {
            refuse(400, "Host is missing");
        } else if (has_host_ && !authority_.empty() && !same_authority(host_, authority_)) {
            refuse(400, "Host and the request's target disagree");
        }
        head_.keep_alive = head_.http_1_0 ? keep_ && !close_ : !close_;
        if (head_.http_1_0) {
            head_.expects_continue = false;  // RFC 9110, 10.1.1
        }
    }

    void stop_if_refused(error_code& error) const {
        if (refusal_) {
            error = http::error::bad_field;
        }
    }

    // Bodies are read by the connection; the parser stops after the head.
    void on_response_impl(int, BeastText, int, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(BeastText, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, BeastText, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastText, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    std::vector<HeaderField>& fields_;
    RequestHead& head_;
    std::optional<Refusal> refusal_;
    std::string_view authority_;
    std::string_view host_;
    bool has_length_ = false;
    bool has_host_ = false;
    bool close_ = false;
    bool keep_ = false;
};

}  // namespace

std::optional<Refusal> parse_request_head(
    std::string_view block, std::vector<HeaderField>& fields, RequestHead& head
) {
    fields.clear();
    head = RequestHead{};
    return RequestHeadParser(fields, head).parse(block);
}

}  // namespace belfry
