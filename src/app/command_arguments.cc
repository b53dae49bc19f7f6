#include "app/command_arguments.h"

#include "app/nearest_name.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace belfry {

namespace {

// Examples first, then the rest as the library prints it.
class ExamplesFirst final : public CLI::Formatter {
 public:
    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode)
        const override {
        std::string help = make_footer(app) + "\nUSAGE\n" + make_description(app);
        std::string usage = make_usage(app, std::move(name));
        help +=
            usage + make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
        return help.substr(help.find_first_not_of('\n'));
    }
};

void take_options_of_parents(CLI::App& app) {
    app.fallthrough();
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        take_options_of_parents(*command);
    }
}

// The library says only that a command is missing where one is mistyped.
std::string mistake(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* group = &app;
    while (!group->get_subcommands().empty()) {
        group = group->get_subcommands().front();
    }
    const std::vector<std::string> words = app.remaining(true);
    if (group->get_require_subcommand_min() == 0 || words.empty() || words[0].starts_with('-')) {
        return error.what();
    }
    std::vector<std::string_view> names;
    for (const CLI::App* command : group->get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    std::string said = fmt::format("`{}` is not a command", words[0]);
    if (group != &app) {
        said += fmt::format(" of `{}`", group->get_name());
    }
    if (const std::optional<std::string_view> nearest = nearest_name(words[0], names)) {
        said += fmt::format("; did you mean `{}`?", *nearest);
    }
    return said;
}

}  // namespace

CommandOption CommandOption::required() const {
    option_->required();
    return *this;
}

CommandOption CommandOption::between(int least, int most) const {
    option_->check(CLI::Range(least, most));
    return *this;
}

CommandOption CommandOption::between(double least, double most) const {
    option_->check(CLI::Range(least, most));
    return *this;
}

CommandOption CommandOption::one_of(const std::vector<std::string>& words) const {
    option_->check(CLI::IsMember(words));
    return *this;
}

CommandOption CommandOption::one_value_each() const {
    option_->allow_extra_args(false);
    return *this;
}

CommandOption CommandOption::with_default_in_help() const {
    option_->capture_default_str();
    return *this;
}

bool CommandOption::given() const {
    return option_->count() > 0;
}

CommandArguments CommandArguments::add_subcommand(
    const std::string& name, const std::string& summary, const std::string& examples
) const {
    CLI::App* command = app_->add_subcommand(name, summary);
    command->footer(examples);
    return CommandArguments(*command);
}

void CommandArguments::require_subcommand() const {
    app_->require_subcommand(1);
}

CommandOption CommandArguments::add_option(
    const std::string& names, std::string& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, std::vector<std::string>& values, const std::string& help
) const {
    return CommandOption(app_->add_option(names, values, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, int& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, std::uint16_t& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, std::uint64_t& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, std::optional<std::uint64_t>& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_option(
    const std::string& names, double& value, const std::string& help
) const {
    return CommandOption(app_->add_option(names, value, help));
}

CommandOption CommandArguments::add_flag(
    const std::string& names, bool& value, const std::string& help
) const {
    return CommandOption(app_->add_flag(names, value, help));
}

void CommandArguments::when_chosen(const std::function<void()>& call) const {
    app_->callback(call);
}

ArgumentParser::ArgumentParser(const ProgramTexts& texts)
    : version_(texts.version), app_(std::make_unique<CLI::App>(texts.summary, texts.name)) {
    app_->formatter(std::make_shared<ExamplesFirst>());
    app_->footer(texts.examples);
    app_->require_subcommand(1);
    app_->set_version_flag("--version", version_);
}

ArgumentParser::~ArgumentParser() = default;

ParsedWords ArgumentParser::parse(std::vector<std::string> words) {
    take_options_of_parents(*app_);
    std::ranges::reverse(words);  // as the library wants them
    try {
        app_->parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
        return {.kind = ParsedWords::Kind::question, .text = app_->help()};
    } catch (const CLI::CallForVersion&) {
        return {.kind = ParsedWords::Kind::question, .text = version_ + "\n"};
    } catch (const CLI::ParseError& error) {
        return {.kind = ParsedWords::Kind::mistake, .text = mistake(*app_, error)};
    }
    return {.kind = ParsedWords::Kind::command, .text = {}};
}

}  // namespace belfry
