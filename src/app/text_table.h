// Rows of cells as aligned lines. Pure.
#pragma once

#include <string>
#include <vector>

namespace belfry {

// Columns two spaces apart, the first row is the heading. Cells are made safe for a terminal here,
// and the last column is cut so that a line has at most `width` characters.
[[nodiscard]] std::string text_table(
    const std::vector<std::vector<std::string>>& rows, std::size_t width
);

}  // namespace belfry
