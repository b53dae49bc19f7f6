// ASSERT: a programmer error, checked in every build. Prints where and aborts.
#pragma once

namespace belfry {
[[noreturn]] void assert_failed(const char* expression, const char* file, int line);
}

#define ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::belfry::assert_failed(#expression, __FILE__, __LINE__))
