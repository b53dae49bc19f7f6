// Writes JSON piece by piece into a string: commas, and line breaks where wanted, come by
// themselves. For answers that are not hot; hot ones append by hand. May be called from any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

class JsonWriter {
 public:
    enum class Layout : bool { compact, indented };

    // `out` must outlive the writer.
    explicit JsonWriter(std::string& out, Layout layout = Layout::compact)
        : out_(out), layout_(layout) {}

    JsonWriter& begin_object() { return begin('{'); }
    JsonWriter& end_object() { return end('}'); }
    JsonWriter& begin_array() { return begin('['); }
    JsonWriter& end_array() { return end(']'); }

    // The name of the member that comes next.
    JsonWriter& name(std::string_view name);
    // Bytes that are not UTF-8 become U+FFFD.
    JsonWriter& text(std::string_view text);
    JsonWriter& number(std::uint64_t number);
    JsonWriter& flag(bool flag) { return raw(flag ? "true" : "false"); }
    // A value that is JSON already.
    JsonWriter& raw(std::string_view json);

    JsonWriter& member(std::string_view member_name, std::string_view value) {
        return name(member_name).text(value);
    }
    JsonWriter& member(std::string_view member_name, const char* value) {
        return name(member_name).text(value);
    }
    JsonWriter& member(std::string_view member_name, bool value) {
        return name(member_name).flag(value);
    }
    JsonWriter& member(std::string_view member_name, std::unsigned_integral auto value) {
        return name(member_name).number(value);
    }

 private:
    JsonWriter& begin(char bracket);
    JsonWriter& end(char bracket);
    void before_value();
    void line_break();

    std::string& out_;
    Layout layout_;
    std::vector<bool> empty_;  // per open bracket: nothing in it yet
    bool named_ = false;       // a name was written, its value comes now
};

}  // namespace belfry
