// Standard error, whose reader may hang or be gone: a write to a full pipe would never end. Any
// thread. The descriptor stays as it is, because its O_NONBLOCK would be that of the shell, too.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace belfry {

// Writes what standard error takes; how many bytes that were. Who reads is waited for once, so long
// at most; what still does not fit then is left out. What is left of a wait without end: another
// process takes the last page of a pipe between the look and the write, or a terminal has room for
// a part of a line.
std::size_t write_standard_error(std::string_view bytes, std::chrono::milliseconds patience);

}  // namespace belfry
