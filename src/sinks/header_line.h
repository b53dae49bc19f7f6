// The lines of a request's head.
#pragma once

#include <string>
#include <string_view>

namespace belfry {

inline void append_header_line(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

}  // namespace belfry
