#include "auth/expired_tokens.h"

#include "base/logging.h"
#include "base/rfc3339.h"

#include <utility>

namespace belfry {

void ExpiredTokens::look() {
    std::set<std::string> overdue;
    for (const auto& [id, token] : documents_.tokens()) {
        if (token.expires && clock_.wall() >= *token.expires + kKept) {
            overdue.insert(id);
        }
    }
    for (const std::string& id : overdue) {
        if (!overdue_.contains(id)) {
            continue;
        }
        const std::string expires = rfc3339(*documents_.find_token(id)->expires);
        documents_.remove_token(id, [id, expires](const Result<void>& removed) {
            if (removed) {
                log_info("removed a token that had expired", {{"token", id}, {"expires", expires}});
            } else if (removed.error().code != Errc::not_found) {
                log_warn(
                    "a token that has expired cannot be removed; the next try is in an hour",
                    {{"token", id}, {"error", removed.error().detail}}
                );
            }
        });
    }
    overdue_ = std::move(overdue);
    timer_ = clock_.call_after(kLookEvery, [this] { look(); });
}

}  // namespace belfry
