#include "catalog/policy.h"

#include "base/json.h"
#include "base/json_text.h"
#include "catalog/name.h"

#include <boost/json.hpp>

#include <array>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kPolicyDescriptionBytes = 1024;
constexpr std::string_view kWords = "a permission is `read`, `write` or `deny`";

constexpr std::array kPlainRules{
    PlainRule{"subscription", &PolicyRules::subscription},
    PlainRule{"dead_letter", &PolicyRules::dead_letter},
    PlainRule{"agent", &PolicyRules::agent},
    PlainRule{"catalog", &PolicyRules::catalog},
    PlainRule{"token", &PolicyRules::token},
    PlainRule{"operator", &PolicyRules::op},
};

void read_event_rules(
    JsonObjectReader& reader, std::string_view name, EventRules& rules, const Limits& limits
) {
    const json::value* member = reader.optional(name);
    if (member == nullptr) {
        return;
    }
    const json::object* types = member->if_object();
    if (types == nullptr) {
        return reader.refuse(
            name, Errc::bad_request, "an object is expected, such as {\"deploy\": \"write\"}"
        );
    }
    for (const auto& [type, value] : *types) {
        const json::string* word = value.if_string();
        Result<void> added = add_event_rule(
            rules, type, word == nullptr ? std::string_view() : std::string_view(*word), limits
        );
        if (!added) {
            added.error().field = reader.path(name) + "." + std::string(type);
            reader.check(std::move(added));
        }
    }
}

Result<Policy> read_policy(std::string_view text, const Limits& limits) {
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    JsonObjectReader reader(*document);
    Policy policy;
    policy.name = reader.required_text("name");
    if (reader.ok()) {
        reader.check(check_name(policy.name));
    }
    policy.description = reader.text("description").value_or("");
    if (policy.description.size() > kPolicyDescriptionBytes) {
        reader.refuse("description", Errc::bad_request, "at most 1024 bytes are allowed");
    }
    policy.tenant = reader.text("tenant").value_or("");
    if (const json::value* rules = reader.required("rules")) {
        Result<PolicyRules> read = read_policy_rules(*rules, "rules", limits);
        if (read) {
            policy.rules = std::move(*read);
        } else {
            reader.check(std::unexpected(std::move(read.error())));
        }
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return policy;
}

void append_event_rules(std::string_view name, const EventRules& rules, json::object& out) {
    if (rules.empty()) {
        return;
    }
    json::object& member = out[name].emplace_object();
    for (const auto& [type, permission] : rules) {
        member[type] = permission_name(permission);
    }
}

}  // namespace

std::string_view permission_name(Permission permission) {
    switch (permission) {
        case Permission::deny:
            return "deny";
        case Permission::read:
            return "read";
        case Permission::write:
            return "write";
    }
    return {};
}

std::optional<Permission> parse_permission(std::string_view name) {
    for (Permission permission : {Permission::deny, Permission::read, Permission::write}) {
        if (name == permission_name(permission)) {
            return permission;
        }
    }
    return std::nullopt;
}

std::span<const PlainRule> plain_rules() {
    return kPlainRules;
}

const PolicyRules& operator_rules() {
    static const PolicyRules kRules = [] {
        PolicyRules rules;
        rules.event_prefix[""] = Permission::write;
        for (const PlainRule& rule : kPlainRules) {
            rules.*rule.member = Permission::write;
        }
        return rules;
    }();
    return kRules;
}

Result<void> add_event_rule(
    EventRules& rules, std::string_view type, std::string_view permission, const Limits& limits
) {
    std::optional<Permission> parsed = parse_permission(permission);
    if (!parsed) {
        return fail(Errc::bad_request, std::string(kWords));
    }
    if (type.size() > limits.event_type_bytes) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "no event type is that long",
            .limit = limits.event_type_bytes
        });
    }
    rules[std::string(type)] = *parsed;
    return {};
}

Result<PolicyRules> read_policy_rules(
    const json::value& value, const std::string& path, const Limits& limits
) {
    JsonObjectReader reader(value, path);
    PolicyRules rules;
    read_event_rules(reader, "event", rules.event, limits);
    if (rules.event.contains("")) {
        reader.refuse("event", Errc::bad_request, "no event type is empty; event_prefix may be");
    }
    read_event_rules(reader, "event_prefix", rules.event_prefix, limits);
    for (const PlainRule& rule : kPlainRules) {
        if (std::optional<std::string> word = reader.text(rule.name)) {
            rules.*rule.member = parse_permission(*word);
            if (!(rules.*rule.member)) {
                reader.refuse(rule.name, Errc::bad_request, std::string(kWords));
            }
        }
    }
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return rules;
}

Result<Policy> parse_policy(std::string_view text, const Limits& limits) {
    Result<Policy> policy = read_policy(text, limits);
    if (policy && !policy->tenant.empty()) {
        if (Result<void> good = check_name(policy->tenant); !good) {
            good.error().field = "tenant";
            return std::unexpected(std::move(good.error()));
        }
    }
    return policy;
}

std::string policy_rules_json(const PolicyRules& rules) {
    json::object out;
    append_event_rules("event", rules.event, out);
    append_event_rules("event_prefix", rules.event_prefix, out);
    for (const PlainRule& rule : kPlainRules) {
        if (rules.*rule.member) {
            out[rule.name] = permission_name(*(rules.*rule.member));
        }
    }
    return json::serialize(out);
}

Result<Policy> parse_stored_policy(std::string_view text) {
    // It was checked when it came; limits that shrank since must not lose a `deny`.
    Limits limits;
    limits.json_keys = limits.event_type_bytes = std::numeric_limits<std::uint64_t>::max();
    Result<Policy> policy = read_policy(text, limits);
    if (policy && policy->tenant.empty()) {
        return fail(Errc::internal, "it names no tenant");
    }
    return policy;
}

std::string stored_policy_json(const Policy& policy) {
    std::string out = "{\"name\":";
    append_json_string(out, policy.name);
    out += ",\"tenant\":";
    append_json_string(out, policy.tenant);
    if (!policy.description.empty()) {
        out += ",\"description\":";
        append_json_string(out, policy.description);
    }
    return out + ",\"rules\":" + policy_rules_json(policy.rules) + "}";
}

}  // namespace belfry
