// What the words of a command line mean: options, flags and arguments by their place, read into
// variables, and commands that have more of them. Only its .cc file includes the library behind it,
// which takes long to compile. CommandArguments and CommandOption are handles, copied freely; the
// ArgumentParser they come from and the variables outlive parsing and every handle. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace belfry {

class CommandOption {
 public:
    CommandOption() = default;
    explicit CommandOption(CLI::Option* option) : option_(option) {}

    CommandOption required() const;
    CommandOption between(int least, int most) const;
    CommandOption between(double least, double most) const;
    CommandOption one_of(const std::vector<std::string>& words) const;
    // Each value has the flag before it: `--type a --type b`.
    CommandOption one_value_each() const;
    // The value that the variable has now stands in the help.
    CommandOption with_default_in_help() const;

    // After parsing: whether it was there, even with an empty value.
    [[nodiscard]] bool given() const;

 private:
    CLI::Option* option_ = nullptr;
};

// Of one command, or of the program itself. `names` as "--limit", "-n,--count", or "TYPE" for an
// argument by its place.
class CommandArguments {
 public:
    explicit CommandArguments(CLI::App& app) : app_(&app) {}

    CommandArguments add_subcommand(
        const std::string& name, const std::string& summary, const std::string& examples
    ) const;
    // A command that does nothing without one of its own.
    void require_subcommand() const;

    CommandOption add_option(const std::string& names, std::string& value, const std::string& help)
        const;
    CommandOption add_option(
        const std::string& names, std::vector<std::string>& values, const std::string& help
    ) const;
    CommandOption add_option(const std::string& names, int& value, const std::string& help) const;
    CommandOption add_option(
        const std::string& names, std::uint16_t& value, const std::string& help
    ) const;
    CommandOption add_option(
        const std::string& names, std::uint64_t& value, const std::string& help
    ) const;
    CommandOption add_option(
        const std::string& names, std::optional<std::uint64_t>& value, const std::string& help
    ) const;
    CommandOption add_option(const std::string& names, double& value, const std::string& help)
        const;
    CommandOption add_flag(const std::string& names, bool& value, const std::string& help) const;

    // Called at the end of parsing, if it is the command of the line.
    void when_chosen(const std::function<void()>& call) const;

 private:
    CLI::App* app_;
};

struct ProgramTexts {
    std::string name;
    std::string summary;
    std::string examples;
    std::string version;  // what --version prints
};

struct ParsedWords {
    enum class Kind : std::uint8_t {
        command,   // it was chosen
        question,  // --help or --version; `text` is the answer
        mistake,   // `text` says what is wrong
    };
    Kind kind;
    std::string text;
};

// Help begins with the examples; a command takes the program's options too.
class ArgumentParser {
 public:
    explicit ArgumentParser(const ProgramTexts& texts);
    ~ArgumentParser();
    ArgumentParser(const ArgumentParser&) = delete;
    ArgumentParser& operator=(const ArgumentParser&) = delete;

    [[nodiscard]] CommandArguments program() { return CommandArguments(*app_); }
    // Once, when every command is there.
    [[nodiscard]] ParsedWords parse(std::vector<std::string> words);

 private:
    const std::string version_;
    const std::unique_ptr<CLI::App> app_;
};

}  // namespace belfry
