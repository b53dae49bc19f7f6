// One HTTP header line as views; shared by the HTTP server, which parses them, and the CloudEvents
// binding, which reads them.
#pragma once

#include <string_view>

namespace belfry {

struct HeaderField {
    std::string_view name;
    std::string_view value;
};

}  // namespace belfry
