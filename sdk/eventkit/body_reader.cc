#include "eventkit/body_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <ranges>
#include <vector>

namespace belfry::eventkit {

namespace {

// Names of members that the sender chose are shown as long as they are short.
constexpr std::size_t kShownNameBytes = 80;
// Up to here a double holds every whole number.
constexpr double kExactDouble = 9007199254740992.0;

std::optional<std::int64_t> whole(std::string_view literal) {
    const char* const end = literal.data() + literal.size();
    std::int64_t number = 0;
    const auto read = std::from_chars(literal.data(), end, number);
    if (read.ec == std::errc{} && read.ptr == end) {
        return number;
    }
    double real = 0;
    const auto read_real = std::from_chars(literal.data(), end, real);
    if (read_real.ec != std::errc{} || read_real.ptr != end || std::trunc(real) != real ||
        std::abs(real) > kExactDouble) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(real);
}

}  // namespace

bool BodyReader::take_null() {
    std::string_view skipped;
    return scan_.peek() == 'n' && value(skipped);
}

bool BodyReader::text(std::string_view& to, std::string& unescaped) {
    JsonScan::String scanned;
    if (scan_.peek() != '"') {
        return wrong_type("must be a string");
    }
    if (!scan_.string(scanned)) {
        return malformed();
    }
    to = scanned.inner;
    return !scanned.escaped || unescape(scanned.inner, to, unescaped);
}

bool BodyReader::text(std::string& to) {
    std::string_view view;
    if (!text(view, to)) {
        return false;
    }
    if (view.data() != to.data()) {
        to = view;
    }
    return true;
}

bool BodyReader::whole_number(std::int64_t& to) {
    constexpr std::string_view kWanted = "must be a whole number of at most 63 bits";
    const char next = scan_.peek();
    std::string unescaped;
    std::string_view literal;
    if (next == '"') {
        if (!text(literal, unescaped)) {
            return false;
        }
    } else if (next != '-' && (next < '0' || next > '9')) {
        return wrong_type(kWanted);
    } else if (!value(literal)) {
        return false;
    }
    const std::optional<std::int64_t> number = whole(literal);
    if (!number) {
        return refuse(kWanted);
    }
    to = *number;
    return true;
}

bool BodyReader::value(std::string_view& to) {
    return scan_.value(to) || malformed();
}

bool BodyReader::object_text(std::string_view& to) {
    return scan_.peek() == '{' ? value(to) : wrong_type("must be an object");
}

bool BodyReader::finish() {
    return scan_.at_end() || malformed();
}

bool BodyReader::refuse(std::string_view what) {
    failed_ = true;
    error_.field = path();
    error_.detail = error_.field.empty() ? fmt::format("the body {}", what)
                                         : fmt::format("{} {}", error_.field, what);
    return false;
}

bool BodyReader::refuse_member(std::string_view name, std::string_view what) {
    const Place place(*this, name);
    return refuse(what);
}

bool BodyReader::open(char bracket, std::string_view wanted) {
    return scan_.take(bracket) || wrong_type(wanted);
}

bool BodyReader::wrong_type(std::string_view wanted) {
    std::string_view skipped;
    return value(skipped) && refuse(wanted);
}

bool BodyReader::close(char bracket) {
    return scan_.take(bracket) || malformed();
}

bool BodyReader::unescape(std::string_view inner, std::string_view& to, std::string& unescaped) {
    unescaped.clear();
    if (!append_unescaped(inner, unescaped)) {
        return refuse("has half a surrogate pair in it");
    }
    to = unescaped;
    return true;
}

bool BodyReader::malformed() {
    failed_ = true;
    error_ = {.field = {}, .detail = fmt::format("malformed JSON at byte {}", scan_.position())};
    return false;
}

std::string BodyReader::path() const {
    std::vector<const Place*> places;
    for (const Place* place = place_; place != nullptr; place = place->outer_) {
        places.push_back(place);
    }
    std::string path;
    for (const Place* place : places | std::views::reverse) {
        const std::string_view name = place->name_;
        if (name.data() == nullptr) {
            path += fmt::format("[{}]", place->index_);
            continue;
        }
        path += path.empty() ? "" : ".";
        path += name.size() <= kShownNameBytes ? name : "…";
    }
    return path;
}

}  // namespace belfry::eventkit
