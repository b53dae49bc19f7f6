// How a DeadLetterQuery is read, the same by every engine.
#pragma once

#include "engine/state.h"
#include "event/type_pattern.h"

#include <algorithm>
#include <optional>
#include <string>

namespace belfry {

[[nodiscard]] inline std::size_t dead_letter_page_size(const DeadLetterQuery& query) {
    return std::clamp<std::size_t>(query.limit, 1, kDeadLettersPerPage);
}

// nullopt: all, ranges too. A pattern never matches a range.
[[nodiscard]] inline std::optional<TypePattern> dead_letter_type(const DeadLetterQuery& query) {
    if (query.type.empty()) {
        return std::nullopt;
    }
    bool prefix = query.type.ends_with('*');
    std::string text = prefix ? query.type.substr(0, query.type.size() - 1) : query.type;
    return TypePattern{.text = std::move(text), .prefix = prefix};
}

[[nodiscard]] inline std::unexpected<Error> no_dead_letter(const std::string& id) {
    return fail(Errc::not_found, "there is no dead letter '" + id + "'");
}

}  // namespace belfry
