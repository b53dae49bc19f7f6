// belfry policy: create, list, show, delete, check.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/policy_file.h"
#include "app/screen_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr const char* kPolicyExamples = R"(EXAMPLES
  belfry policy check ci.yaml                         what it says; no hub is asked
  belfry policy create ci ci.yaml
  belfry policy create old-team consul-policy.hcl     event rules as Consul has them
  belfry policy list
)";

Target policies() {
    return Target("/api/v1/policies");
}

HubResult<PolicyFile> read_policy(const std::string& path) {
    const Limits limits;
    HubResult<std::string> text = read_file_argument(path, limits.yaml_bytes);
    if (!text) {
        return std::unexpected(std::move(text.error()));
    }
    Result<PolicyFile> file = parse_policy_file(*text, path, limits);
    if (!file) {
        return std::unexpected(HubFailure{
            .code = ExitCode::invalid,
            .sentence = screen_text(path + ": " + file.error().detail),
            .next_step = {}
        });
    }
    return *std::move(file);
}

void say_notes(const PolicyFile& file, Console& console) {
    for (const std::string& note : file.notes) {
        console.say("note: " + screen_text(note));
    }
}

ExitCode check(const std::string& path, Console& console) {
    HubResult<PolicyFile> file = read_policy(path);
    if (!file) {
        return report(console, file.error());
    }
    say_notes(*file, console);
    const std::string rules = policy_rules_json(file->rules);
    console.data(console.json() ? screen_json(rules) + "\n" : member_lines(json::parse(rules)));
    return ExitCode::ok;
}

struct NewPolicy {
    std::string name;
    std::string path;
    std::string tenant;
    std::string description;
    bool replace = false;
};

ExitCode create(const NewPolicy& policy, const Invocation& invocation, Console& console) {
    HubResult<PolicyFile> file = read_policy(policy.path);
    if (!file) {
        return report(console, file.error());
    }
    say_notes(*file, console);
    json::object body{
        {"name", policy.name}, {"rules", json::parse(policy_rules_json(file->rules))}
    };
    if (!policy.tenant.empty()) {
        body["tenant"] = policy.tenant;
    }
    if (!policy.description.empty()) {
        body["description"] = policy.description;
    }
    HubRequest request{.method = policy.replace ? "PUT" : "POST", .target = policies()};
    if (policy.replace) {
        request.target.segment(policy.name);
    }
    request.content_type = "application/json";
    request.body = json::serialize(body);
    return call_and_print(invocation, console, request, [&](std::string_view) {
        console.say(screen_text(policy.name) + (policy.replace ? " is replaced" : " is made"));
    });
}

void add_policy_check(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "check",
        "Read a policy file and say what it says",
        "EXAMPLES\n  belfry policy check ci.yaml\n"
    );
    auto path = std::make_shared<std::string>();
    command.add_option("FILE", *path, "YAML, JSON, or HCL if it ends in .hcl; - is stdin")
        .required();
    command.when_chosen([=, &invocation] {
        invocation.run = [=](Console& console) { return check(*path, console); };
    });
}

void add_policy_create(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "create",
        "Create one, or replace it",
        "EXAMPLES\n  belfry policy create ci ci.yaml --replace\n"
    );
    auto policy = std::make_shared<NewPolicy>();
    command.add_option("NAME", policy->name, "its name").required();
    command.add_option("FILE", policy->path, "YAML, JSON, or HCL if it ends in .hcl; - is stdin")
        .required();
    command.add_option("--tenant", policy->tenant, "of this tenant; yours");
    command.add_option("--description", policy->description, "what it is for");
    command.add_flag("--replace", policy->replace, "the one there is; its tokens follow at once");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return create(*policy, invocation, console);
        };
    });
}

void add_policy_list(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "list",
        "List those that were made; `operator` is there without",
        "EXAMPLES\n  belfry policy list\n"
    );
    auto tenant = std::make_shared<std::string>();
    command.add_option("--tenant", *tenant, "of this tenant; yours");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return list_and_print(
                invocation,
                console,
                policies().parameter("tenant", *tenant),
                "policies",
                {"name", "tenant", "rules", "description"}
            );
        };
    });
}

struct PolicyName {
    std::string name;
    std::string tenant;
    bool yes = false;

    [[nodiscard]] Target target() const {
        return policies().segment(name).parameter("tenant", tenant);
    }
};

void add_policy_show(CommandArguments parent, Invocation& invocation) {
    CommandArguments command =
        parent.add_subcommand("show", "Show one", "EXAMPLES\n  belfry policy show ci\n");
    auto name = std::make_shared<PolicyName>();
    command.add_option("NAME", name->name, "its name").required();
    command.add_option("--tenant", name->tenant, "of this tenant; yours");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return call_and_print(
                invocation,
                console,
                {.target = name->target()},
                [&](std::string_view body) { print_members(console, body); }
            );
        };
    });
}

void add_policy_delete(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "delete", "Remove one that no token names", "EXAMPLES\n  belfry policy delete ci --yes\n"
    );
    auto name = std::make_shared<PolicyName>();
    command.add_option("NAME", name->name, "its name").required();
    command.add_option("--tenant", name->tenant, "of this tenant; yours");
    command.add_flag("--yes", name->yes, "do not ask");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            if (!confirmed(
                    name->yes, console, fmt::format("Delete {}?", screen_text(name->name))
                )) {
                return ExitCode::usage;
            }
            return call_and_print(
                invocation,
                console,
                {.method = "DELETE", .target = name->target()},
                [&](std::string_view) { console.say(screen_text(name->name) + " is deleted"); }
            );
        };
    });
}

}  // namespace

void add_policy(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("policy", "What tokens may do", kPolicyExamples);
    command.require_subcommand();
    add_policy_check(command, invocation);
    add_policy_create(command, invocation);
    add_policy_list(command, invocation);
    add_policy_show(command, invocation);
    add_policy_delete(command, invocation);
}

}  // namespace belfry
