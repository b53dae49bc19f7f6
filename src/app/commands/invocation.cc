// What the commands share: the hub they talk to, how they fail, where input comes from.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unistd.h>

namespace belfry {

namespace {

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8420";
constexpr std::size_t kTokenBytesMax = 4096;

HubResult<std::string> read_all(std::FILE* file, const std::string& name, std::size_t bytes_max) {
    std::string text;
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file);
        text.append(buffer.data(), count);
        if (text.size() > bytes_max) {
            return std::unexpected(HubFailure{
                .code = ExitCode::invalid,
                .sentence = fmt::format("{} is larger than {} bytes", screen_text(name), bytes_max),
                .next_step = {}
            });
        }
        if (count == 0) {
            break;
        }
    }
    if (std::ferror(file) != 0) {
        return std::unexpected(invalid_usage(
            fmt::format("{} cannot be read: {}", screen_text(name), std::strerror(errno))
        ));
    }
    return text;
}

}  // namespace

std::string Invocation::variable(std::string_view name) const {
    auto found = std::ranges::find(environment, name, &std::pair<std::string, std::string>::first);
    return found == environment.end() ? "" : found->second;
}

bool Invocation::is_named_our_way() const {
    return http_addr.empty() && !(url.empty() && variable("BELFRY_URL").empty());
}

// "host:port", with or without a scheme, as Consul's programs take it.
HubResult<Url> Invocation::consul_address() const {
    const std::string_view origin = http_addr.empty() ? "CONSUL_HTTP_ADDR" : "-http-addr";
    std::string named = http_addr.empty() ? variable("CONSUL_HTTP_ADDR") : http_addr;
    if (named.empty()) {
        named = kDefaultUrl;
    }
    if (named.starts_with("unix:")) {
        return std::unexpected(invalid_usage(fmt::format(
            "{} names a unix socket, and a hub listens on TCP only: host:port, http:// or https://",
            origin
        )));
    }
    if (!named.contains("://")) {
        const std::string secure = variable("CONSUL_HTTP_SSL");
        named = (secure == "1" || secure == "true" ? "https://" : "http://") + named;
    }
    Result<Url> hub_url = parse_hub_url(named);
    if (!hub_url) {
        return std::unexpected(invalid_usage(fmt::format("{}: {}", origin, hub_url.error().detail))
        );
    }
    return *std::move(hub_url);
}

HubResult<Url> Invocation::address() const {
    if (as_consul && !is_named_our_way()) {
        return consul_address();
    }
    std::string named = url.empty() ? variable("BELFRY_URL") : url;
    Result<Url> hub_url = parse_hub_url(named.empty() ? kDefaultUrl : named);
    if (!hub_url) {
        return std::unexpected(invalid_usage(
            fmt::format("{}: {}", url.empty() ? "BELFRY_URL" : "--url", hub_url.error().detail)
        ));
    }
    return *std::move(hub_url);
}

HubResult<std::string> Invocation::access_token() const {
    if (token_file.empty()) {
        std::string token = variable("BELFRY_TOKEN");
        const bool consul = token.empty() && as_consul && !is_named_our_way();
        return consul ? variable("CONSUL_HTTP_TOKEN") : token;
    }
    HubResult<std::string> text = read_file_argument(token_file, kTokenBytesMax);
    if (!text) {
        return std::unexpected(std::move(text.error()));
    }
    return text->substr(0, text->find_last_not_of(" \r\n") + 1);
}

// None for a hub that speaks plain http.
HubResult<std::shared_ptr<const TlsContext>> Invocation::certificates(const Url& hub_url) const {
    if (hub_url.scheme == Url::Scheme::http) {
        return nullptr;
    }
    Result<std::shared_ptr<const TlsContext>> made = TlsContext::client({
        .ca = ca_file.empty() ? variable("BELFRY_CA_FILE") : ca_file,
        .certificate = variable("BELFRY_CERTIFICATE_FILE"),
        .key = variable("BELFRY_KEY_FILE"),
    });
    if (!made) {
        return std::unexpected(invalid_usage(made.error().detail));
    }
    return *std::move(made);
}

HubResult<std::unique_ptr<HubClient>> Invocation::hub() const {
    HubResult<Url> hub_url = address();
    if (!hub_url) {
        return std::unexpected(std::move(hub_url.error()));
    }
    HubResult<std::string> secret = access_token();
    if (!secret) {
        return std::unexpected(std::move(secret.error()));
    }
    HubResult<std::shared_ptr<const TlsContext>> trust = certificates(*hub_url);
    if (!trust) {
        return std::unexpected(std::move(trust.error()));
    }
    return std::make_unique<HubClient>(*std::move(hub_url), *std::move(secret), *std::move(trust));
}

HubFailure invalid_usage(std::string sentence, std::string next_step) {
    return {
        .code = ExitCode::usage, .sentence = std::move(sentence), .next_step = std::move(next_step)
    };
}

ExitCode report(Console& console, const HubFailure& failure) {
    console.complain(failure.sentence, failure.next_step);
    return failure.code;
}

ExitCode usage_error(Console& console, std::string sentence) {
    return report(console, invalid_usage(std::move(sentence)));
}

ExitCode call_and_print(
    const Invocation& invocation,
    Console& console,
    const HubRequest& request,
    const std::function<void(std::string_view body)>& print
) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    HubResult<HttpReply> reply = (*hub)->call(request);
    if (!reply) {
        return report(console, reply.error());
    }
    if (!console.json()) {
        print(reply->body);
    } else if (!reply->body.empty()) {
        console.data(screen_json(reply->body) + "\n");
    }
    return ExitCode::ok;
}

void print_members(Console& console, std::string_view body) {
    Result<boost::json::value> document = parse_json(body, Limits{});
    console.data(document ? member_lines(*document) : screen_text(body) + "\n");
}

bool confirmed(bool yes, Console& console, std::string_view question) {
    if (yes) {
        return true;
    }
    if (::isatty(STDIN_FILENO) != 1) {
        console.complain("this cannot be undone", "Say --yes to do it.");
        return false;
    }
    console.complain(fmt::format("{} [y/N]", question));
    int answer = std::getchar();
    return answer == 'y' || answer == 'Y';
}

HubResult<std::string> read_file_argument(const std::string& path, std::size_t bytes_max) {
    if (path == "-") {
        return read_all(stdin, "standard input", bytes_max);
    }
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(path.c_str(), "rbe"), std::fclose
    );
    if (!file) {
        return std::unexpected(invalid_usage(
            fmt::format("{} cannot be opened: {}", screen_text(path), std::strerror(errno))
        ));
    }
    return read_all(file.get(), path, bytes_max);
}

HubResult<std::string> read_argument(const std::string& argument, std::size_t bytes_max) {
    if (argument == "-" || argument.starts_with('@')) {
        return read_file_argument(argument == "-" ? argument : argument.substr(1), bytes_max);
    }
    return argument;
}

}  // namespace belfry
