#include "auth/policy_hcl.h"

#include "base/ascii.h"

#include <algorithm>

namespace belfry {

namespace {

bool is_name_character(char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

// A cursor over the text that remembers the first thing wrong and stands still from then on.
class HclReader {
 public:
    HclReader(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

    Result<PolicyFile> read() {
        for (skip_blank(); !done(); skip_blank()) {
            read_item();
        }
        if (error_) {
            return std::unexpected(std::move(*error_));
        }
        note_wildcards(file_);
        return std::move(file_);
    }

 private:
    [[nodiscard]] bool done() const { return error_.has_value() || at_ >= text_.size(); }
    [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
    [[nodiscard]] bool take(std::string_view token) {
        if (done() || !text_.substr(at_).starts_with(token)) {
            return false;
        }
        at_ += token.size();
        return true;
    }
    [[nodiscard]] std::string place(std::size_t at) const {
        const std::string_view before = text_.substr(0, at);
        const auto line = std::ranges::count(before, '\n') + 1;
        const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
        return "line " + std::to_string(line) + ", column " + std::to_string(at - start + 1);
    }
    void fail_at(std::size_t at, std::string_view what) {
        if (!error_) {
            error_ =
                Error{.code = Errc::bad_request, .detail = place(at) + ": " + std::string(what)};
        }
    }

    void skip_line() {
        const std::size_t end = text_.find('\n', at_);
        at_ = end == std::string_view::npos ? text_.size() : end;
    }
    // Blanks, line breaks and comments.
    void skip_blank() {
        while (!done()) {
            const std::size_t start = at_;
            if (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n') {
                ++at_;
            } else if (take("#") || take("//")) {
                skip_line();
            } else if (take("/*")) {
                const std::size_t end = text_.find("*/", at_);
                if (end == std::string_view::npos) {
                    return fail_at(start, "the comment has no end");
                }
                at_ = end + 2;
            } else {
                return;
            }
        }
    }

    std::string read_name() {
        const std::size_t start = at_;
        while (is_name_character(peek())) {
            ++at_;
        }
        if (at_ == start) {
            fail_at(at_, "a name is expected, such as event");
        }
        return std::string(text_.substr(start, at_ - start));
    }

    std::string read_text() {
        const std::size_t start = at_;
        std::string text;
        if (!take("\"")) {
            fail_at(at_, "a text in quotes is expected");
            return text;
        }
        while (!done() && !take("\"")) {
            char c = text_[at_++];
            if (c == '\n' || (c >= 0 && c < ' ')) {
                fail_at(start, "the text has no end on its line");
            } else if (c == '\\') {
                c = peek();
                if (c != '"' && c != '\\') {
                    fail_at(at_ - 1, "only \\\" and \\\\ can be written with a backslash");
                }
                ++at_;
            } else if (c == '$' && peek() == '{') {
                fail_at(at_ - 1, "templates are not replaced here");
            }
            text += c;
        }
        if (!error_ && text_[at_ - 1] != '"') {
            fail_at(start, "the text has no end");
        }
        return text;
    }

    // A value that is left out: everything up to the end of the line, or of its brackets.
    void skip_value() {
        const std::size_t start = at_;
        if (take("<<")) {
            return fail_at(start, "a text over several lines is not read here");
        }
        std::size_t depth = 0;
        do {
            const char c = peek();
            if (c == '"') {
                static_cast<void>(read_text());
                continue;
            }
            if (c == '{' || c == '[') {
                if (++depth > limits_.yaml_depth) {
                    return fail_at(at_, "brackets are nested too deep");
                }
            } else if (c == '}' || c == ']') {
                if (depth == 0) {
                    return;
                }
                --depth;
            } else if (c == '\n' || c == '#' || c == '/') {
                if (depth == 0) {
                    return;
                }
                const std::size_t before = at_;
                skip_blank();
                if (at_ != before) {
                    continue;
                }
            }
            ++at_;
        } while (!done() && (depth > 0 || peek() != ','));
        if (depth > 0) {
            fail_at(start, "a bracket is opened here and never closed");
        }
    }

    void read_item() {
        const std::size_t start = at_;
        const std::string name = peek() == '"' ? read_text() : read_name();
        skip_blank();
        if (take("=")) {
            skip_blank();
            skip_value();
            return note_skipped(start, name);
        }
        const bool labelled = peek() == '"';
        const std::string label = labelled ? read_text() : std::string();
        skip_blank();
        if (done() || peek() != '{') {
            return fail_at(at_, "`{` or `=` is expected");
        }
        const bool exact = name == "event";
        if (!exact && name != "event_prefix") {
            skip_value();
            return note_skipped(start, labelled ? name + " \"" + label + "\"" : name);
        }
        if (!labelled) {
            return fail_at(at_, "the type is expected in quotes, such as event \"deploy\"");
        }
        read_rule(start, label, exact);
    }

    void note_skipped(std::size_t at, const std::string& what) {
        if (!error_) {
            file_.notes.push_back(
                place(at) + ": `" + what + "` is skipped: Belfry has no such rule"
            );
        }
    }

    // { policy = "write" }
    void read_rule(std::size_t start, const std::string& type, bool exact) {
        static_cast<void>(take("{"));
        skip_blank();
        const std::size_t at = at_;
        const std::string attribute = peek() == '"' ? read_text() : read_name();
        if (attribute != "policy") {
            return fail_at(at, "`policy` is expected");
        }
        skip_blank();
        if (!take("=")) {
            return fail_at(at_, "`=` is expected");
        }
        skip_blank();
        const std::size_t value = at_;
        const std::string permission = read_text();
        skip_blank();
        if (!take("}")) {
            return fail_at(at_, "`}` is expected");
        }
        if (error_) {
            return;
        }
        EventRules& rules = exact ? file_.rules.event : file_.rules.event_prefix;
        if (exact && type.empty()) {
            return fail_at(start, "no event type is empty; event_prefix may be");
        }
        if (rules.contains(type)) {
            return fail_at(start, "there is a rule for this already");
        }
        if (Result<void> added = add_event_rule(rules, type, permission, limits_); !added) {
            fail_at(value, added.error().detail);
        }
    }

    std::string_view text_;
    const Limits& limits_;
    std::size_t at_ = 0;
    PolicyFile file_;
    std::optional<Error> error_;
};

}  // namespace

void note_wildcards(PolicyFile& file) {
    const auto every = file.rules.event_prefix.find("");
    if (every != file.rules.event_prefix.end() && every->second != Permission::deny) {
        file.notes.push_back(
            "event_prefix \"\" is every event type, those to come too: " +
            std::string(permission_name(every->second))
        );
    }
}

Result<PolicyFile> parse_policy_hcl(std::string_view text, const Limits& limits) {
    if (text.size() > limits.yaml_bytes) {
        return std::unexpected(Error{
            .code = Errc::too_large, .detail = "the file is too large", .limit = limits.yaml_bytes
        });
    }
    return HclReader(text, limits).read();
}

}  // namespace belfry
