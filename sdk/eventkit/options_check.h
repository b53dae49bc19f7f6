// What is wrong with options that were set by hand or read. Pure; any thread.
#pragma once

#include <belfry/eventkit/options.h>

#include <string>

namespace belfry::eventkit {

// The first thing wrong, as a sentence with the names of the environment variables; empty if all is
// well. Files are not looked at.
[[nodiscard]] std::string problem_of(const Options& options);

}  // namespace belfry::eventkit
