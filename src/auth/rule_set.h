// The rules of several policies as one, ready to be asked. On events the exact type beats a prefix
// and a longer prefix beats a shorter; where two policies speak of the same, deny wins, else the
// higher. What no rule names falls to the default. Immutable; may be read from any thread.
#pragma once

#include "catalog/policy.h"
#include "event/type_pattern.h"
#include "hub/access.h"

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace belfry {

enum class DefaultPolicy : bool { deny, allow };

class RuleSet final : public Rights {
 public:
    // allow: what no rule names may be written, but for `token` and `operator`, which nobody gets
    // by default.
    RuleSet(std::span<const PolicyRules* const> policies, DefaultPolicy otherwise);

    [[nodiscard]] bool allows(Resource resource, Verb verb, std::string_view name) const override;
    [[nodiscard]] bool covers(Verb verb, const TypePattern& types) const override;

    // Whether `other` allows whatever this does: of each type, named by a rule or not, and of each
    // other resource.
    [[nodiscard]] bool is_within(const RuleSet& other) const;
    // Where it does not: a rule this set would need, for people: "event_prefix \"dep\": write".
    // Empty if it is within.
    [[nodiscard]] std::string beyond(const RuleSet& other) const;

 private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Table = std::unordered_map<std::string, Permission, TextHash, std::equal_to<>>;

    [[nodiscard]] Permission of_type(std::string_view type) const;
    // Of a type that begins with `prefix` and that no longer rule names.
    [[nodiscard]] Permission of_prefix(std::string_view prefix) const;

    // Constant after construction.
    Table exact_;
    std::vector<std::pair<std::size_t, Table>> prefixes_;  // by length, the longest first
    Permission rest_;                                      // of types that no rule names
    Permission best_;                                      // of any type
    std::array<Permission, kResources> plain_{};           // of the other resources
};

}  // namespace belfry
