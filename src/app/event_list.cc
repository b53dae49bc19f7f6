#include "app/event_list.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kIndent = 4;

Error not_a_list(std::string detail) {
    return {.code = Errc::bad_request, .detail = "no list of events: " + std::move(detail)};
}

void new_line(std::string& out, std::size_t depth) {
    out += '\n';
    out.append(depth * kIndent, ' ');
}

}  // namespace

Result<std::vector<ListedEvent>> parse_event_list(std::string_view body) {
    Result<json::value> parsed = parse_json(body, Limits{});
    if (!parsed) {
        return std::unexpected(not_a_list(parsed.error().detail));
    }
    const json::array* array = parsed->if_array();
    if (array == nullptr) {
        return std::unexpected(not_a_list("it is not an array"));
    }
    std::vector<ListedEvent> events;
    events.reserve(array->size());
    for (const json::value& item : *array) {
        const json::object* object = item.if_object();
        const json::value* id = object == nullptr ? nullptr : object->if_contains("ID");
        const std::optional<Uuid> uuid =
            id != nullptr && id->is_string() ? parse_uuid(id->get_string()) : std::nullopt;
        if (!uuid) {
            return std::unexpected(
                not_a_list(fmt::format("element {} has no \"ID\" that is a UUID", events.size()))
            );
        }
        events.push_back({.id = *uuid, .json = json::serialize(item)});
    }
    return events;
}

bool is_of_another_log(const std::vector<ListedEvent>& events, const EventMark& mark) {
    if (events.empty()) {
        return false;
    }
    return consul_index(events.back().id) < mark.index() ||
           std::ranges::any_of(
               events,
               [&](const ListedEvent& event) {
                   return consul_index(event.id) == mark.index() && event.id != mark.id;
               }
           );
}

std::vector<ListedEvent> events_behind(
    std::vector<ListedEvent> events, const std::optional<EventMark>& mark
) {
    if (mark) {
        std::erase_if(events, [&](const ListedEvent& event) {
            return consul_index(event.id) <= mark->index();
        });
    }
    return events;
}

std::string indented_json(std::string_view json) {
    std::string out;
    std::size_t depth = 0;
    bool in_string = false;
    bool escaped = false;
    bool is_opened = false;  // nothing stands behind the last bracket yet
    for (const char c : json) {
        if (in_string) {
            out += c;
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            continue;
        }
        const bool is_closing = c == ']' || c == '}';
        if (is_closing) {
            --depth;
        }
        if (is_closing != is_opened) {
            new_line(out, depth);
        }
        out += c;
        is_opened = c == '[' || c == '{';
        if (is_opened) {
            ++depth;
        } else if (c == ',') {
            new_line(out, depth);
        } else if (c == ':') {
            out += ' ';
        } else if (c == '"') {
            in_string = true;
        }
    }
    return out;
}

}  // namespace belfry
