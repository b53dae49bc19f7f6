#include "engine/embedded/crash_point.h"

#ifdef BELFRY_CRASH_POINTS
#include <atomic>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace belfry {

namespace {

struct Armed {
    std::string name;
    std::atomic<long> passes_left = 1;

    Armed() {
        const char* text = std::getenv("BELFRY_CRASH_AT");
        name = text == nullptr ? "" : text;
        if (std::size_t colon = name.find(':'); colon != std::string::npos) {
            passes_left = std::strtol(name.c_str() + colon + 1, nullptr, 10);
            name.resize(colon);
        }
    }
};

}  // namespace

void pass_crash_point(std::string_view name) {
    static Armed armed;
    if (name == armed.name && armed.passes_left.fetch_sub(1) == 1) {
        ::_exit(kCrashPointStatus);
    }
}

}  // namespace belfry
#endif
