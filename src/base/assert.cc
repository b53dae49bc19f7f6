#include "base/assert.h"

#include "base/standard_error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace belfry {

void assert_failed(const char* expression, const char* file, int line) {
    char text[1024];
    const int length = std::snprintf(
        text, sizeof(text), "belfry: assertion failed: %s at %s:%d\n", expression, file, line
    );
    // A process that ends is worth more than its last words.
    write_standard_error(
        {text, std::min(static_cast<std::size_t>(length), sizeof(text) - 1)},
        std::chrono::milliseconds(100)
    );
    std::abort();
}

}  // namespace belfry
