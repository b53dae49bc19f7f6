#include "sinks/command_definition.h"

#include "base/ascii.h"
#include "base/duration.h"
#include "base/json.h"
#include "catalog/name.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kTextBytes = 128 * 1024;  // what the kernel takes as one argument
constexpr std::size_t kTexts = 1'000;
constexpr std::uint32_t kConcurrencyMost = 1'000;
constexpr Duration kTimeoutLeast = std::chrono::milliseconds(100);
constexpr Duration kTimeoutMost = std::chrono::days(1);

std::string_view view(json::string_view text) {
    return {text.data(), text.size()};
}

// Nothing that execve() would cut or refuse.
Result<void> check_text(const std::string& field, std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return fail(Errc::bad_request, field, "a zero byte cannot be part of it");
    }
    if (text.size() >= kTextBytes) {
        return fail(Errc::bad_request, field, fmt::format("less than {} bytes", kTextBytes));
    }
    return {};
}

void read_argv(JsonObjectReader& reader, CommandDefinition& command) {
    if (reader.required("argv") == nullptr) {
        return;
    }
    command.argv = reader.texts("argv");
    if (!reader.ok()) {
        return;
    }
    if (command.argv.empty() || command.argv.size() > kTexts) {
        reader.refuse(
            "argv", Errc::bad_request, fmt::format("from 1 to {} texts are expected", kTexts)
        );
        return;
    }
    for (std::size_t i = 0; i < command.argv.size(); ++i) {
        reader.check(check_text(reader.path("argv", i), command.argv[i]));
    }
    const std::string& program = command.argv.front();
    if (program.empty() || (program.front() != '/' && program.find('/') != std::string::npos)) {
        reader.check(fail(
            Errc::bad_request,
            reader.path("argv", 0),
            "an absolute path, or a name without `/` that is looked up in PATH, is expected"
        ));
    }
}

bool is_variable_name(std::string_view name) {
    auto is_first = [](char c) { return is_letter(c) || c == '_'; };
    return !name.empty() && is_first(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return is_first(c) || is_digit(c); });
}

void read_environment(JsonObjectReader& reader, CommandDefinition& command) {
    const json::value* value = reader.optional("environment");
    if (value == nullptr) {
        return;
    }
    const json::object* variables = value->if_object();
    if (variables == nullptr || variables->size() > kTexts) {
        reader.refuse(
            "environment",
            Errc::bad_request,
            fmt::format("an object of at most {} names and texts is expected", kTexts)
        );
        return;
    }
    for (const json::key_value_pair& variable : *variables) {
        const std::string_view name = view(variable.key());
        const std::string field = fmt::format("{}.{}", reader.path("environment"), name);
        const json::string* text = variable.value().if_string();
        if (!is_variable_name(name)) {
            reader.check(fail(
                Errc::bad_request,
                field,
                "letters, digits and `_` are expected, and no digit in front"
            ));
        } else if (name.starts_with("BELFRY_") || name == "CONSUL_INDEX") {
            reader.check(fail(Errc::bad_request, field, "Belfry sets this one itself"));
        } else if (text == nullptr) {
            reader.check(fail(Errc::bad_request, field, "a text is expected; a number needs quotes")
            );
        } else {
            reader.check(check_text(field, view(*text)));
            command.environment.emplace_back(name, view(*text));
        }
    }
}

void read_bounds(JsonObjectReader& reader, CommandDefinition& command) {
    if (std::optional<std::string> text = reader.text("timeout")) {
        Result<Duration> timeout = parse_duration(*text);
        if (!timeout) {
            reader.refuse("timeout", Errc::bad_request, timeout.error().detail);
        } else if (*timeout < kTimeoutLeast || *timeout > kTimeoutMost) {
            reader.refuse("timeout", Errc::bad_request, "from 100ms to 1d is possible");
        } else {
            command.timeout = *timeout;
        }
    }
    if (std::optional<std::uint64_t> concurrency = reader.number("concurrency")) {
        if (*concurrency < 1 || *concurrency > kConcurrencyMost) {
            reader.refuse(
                "concurrency",
                Errc::bad_request,
                fmt::format("from 1 to {} is possible", kConcurrencyMost)
            );
        } else {
            command.concurrency = static_cast<std::uint32_t>(*concurrency);
        }
    }
}

void read_format(JsonObjectReader& reader, CommandDefinition& command) {
    const std::string format = reader.text("format").value_or("cloudevents");
    if (format == "consul") {
        command.format = CommandDefinition::Format::consul;
    } else if (format != "cloudevents") {
        reader.refuse("format", Errc::bad_request, "cloudevents or consul is expected");
    }
}

Result<CommandDefinition> read_command(const json::value& value, std::string_view name) {
    if (Result<void> good = check_name(name); !good) {
        return fail(Errc::bad_request, std::string(name), std::move(good.error().detail));
    }
    JsonObjectReader reader(value, std::string(name));
    CommandDefinition command;
    read_argv(reader, command);
    if (std::optional<std::string> user = reader.text("user")) {
        if (user->empty()) {
            reader.refuse("user", Errc::bad_request, "the name of a user is expected");
        }
        reader.check(check_text(reader.path("user"), *user));
        command.user = std::move(*user);
    }
    read_environment(reader, command);
    read_bounds(reader, command);
    read_format(reader, command);
    if (Result<void> finished = reader.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    return command;
}

}  // namespace

Result<CommandDefinitions> parse_command_definitions(std::string_view text) {
    Result<json::value> document = parse_json(text, Limits());
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    const json::object* members = document->if_object();
    if (members == nullptr) {
        return fail(Errc::bad_request, "an object of commands by name is expected");
    }
    CommandDefinitions commands;
    for (const json::key_value_pair& member : *members) {
        const std::string_view name = view(member.key());
        Result<CommandDefinition> command = read_command(member.value(), name);
        if (!command) {
            return std::unexpected(std::move(command.error()));
        }
        commands.emplace(name, *std::move(command));
    }
    return commands;
}

}  // namespace belfry
