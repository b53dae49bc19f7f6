#include "catalog/node_identity.h"

#include "event/uuid.h"

namespace belfry {

std::string node_id(std::string_view name) {
    const Uuid id{
        .high = uuid_low_half("node", name), .low = uuid_low_half("node, the other half", name)
    };
    const UuidText text = uuid_text(id);
    return {text.begin(), text.end()};
}

}  // namespace belfry
