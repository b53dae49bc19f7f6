#include "eventkit/problem.h"

#include "base/json_text.h"

#include <algorithm>
#include <simdjson.h>
#include <string_view>

namespace belfry::eventkit {
namespace {

// What a handler throws may hold anything.
void append_text(std::string& out, const std::string& text) {
    if (simdjson::validate_utf8(text)) {
        append_json_string(out, text);
        return;
    }
    std::string ascii = text;
    std::ranges::replace_if(
        ascii, [](char c) { return static_cast<unsigned char>(c) > 0x7e; }, '?'
    );
    append_json_string(out, ascii);
}

}  // namespace

std::string problem_json(const Problem& problem) {
    std::string json = R"({"title":)";
    append_text(json, problem.title);
    const auto append_member = [&json](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            json += ',';
            append_json_name(json, name);
            append_text(json, text);
        }
    };
    append_member("detail", problem.detail);
    append_member("type", problem.type);
    append_member("instance", problem.instance);
    json += '}';
    return json;
}

}  // namespace belfry::eventkit
