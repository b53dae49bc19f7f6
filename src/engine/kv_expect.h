// What a write of Kv expects, judged the same way by every engine.
#pragma once

#include "engine/kv.h"

#include <optional>
#include <string>

namespace belfry {

// `current` is the document's revision, nullopt if there is none. conflict, precondition_failed,
// or, when a revision is expected of a document that does not exist, precondition_failed too.
[[nodiscard]] Result<void> check_expect(
    const std::string& key, const Expect& expect, std::optional<Revision> current
);

// not_found.
[[nodiscard]] std::unexpected<Error> no_document(const std::string& key);

}  // namespace belfry
