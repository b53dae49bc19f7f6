// belfry token: bootstrap, create, list, revoke.
#include "app/bootstrap.h"
#include "app/commands/commands.h"
#include "app/commands/config_flags.h"
#include "app/config_text.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "app/text_table.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr const char* kTokenExamples = R"(EXAMPLES
  belfry token bootstrap --data /var/lib/belfry >operator.token     once, while the hub is stopped
  export BELFRY_TOKEN=$(cat operator.token)
  belfry policy create ci ci.yaml
  belfry token create --policy ci --expires 720h >ci.token
  belfry token list
  belfry token revoke tk_4kq0v1m2c8dn --yes
)";

Target tokens() {
    return Target("/api/v1/tokens");
}

// The secret alone goes to stdout, so that it can go into a file; what it is, to stderr.
void print_secret(Console& console, std::string_view id, std::string_view secret) {
    console.data(screen_text(secret) + "\n");
    console.say(fmt::format("{} is made; its secret is shown this once", screen_text(id)));
}

ExitCode bootstrap(
    const ConfigFlags& flags, bool replace, const Invocation& invocation, Console& console
) {
    auto loaded = load_config(flags.sources(invocation.environment));
    if (!loaded) {
        console.complain("the configuration is invalid:\n" + problem_lines(loaded.error()));
        return ExitCode::invalid;
    }
    Result<IssuedToken> issued =
        bootstrap_token(loaded->config, replace ? Bootstrap::replace : Bootstrap::first);
    if (!issued) {
        console.complain(screen_text(issued.error().detail));
        return issued.error().code == Errc::conflict ? ExitCode::refused : ExitCode::failure;
    }
    if (console.json()) {
        json::object out{{"id", issued->token.id}, {"secret", issued->secret}};
        console.data(json::serialize(out) + "\n");
    } else {
        print_secret(console, issued->token.id, issued->secret);
    }
    return ExitCode::ok;
}

struct NewToken {
    std::vector<std::string> policies;
    std::string tenant;
    std::string expires;
    std::string description;
};

ExitCode create(const NewToken& token, const Invocation& invocation, Console& console) {
    json::object body{{"policies", json::array(token.policies.begin(), token.policies.end())}};
    for (const auto& [name, value] :
         {std::pair("tenant", token.tenant),
          {"expires", token.expires},
          {"description", token.description}}) {
        if (!value.empty()) {
            body[name] = value;
        }
    }
    HubRequest request{.method = "POST", .target = tokens()};
    request.content_type = "application/json";
    request.body = json::serialize(body);
    return call_and_print(invocation, console, request, [&](std::string_view answer) {
        json::error_code error;
        json::value issued = json::parse(answer, error);
        print_secret(console, member_text(issued, "id"), member_text(issued, "secret"));
    });
}

ExitCode list(const std::string& tenant, const Invocation& invocation, Console& console) {
    const std::vector<std::string_view> members{
        "id", "tenant", "policies", "expires", "created", "created_by", "description"
    };
    return list_and_print(
        invocation, console, tokens().parameter("tenant", tenant), "tokens", members
    );
}

void add_token_bootstrap(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "bootstrap",
        "Make the first token, in a stopped hub's directory",
        "EXAMPLES\n  belfry token bootstrap --data /var/lib/belfry >operator.token\n"
    );
    auto flags = std::make_shared<ConfigFlags>();
    auto replace = std::make_shared<bool>(false);
    flags->add_to(command);
    command.add_flag("--replace", *replace, "revoke the one made before, which was lost");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return bootstrap(*flags, *replace, invocation, console);
        };
    });
}

void add_token_create(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "create",
        "Issue one; prints its secret, once",
        "EXAMPLES\n  belfry token create --policy ci --expires 720h >ci.token\n"
    );
    auto token = std::make_shared<NewToken>();
    command.add_option("--policy", token->policies, "what it may do; may be repeated")
        .required()
        .one_value_each();
    command.add_option("--tenant", token->tenant, "for this tenant; yours");
    command.add_option("--expires", token->expires, "how long it counts, such as 720h; for ever");
    command.add_option("--description", token->description, "what it is for");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return create(*token, invocation, console);
        };
    });
}

void add_token_list(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "list", "List them, without their secrets", "EXAMPLES\n  belfry token list\n"
    );
    auto tenant = std::make_shared<std::string>();
    command.add_option("--tenant", *tenant, "of this tenant; yours");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            return list(*tenant, invocation, console);
        };
    });
}

void add_token_revoke(CommandArguments parent, Invocation& invocation) {
    CommandArguments command = parent.add_subcommand(
        "revoke", "Revoke one for good", "EXAMPLES\n  belfry token revoke tk_4kq0v1m2c8dn --yes\n"
    );
    auto id = std::make_shared<std::string>();
    auto tenant = std::make_shared<std::string>();
    auto yes = std::make_shared<bool>(false);
    command.add_option("ID", *id, "its id, not its secret").required();
    command.add_option("--tenant", *tenant, "of this tenant; yours");
    command.add_flag("--yes", *yes, "do not ask");
    command.when_chosen([=, &invocation] {
        invocation.run = [=, &invocation](Console& console) {
            if (id->starts_with("belfry_")) {
                return usage_error(console, "that is a secret, and now in your shell's history");
            }
            if (!confirmed(*yes, console, fmt::format("Revoke {}?", screen_text(*id)))) {
                return ExitCode::usage;
            }
            Target target = tokens();
            target.segment(*id).parameter("tenant", *tenant);
            return call_and_print(
                invocation,
                console,
                {.method = "DELETE", .target = target},
                [&](std::string_view) { console.say(screen_text(*id) + " is revoked"); }
            );
        };
    });
}

}  // namespace

void add_token(CommandArguments app, Invocation& invocation) {
    CommandArguments command = app.add_subcommand("token", "Who may call the hub", kTokenExamples);
    command.require_subcommand();
    add_token_bootstrap(command, invocation);
    add_token_create(command, invocation);
    add_token_list(command, invocation);
    add_token_revoke(command, invocation);
}

}  // namespace belfry
