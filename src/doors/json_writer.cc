#include "doors/json_writer.h"

#include "base/json_text.h"
#include "base/utf8.h"

namespace belfry {

namespace {

// Each byte that is in no UTF-8 sequence becomes U+FFFD: what a listener answered is shown,
// whatever it is.
std::string repaired(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto lead = static_cast<unsigned char>(text.front());
        std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        std::string_view sequence = text.substr(0, size);
        if (sequence.size() == size && is_utf8(sequence)) {
            out.append(sequence);
        } else {
            size = 1;
            out.append("\xef\xbf\xbd");
        }
        text.remove_prefix(size);
    }
    return out;
}

}  // namespace

JsonWriter& JsonWriter::name(std::string_view name) {
    before_value();
    append_json_string(out_, name);
    out_.append(layout_ == Layout::indented ? ": " : ":");
    named_ = true;
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view text) {
    before_value();
    if (is_utf8(text)) {
        append_json_string(out_, text);
    } else {
        append_json_string(out_, repaired(text));
    }
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
