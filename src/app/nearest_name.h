// What somebody probably meant: the known name that takes the fewest edits.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace belfry {

// Insertions, removals, substitutions and swaps of neighbours that make one out of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The closest of `names`, the first of several; nullopt if none is close (more than a third of its
// letters would change).
[[nodiscard]] std::optional<std::string_view> nearest_name(
    std::string_view name, std::span<const std::string_view> names
);

}  // namespace belfry
