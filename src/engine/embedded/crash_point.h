// Named places at which a test ends the process as abruptly as `kill -9` would. They exist only in
// the target belfry_crash (BELFRY_CRASH_POINTS); in every other build the macro is nothing. There,
// BELFRY_CRASH_AT=NAME ends it when NAME is passed the first time, BELFRY_CRASH_AT=NAME:3 the third
// time. Any thread. test/chaos/crash_points passes every one of them.
#pragma once

#ifdef BELFRY_CRASH_POINTS
#include <string_view>

namespace belfry {

inline constexpr int kCrashPointStatus = 86;  // how the process ends there

void pass_crash_point(std::string_view name);

}  // namespace belfry

#define BELFRY_CRASH_POINT(name) ::belfry::pass_crash_point(name)
#else
#define BELFRY_CRASH_POINT(name) static_cast<void>(0)
#endif
