#include "doors/json_writer.h"

#include "base/json_text.h"

namespace belfry {

JsonWriter& JsonWriter::name(std::string_view name) {
    before_value();
    append_json_string(out_, name);
    out_.append(layout_ == Layout::indented ? ": " : ":");
    named_ = true;
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view utf8) {
    before_value();
    append_json_string(out_, utf8);
    return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t number) {
    before_value();
    append_json_number(out_, number);
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    before_value();
    out_.append(json);
    return *this;
}

JsonWriter& JsonWriter::begin(char bracket) {
    before_value();
    out_.push_back(bracket);
    empty_.push_back(true);
    return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
    bool was_empty = empty_.back();
    empty_.pop_back();
    if (!was_empty) {
        line_break();
    }
    out_.push_back(bracket);
    return *this;
}

void JsonWriter::before_value() {
    if (named_) {
        named_ = false;
        return;
    }
    if (empty_.empty()) {
        return;
    }
    if (!empty_.back()) {
        out_.push_back(',');
    }
    empty_.back() = false;
    line_break();
}

void JsonWriter::line_break() {
    if (layout_ == Layout::indented) {
        out_.push_back('\n');
        out_.append(2 * empty_.size(), ' ');
    }
}

}  // namespace belfry
