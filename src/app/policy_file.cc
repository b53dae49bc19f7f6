#include "app/policy_file.h"

#include "app/config_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace belfry {

namespace {

std::string at(const YamlPlace& place, std::string_view what) {
    return fmt::format("line {}, column {}: {}", place.line, place.column, what);
}

// One leaf of the document; what is wrong with it, or nothing.
std::optional<std::string> take_rule(
    const YamlLeaf& leaf, const Limits& limits, PolicyRules& rules
) {
    const YamlKey& key = leaf.path.front();
    const bool exact = key.name == "event";
    const bool of_events = exact || key.name == "event_prefix";
    if (of_events && leaf.path.size() == 1 && leaf.kind == YamlLeaf::Kind::nothing) {
        return std::nullopt;
    }
    if (leaf.kind != YamlLeaf::Kind::text) {
        return at(leaf.place, "`read`, `write` or `deny` is expected");
    }
    if (of_events) {
        if (leaf.path.size() != 2) {
            return at(leaf.place, "event types are expected, each with `read`, `write` or `deny`");
        }
        const std::string& type = leaf.path.back().name;
        if (exact && type.empty()) {
            return at(leaf.path.back().place, "no event type is empty; event_prefix may be");
        }
        Result<void> added =
            add_event_rule(exact ? rules.event : rules.event_prefix, type, leaf.text, limits);
        return added ? std::nullopt : std::optional(at(leaf.place, added.error().detail));
    }
    const auto plain = std::ranges::find(plain_rules(), key.name, &PlainRule::name);
    if (plain == plain_rules().end() || leaf.path.size() != 1) {
        return at(
            key.place,
            "the members are event, event_prefix, subscription, dead_letter, agent, catalog, token "
            "and operator"
        );
    }
    rules.*plain->member = parse_permission(leaf.text);
    if (!(rules.*plain->member)) {
        return at(leaf.place, "`read`, `write` or `deny` is expected");
    }
    return std::nullopt;
}

}  // namespace

Result<PolicyFile> parse_policy_file(
    std::string_view text, std::string_view file_name, const Limits& limits
) {
    if (file_name.ends_with(".hcl")) {
        return parse_policy_hcl(text, limits);
    }
    PolicyFile file;
    std::optional<std::string> wrong;
    std::optional<YamlProblem> problem = read_config_yaml(text, limits, [&](const YamlLeaf& leaf) {
        wrong = take_rule(leaf, limits, file.rules);
        return !wrong;
    });
    if (problem) {
        wrong = at(problem->place, problem->what);
    }
    if (wrong) {
        return fail(Errc::bad_request, std::move(*wrong));
    }
    note_wildcards(file);
    return file;
}

}  // namespace belfry
