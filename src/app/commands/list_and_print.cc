// Lists of documents that are shown the same way: all pages, one row each.
#include "app/commands/commands.h"
#include "app/event_line.h"
#include "app/screen_text.h"
#include "app/text_table.h"

#include <boost/json.hpp>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

std::string heading(std::string_view member) {
    std::string text(member);
    std::ranges::transform(text, text.begin(), [](char c) {
        return c == '_' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return text;
}

}  // namespace

ExitCode list_and_print(
    const Invocation& invocation,
    Console& console,
    const Target& target,
    std::string_view plural,
    const std::vector<std::string_view>& members
) {
    auto hub = invocation.hub();
    if (!hub) {
        return report(console, hub.error());
    }
    std::vector<std::vector<std::string>> rows(1);
    std::ranges::transform(members, std::back_inserter(rows.front()), heading);
    std::string next;
    do {
        Target page_target = target;
        HubResult<HttpReply> reply = (*hub)->call({.target = page_target.parameter("after", next)});
        if (!reply) {
            return report(console, reply.error());
        }
        json::error_code error;
        const json::value page = json::parse(reply->body, error);
        const json::value* list = page.is_object() ? page.as_object().if_contains(plural) : nullptr;
        if (error || list == nullptr || !list->is_array()) {
            return report(console, {.sentence = "the hub's answer is not a list", .next_step = {}});
        }
        for (const json::value& document : list->as_array()) {
            if (console.json()) {
                console.data(screen_json(json::serialize(document)) + "\n");
                continue;
            }
            std::vector<std::string>& row = rows.emplace_back();
            for (std::string_view member : members) {
                row.push_back(member_text(document, member));
            }
        }
        next = member_text(page, "next");
    } while (!next.empty());
    if (!console.json()) {
        console.data(text_table(rows, console.width()));
    }
    return ExitCode::ok;
}

}  // namespace belfry
