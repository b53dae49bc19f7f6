#include "eventkit/entity_tag.h"

#include <algorithm>

namespace belfry::eventkit {
namespace {

constexpr std::string_view kBetween = ", \t";

}  // namespace

bool names_tag(std::string_view if_none_match, std::string_view tag) {
    std::string_view rest = if_none_match;
    while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(kBetween), rest.size()));
        if (rest.empty()) {
            return false;
        }
        if (rest.starts_with("W/\"")) {
            rest.remove_prefix(2);
        }
        const bool quoted = rest.starts_with('"');
        if (quoted) {
            rest.remove_prefix(1);
        }
        const std::string_view item = rest.substr(0, rest.find_first_of(quoted ? "\"" : kBetween));
        if (item == tag || (!quoted && item == "*")) {
            return true;
        }
        rest.remove_prefix(item.size());
        if (quoted && !rest.empty()) {
            rest.remove_prefix(1);
        }
    }
}

}  // namespace belfry::eventkit
