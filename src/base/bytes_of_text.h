// For tests: what is written to a file or summed up, as a text.
#pragma once

#include "base/file_system.h"

#include <span>
#include <string_view>

namespace belfry {

inline Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

}  // namespace belfry
