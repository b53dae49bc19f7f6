// For tests: a file that no other process has, because tests run beside each other.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <unistd.h>

namespace belfry {

inline std::string own_file(std::string_view name) {
    return testing::TempDir() + std::string(name) + "-" + std::to_string(::getpid());
}

}  // namespace belfry
