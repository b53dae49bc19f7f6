#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace belfry {

void assert_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "belfry: assertion failed: %s at %s:%d\n", expression, file, line);
    std::abort();
}

}  // namespace belfry
