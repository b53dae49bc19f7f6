#include "base/utf8.h"

#include <simdjson.h>

namespace belfry {

bool is_utf8(std::string_view text) {
    return simdjson::validate_utf8(text);
}

}  // namespace belfry
