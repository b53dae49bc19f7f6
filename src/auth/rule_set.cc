#include "auth/rule_set.h"

#include "base/assert.h"

#include <algorithm>
#include <map>

namespace belfry {

namespace {

// By position in plain_rules().
constexpr std::array kPlainResources{
    Resource::subscription,
    Resource::dead_letter,
    Resource::agent,
    Resource::catalog,
    Resource::token,
    Resource::op,
};

bool suffices(Permission permission, Verb verb) {
    return permission >= (verb == Verb::read ? Permission::read : Permission::write);
}

// Two policies on the same.
Permission merged(Permission one, Permission other) {
    return one == Permission::deny || other == Permission::deny ? Permission::deny
                                                                : std::max(one, other);
}

void merge_into(auto& table, const EventRules& rules) {
    for (const auto& [type, permission] : rules) {
        auto [at, added] = table.try_emplace(type, permission);
        at->second = merged(at->second, permission);
    }
}

std::string event_rule_text(std::string_view kind, std::string_view name, Permission permission) {
    std::string text(kind);
    return text.append(" \"").append(name).append("\": ").append(permission_name(permission));
}

}  // namespace

RuleSet::RuleSet(std::span<const PolicyRules* const> policies, DefaultPolicy otherwise)
    : rest_(otherwise == DefaultPolicy::allow ? Permission::write : Permission::deny),
      best_(rest_) {
    std::map<std::size_t, Table, std::greater<>> by_length;
    std::array<std::optional<Permission>, kResources> plain;
    for (const PolicyRules* policy : policies) {
        merge_into(exact_, policy->event);
        for (const auto& [prefix, permission] : policy->event_prefix) {
            auto [at, added] = by_length[prefix.size()].try_emplace(prefix, permission);
            at->second = merged(at->second, permission);
        }
        for (std::size_t i = 0; i < kPlainResources.size(); ++i) {
            if (std::optional<Permission> rule = policy->*(plain_rules()[i].member)) {
                auto& slot = plain[static_cast<std::size_t>(kPlainResources[i])];
                slot = slot ? merged(*slot, *rule) : *rule;
            }
        }
    }
    for (Resource resource : kPlainResources) {
        const bool by_default = resource != Resource::token && resource != Resource::op;
        const auto index = static_cast<std::size_t>(resource);
        plain_[index] = plain[index].value_or(by_default ? rest_ : Permission::deny);
    }
    if (auto every = by_length.find(0); every != by_length.end()) {
        best_ = every->second.begin()->second;
    }
    for (auto& [length, table] : by_length) {
        for (const auto& [prefix, permission] : table) {
            best_ = std::max(best_, permission);
        }
        prefixes_.emplace_back(length, std::move(table));
    }
    for (const auto& [type, permission] : exact_) {
        best_ = std::max(best_, permission);
    }
}

Permission RuleSet::of_type(std::string_view type) const {
    if (auto found = exact_.find(type); found != exact_.end()) {
        return found->second;
    }
    return of_prefix(type);
}

Permission RuleSet::of_prefix(std::string_view prefix) const {
    for (const auto& [length, table] : prefixes_) {
        if (length > prefix.size()) {
            continue;
        }
        if (auto found = table.find(prefix.substr(0, length)); found != table.end()) {
            return found->second;
        }
    }
    return rest_;
}

bool RuleSet::allows(Resource resource, Verb verb, std::string_view name) const {
    switch (resource) {
        case Resource::none:
            return true;
        case Resource::event:
            return suffices(name.empty() ? best_ : of_type(name), verb);
        case Resource::subscription:
        case Resource::dead_letter:
        case Resource::agent:
        case Resource::catalog:
        case Resource::token:
        case Resource::op:
            return suffices(plain_[static_cast<std::size_t>(resource)], verb);
    }
    assert_failed("a resource has a rule", __FILE__, __LINE__);
}

bool RuleSet::covers(Verb verb, const TypePattern& types) const {
    if (!types.prefix) {
        return suffices(of_type(types.text), verb);
    }
    const auto good = [&](const auto& rule) {
        return !rule.first.starts_with(types.text) || suffices(rule.second, verb);
    };
    return suffices(of_prefix(types.text), verb) && std::ranges::all_of(exact_, good) &&
           std::ranges::all_of(prefixes_, [&](const auto& level) {
               return level.first < types.text.size() || std::ranges::all_of(level.second, good);
           });
}

bool RuleSet::is_within(const RuleSet& other) const {
    return beyond(other).empty();
}

// The rules of both cut the types into regions: each exact name, each prefix without what is
// longer, and the rest. Within one, both sets say one thing; so one look at each region decides.
std::string RuleSet::beyond(const RuleSet& other) const {
    for (Resource resource : kPlainResources) {
        const Permission wanted = plain_[static_cast<std::size_t>(resource)];
        if (wanted > other.plain_[static_cast<std::size_t>(resource)]) {
            return std::string(resource_name(resource)) + ": " +
                   std::string(permission_name(wanted));
        }
    }
    for (const RuleSet* set : {this, &other}) {
        for (const auto& [type, permission] : set->exact_) {
            if (of_type(type) > other.of_type(type)) {
                return event_rule_text("event", type, of_type(type));
            }
        }
        for (const auto& [length, table] : set->prefixes_) {
            for (const auto& [prefix, permission] : table) {
                if (of_prefix(prefix) > other.of_prefix(prefix)) {
                    return event_rule_text("event_prefix", prefix, of_prefix(prefix));
                }
            }
        }
    }
    const Permission wanted = of_prefix({});
    return wanted > other.of_prefix({}) ? event_rule_text("event_prefix", "", wanted) : "";
}

}  // namespace belfry
