#include "app/commands/named_command.h"

#include <memory>
#include <utility>

namespace belfry {

void add_named(CommandArguments parent, Invocation& invocation, NamedCommand named) {
    CommandArguments command =
        parent.add_subcommand(named.word, named.summary, "EXAMPLES\n  " + named.example + "\n");
    auto name = std::make_shared<std::string>();
    command.add_option("NAME", *name, "its name").required();
    command.when_chosen([name, run = std::move(named.run), &invocation] {
        invocation.run = [name, run, &invocation](Console& console) {
            return run(*name, invocation, console);
        };
    });
}

}  // namespace belfry
