// A policy as its document says: a name and rules on what may be done. Tokens name policies; auth/
// compiles the rules of a token and judges by them. Shapes: docs/access.md. May be called from any
// thread.
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "engine/kv.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace boost::json {
class value;
}

namespace belfry {

// In rising order: write implies read.
enum class Permission : std::uint8_t { deny, read, write };

[[nodiscard]] std::string_view permission_name(Permission permission);
[[nodiscard]] std::optional<Permission> parse_permission(std::string_view name);

using EventRules = std::map<std::string, Permission, std::less<>>;

struct PolicyRules {
    EventRules event;         // exact types
    EventRules event_prefix;  // types that begin so; "" is every type
    std::optional<Permission> subscription;
    std::optional<Permission> dead_letter;
    std::optional<Permission> agent;
    std::optional<Permission> catalog;
    std::optional<Permission> token;
    std::optional<Permission> op;

    bool operator==(const PolicyRules&) const = default;
};
// The members that are one word, in the order in which they are written.
struct PlainRule {
    std::string_view name;
    std::optional<Permission> PolicyRules::* member;
};
[[nodiscard]] std::span<const PlainRule> plain_rules();

struct Policy {
    std::string tenant = "default";
    std::string name;
    std::string description;
    PolicyRules rules;
    Revision revision;  // of the document; set when read from the catalog

    [[nodiscard]] std::string key() const { return tenant + "/" + name; }
};

// The policy that every tenant has, that allows everything and that nobody can change.
inline constexpr std::string_view kOperatorPolicy = "operator";
[[nodiscard]] const PolicyRules& operator_rules();
// What a caller without a token may do, if the tenant `default` has a policy of this name.
inline constexpr std::string_view kAnonymousPolicy = "anonymous";

// One rule on events into `rules`; bad_request if the type is too long or the word is none. The
// same name twice is an error of the caller's format, not of this.
[[nodiscard]] Result<void> add_event_rule(
    EventRules& rules, std::string_view type, std::string_view permission, const Limits& limits
);
// The rules in a document's member; `path` is where they stand and begins each `field`.
[[nodiscard]] Result<PolicyRules> read_policy_rules(
    const boost::json::value& value, const std::string& path, const Limits& limits
);

// From a request body `{"name","description"?,"tenant"?,"rules":{…}}`. Without a tenant it is
// empty: the caller's. Errors carry `field`.
[[nodiscard]] Result<Policy> parse_policy(std::string_view text, const Limits& limits);
// What a request body and an answer have in common: the rules as JSON.
[[nodiscard]] std::string policy_rules_json(const PolicyRules& rules);

// The document in Kv.
[[nodiscard]] Result<Policy> parse_stored_policy(std::string_view text);
[[nodiscard]] std::string stored_policy_json(const Policy& policy);

}  // namespace belfry
