#include "app/event_line.h"

#include "app/screen_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace belfry {

namespace {

namespace json = boost::json;

constexpr std::size_t kTypeWidth = 40;
constexpr std::size_t kSourceWidth = 40;
constexpr std::size_t kDataMin = 20;
// Deeper than the hub's own documents; a document from elsewhere ends here as JSON.
constexpr std::size_t kDepthMax = 8;

std::string value_text(const json::value& value) {
    if (const json::string* text = value.if_string()) {
        return std::string(text->data(), text->size());
    }
    return json::serialize(value);
}

// The time of day is enough on a screen; a date is for yesterday's events.
std::string time_text(const json::value& event) {
    std::string time = member_text(event, "recorded");
    if (time.empty()) {
        time = member_text(event, "time");
    }
    constexpr std::size_t kToMilliseconds = 23;
    if (time.size() <= kToMilliseconds || time[10] != 'T' || time[19] != '.') {
        return time;
    }
    time[10] = ' ';
    return time.substr(0, kToMilliseconds);
}

std::string data_text(const json::value& event) {
    std::string data = member_text(event, "data");
    if (data.empty()) {
        data = member_text(event, "data_base64");
    }
    return data;
}

struct Line {
    std::string path;
    std::string value;
};

void collect(
    const json::value& value, const std::string& path, std::size_t depth, std::vector<Line>& lines
) {
    const json::object* object = value.if_object();
    if (object != nullptr && !object->empty() && depth < kDepthMax) {
        for (const json::key_value_pair& member : *object) {
            std::string below = path.empty() ? "" : path + ".";
            below += std::string_view(member.key());
            collect(member.value(), below, depth + 1, lines);
        }
        return;
    }
    lines.push_back({.path = screen_text(path), .value = screen_text(value_text(value))});
}

}  // namespace

std::string event_line(const json::value& event, std::string_view offset, const Console& console) {
    std::string own_offset = member_text(event, "offset");
    std::string time = screen_text(time_text(event));
    std::string number = screen_text(own_offset.empty() ? offset : std::string_view(own_offset));
    std::string type = screen_text(member_text(event, "type"), kTypeWidth);
    std::string source = screen_text(member_text(event, "source"), kSourceWidth);
    std::size_t used = time.size() + number.size() + type.size() + source.size() + 8;
    std::size_t width = console.width();
    std::size_t room = std::max(kDataMin, width > used ? width - used : 0);
    return fmt::format(
        "{}  {}  {}  {}  {}\n",
        console.paint(time, 2),
        number,
        console.paint(type, 1),
        console.paint(source, 36),
        screen_text(data_text(event), room)
    );
}

std::string member_lines(const json::value& document) {
    std::vector<Line> lines;
    collect(document, "", 0, lines);
    std::size_t width = 0;
    for (const Line& line : lines) {
        width = std::max(width, line.path.size());
    }
    std::string out;
    for (const Line& line : lines) {
        out += fmt::format("{:<{}}  {}\n", line.path, width, line.value);
    }
    return out;
}

std::string member_text(const json::value& object, std::string_view name) {
    const json::object* members = object.if_object();
    const json::value* member = members == nullptr ? nullptr : members->if_contains(name);
    return member == nullptr || member->is_null() ? "" : value_text(*member);
}

}  // namespace belfry
