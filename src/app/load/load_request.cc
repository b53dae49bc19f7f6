#include "app/load/load_request.h"

#include "app/url_text.h"
#include "base/assert.h"
#include "base/json_text.h"

#include <fmt/format.h>

namespace belfry {

namespace {

constexpr std::size_t kNumberDigits = 12;

struct Body {
    std::string bytes;
    std::vector<std::size_t> numbers;
};

Body batch_body(const LoadShape& shape, std::uint32_t run) {
    const bool array = shape.format == LoadFormat::json_batch;
    std::string before = fmt::format(R"({{"specversion":"1.0","id":"{:08x}-)", run);
    std::string after = R"(","source":"/belfry/bench","type":)";
    append_json_string(after, shape.type);
    after += R"(,"datacontenttype":"text/plain","data":")" + std::string(shape.size, 'x') + "\"}";
    Body body{.bytes = array ? "[" : "", .numbers = {}};
    for (std::size_t i = 0; i < shape.events; ++i) {
        if (i > 0) {
            body.bytes += array ? "," : "\n";
        }
        body.bytes += before;
        body.numbers.push_back(body.bytes.size());
        body.bytes.append(kNumberDigits, '0').append(after);
    }
    if (array) {
        body.bytes += "]";
    }
    return body;
}

std::string_view content_type(LoadFormat format) {
    switch (format) {
        case LoadFormat::plain:
            return "text/plain";
        case LoadFormat::consul:
            return "application/octet-stream";
        case LoadFormat::json_batch:
            return "application/cloudevents-batch+json";
        case LoadFormat::ndjson:
            return "application/x-ndjson";
    }
    assert_failed("a format has a media type", __FILE__, __LINE__);
}

}  // namespace

LoadRequest::LoadRequest(const LoadShape& shape, std::string_view headers, std::uint32_t run) {
    const bool fired = shape.format == LoadFormat::consul;
    Target target(fired ? "/v1/event/fire" : "/api/v1/events");
    Body body;
    if (fired || shape.format == LoadFormat::plain) {
        ASSERT(shape.events == 1);
        fired ? target.segment(shape.type) : target.parameter("type", shape.type);
        body.bytes.assign(shape.size, 'x');
    } else {
        body = batch_body(shape, run);
    }
    bytes_ = fmt::format(
        "{} {} HTTP/1.1\r\n{}Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
        fired ? "PUT" : "POST",
        target.text(),
        headers,
        content_type(shape.format),
        body.bytes.size()
    );
    numbers_ = std::move(body.numbers);
    for (std::size_t& position : numbers_) {
        position += bytes_.size();
    }
    bytes_ += body.bytes;
}

void LoadRequest::number_events(std::uint64_t first) {
    for (std::size_t position : numbers_) {
        std::uint64_t rest = first++;
        for (std::size_t digit = kNumberDigits; digit-- > 0; rest /= 10) {
            bytes_[position + digit] = static_cast<char>('0' + rest % 10);
        }
    }
}

}  // namespace belfry
