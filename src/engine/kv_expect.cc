#include "engine/kv_expect.h"

namespace belfry {

Result<void> check_expect(
    const std::string& key, const Expect& expect, std::optional<Revision> current
) {
    switch (expect.kind) {
        case Expect::Kind::any:
            return {};
        case Expect::Kind::absent:
            if (current) {
                return fail(Errc::conflict, "'" + key + "' exists already");
            }
            return {};
        case Expect::Kind::revision:
            if (current != expect.revision) {
                return fail(
                    Errc::precondition_failed,
                    current ? "'" + key + "' has revision " + std::to_string(current->value) +
                                  ", not " + std::to_string(expect.revision.value)
                            : "'" + key + "' does not exist"
                );
            }
            return {};
    }
    return {};
}

std::unexpected<Error> no_document(const std::string& key) {
    return fail(Errc::not_found, "there is no '" + key + "'");
}

}  // namespace belfry
