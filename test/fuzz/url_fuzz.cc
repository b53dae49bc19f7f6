// URLs. What is accepted must have one spelling, which reads back equal and can stand in a request
// line and a Host header.
#include "base/assert.h"
#include "base/url.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const auto url = parse_url({reinterpret_cast<const char*>(data), size});
    if (!url) {
        ASSERT(!url.error().detail.empty());
        return 0;
    }
    const auto again = parse_url(url->text());
    ASSERT(again.has_value() && *again == *url);
    ASSERT(url->port != 0 && !url->host.empty() && url->path.starts_with('/'));
    for (const std::string& part : {url->authority(), url->target()}) {
        ASSERT(std::ranges::all_of(part, [](char c) { return c > 0x20 && c < 0x7f; }));
    }
    ASSERT(url->authority().find('@') == std::string::npos);
    return 0;
}
