// The header lines of a request as the kit reads them: which entity tags it names, and how long its
// caller waits. Whatever stands in them, a tag in front is found, one that is nowhere is not, and a
// time is what the C library reads there, above zero and at most an hour.
#include "base/assert.h"
#include "eventkit/entity_tag.h"
#include "eventkit/request_timeout.h"
#include "net/head_scan.h"
#include "net/request_head.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kTag = "0123456789abcdef-7";

void check_tags(std::string_view value) {
    const bool named = belfry::eventkit::names_tag(value, kTag);
    const bool possible =
        value.find(kTag) != std::string_view::npos || value.find('*') != std::string_view::npos;
    ASSERT(!named || possible);
    for (const std::string& first :
         {std::string(kTag), '"' + std::string(kTag) + '"', "W/\"" + std::string(kTag) + '"'}) {
        ASSERT(belfry::eventkit::names_tag(first + ", " + std::string(value), kTag));
        ASSERT(belfry::eventkit::names_tag(" ,\t" + first + "," + std::string(value), kTag));
    }
    // Another tag in front hides nothing.
    ASSERT(belfry::eventkit::names_tag("\"other\", W/\"x\" ," + std::string(value), kTag) == named);
    ASSERT(belfry::eventkit::names_tag("raw-1," + std::string(value), kTag) == named);
}

// Of digits and at most one point the C library makes the same.
void check_timeout(const belfry::HttpRequest& request) {
    const auto timeout = belfry::eventkit::request_timeout(request);
    ASSERT(!timeout || (*timeout >= belfry::Duration{0} && *timeout <= std::chrono::hours(1)));
    const auto value = request.header("Request-Timeout");
    if (!value || value->empty() || value->size() > 300 ||
        value->find_first_not_of("0123456789.") != std::string_view::npos ||
        value->find_first_of("0123456789") == std::string_view::npos ||
        value->find('.') != value->rfind('.')) {
        return;
    }
    const double seconds = std::strtod(std::string(*value).c_str(), nullptr);
    if (seconds <= 0) {
        ASSERT(!timeout || request.header("X-Request-Timeout"));
        return;
    }
    ASSERT(timeout.has_value());
    const double read = std::chrono::duration<double>(*timeout).count();
    ASSERT(std::abs(read - std::min(seconds, 3600.0)) <= 1e-6);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view lines(reinterpret_cast<const char*>(data), size);
    const std::string block =
        "GET / HTTP/1.1\r\nHost: extension\r\n" + std::string(lines) + "\r\n\r\n";
    belfry::HeadScan scan;
    const belfry::HeadLimits limits{
        .first_line_bytes = 100, .line_bytes = 4096, .headers_bytes = 16'384, .headers = 64
    };
    if (scan.advance(block, limits) != belfry::HeadScan::State::complete ||
        scan.end() != block.size()) {
        return 0;
    }
    std::vector<belfry::HeaderField> fields;
    belfry::RequestHead head;
    if (belfry::parse_request_head(block, fields, head)) {
        return 0;
    }
    for (const belfry::HeaderField& field : head.request.headers) {
        check_tags(field.value);
    }
    check_timeout(head.request);
    return 0;
}
