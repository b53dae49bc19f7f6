#include "event/steadybit_body.h"

#include "base/hex.h"
#include "base/json_scan.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace belfry {

namespace {

// What an event may be about, in one of three shapes; bodies of old versions have the first only.
constexpr std::array<std::string_view, 3> kExecutions{
    "experimentExecution", "experimentStepExecution", "experimentStepTargetExecution"
};

// 32 digits.
std::optional<Uuid> undashed_uuid(std::string_view digits) {
    Uuid uuid;
    for (const char c : digits) {
        const int digit = hex_digit_value(c);
        if (digit < 0) {
            return std::nullopt;
        }
        uuid.high = uuid.high << 4 | uuid.low >> 60;
        uuid.low = uuid.low << 4 | static_cast<std::uint64_t>(digit);
    }
    return uuid;
}

constexpr std::string_view kUrn = "urn:uuid:";

bool is_urn(std::string_view text) {
    return text.size() >= kUrn.size() &&
           std::ranges::equal(text.substr(0, kUrn.size()), kUrn, [](char c, char lower) {
               return c == lower || (lower != ':' && (c | 0x20) == lower);
           });
}

class BodyReader {
 public:
    explicit BodyReader(std::string_view json) : scan_(json) {}

    Result<SteadybitBody> read() {
        auto read = object("", [this](std::string_view name) { return read_member(name); });
        if (read && !scan_.at_end()) {
            read = not_json();
        }
        if (read) {
            read = check();
        }
        if (!read) {
            return std::unexpected(std::move(read.error()));
        }
        auto about = std::ranges::find_if(subjects_, [](auto& text) { return !text.empty(); });
        return SteadybitBody{
            .id = std::move(*id_),
            .event_name = std::move(*event_name_),
            .event_time = std::move(*event_time_),
            .tenant_key = std::move(*tenant_key_),
            .subject = about == subjects_.end() ? std::string() : std::move(*about)
        };
    }

 private:
    // Reads the members of the object that is next; `read_member` says whether the name is one of
    // those read, and reads its value then.
    template <typename ReadMember>
    Result<void> object(std::string_view path, ReadMember read_member) {
        if (scan_.peek() != '{') {
            return wrong_type(path, "an object");
        }
        static_cast<void>(scan_.take('{'));
        if (scan_.take('}')) {
            return {};
        }
        do {
            JsonScan::String scanned;
            if (!scan_.string(scanned) || !scan_.take(':')) {
                return not_json();
            }
            std::string name;
            if (!text_of(scanned, name)) {
                return fail(
                    Errc::invalid_event, path, "a member's name has half a surrogate pair in it"
                );
            }
            Result<bool> read = read_member(std::string_view(name));
            if (!read) {
                return std::unexpected(std::move(read.error()));
            }
            std::string_view skipped;
            if (!*read && !scan_.value(skipped)) {
                return not_json();
            }
        } while (scan_.take(','));
        return scan_.take('}') ? Result<void>{} : not_json();
    }

    Result<bool> read_member(std::string_view name) {
        if (name == "id") {
            return text(name, id_);
        }
        if (name == "eventName") {
            return text(name, event_name_);
        }
        if (name == "eventTime") {
            return text(name, event_time_);
        }
        if (name == "tenant") {
            return read_tenant();
        }
        const auto execution = std::ranges::find(kExecutions, name);
        if (execution == kExecutions.end()) {
            return false;
        }
        return read_execution(
            name, subjects_[static_cast<std::size_t>(execution - kExecutions.begin())]
        );
    }

    Result<bool> read_tenant() {
        return done(once("tenant"), [this] {
            return object("tenant", [this](std::string_view name) -> Result<bool> {
                return name == "key" ? text("tenant.key", tenant_key_) : Result<bool>(false);
            });
        });
    }

    Result<bool> read_execution(std::string_view path, std::string& subject) {
        if (scan_.peek() == 'n') {
            return null(path);
        }
        return done(once(path), [&]() -> Result<void> {
            std::optional<std::string> key;
            std::optional<std::string> number;
            const std::string key_path = std::string(path) + ".experimentKey";
            const std::string number_path = std::string(path) + ".executionId";
            auto read = object(path, [&](std::string_view name) -> Result<bool> {
                if (name == "experimentKey") {
                    return scan_.peek() == 'n' ? null(key_path) : text(key_path, key);
                }
                if (name == "executionId") {
                    return execution_id(number_path, number);
                }
                return false;
            });
            if (read && key && number && !key->empty() && !number->empty()) {
                subject.append(*key).append("/").append(*number);
            }
            return read;
        });
    }

    // A number; the first version of the API had a string.
    Result<bool> execution_id(std::string_view path, std::optional<std::string>& number) {
        constexpr std::string_view kType = "a number";
        const char next = scan_.peek();
        if (next == '"') {
            return text(path, number);
        }
        if (next == 'n') {
            return null(path);
        }
        if (next != '-' && (next < '0' || next > '9')) {
            return done(once(path), [&] { return wrong_type(path, kType); });
        }
        return done(once(path), [&]() -> Result<void> {
            std::string_view literal;
            if (!scan_.value(literal)) {
                return not_json();
            }
            number.emplace(literal);
            return {};
        });
    }

    Result<bool> text(std::string_view path, std::optional<std::string>& text) {
        return done(once(path), [&]() -> Result<void> {
            if (scan_.peek() != '"') {
                return wrong_type(path, "a string");
            }
            JsonScan::String scanned;
            if (!scan_.string(scanned)) {
                return not_json();
            }
            if (!text_of(scanned, text.emplace())) {
                return fail(
                    Errc::invalid_event,
                    path,
                    fmt::format("\"{}\" has half a surrogate pair in it", path)
                );
            }
            return {};
        });
    }

    // What may be absent may be null.
    Result<bool> null(std::string_view path) {
        return done(once(path), [this]() -> Result<void> {
            std::string_view value;
            return scan_.value(value) ? Result<void>{} : not_json();
        });
    }

    template <typename Next>
    static Result<bool> done(Result<void> first, Next next) {
        if (first) {
            first = next();
        }
        return first ? Result<bool>(true) : std::unexpected(std::move(first.error()));
    }

    // Of two members of one name, other readers take the first or the last.
    Result<void> once(std::string_view path) {
        if (std::ranges::find(seen_, path) != seen_.end()) {
            return fail(Errc::invalid_event, path, fmt::format("\"{}\" stands twice", path));
        }
        seen_.emplace_back(path);
        return {};
    }

    static bool text_of(const JsonScan::String& scanned, std::string& text) {
        if (scanned.escaped) {
            return append_unescaped(scanned.inner, text);
        }
        text = scanned.inner;
        return true;
    }

    std::unexpected<Error> not_json() {
        return fail(Errc::bad_request, fmt::format("malformed JSON at byte {}", scan_.position()));
    }
    Result<void> wrong_type(std::string_view path, std::string_view type) {
        std::string_view value;
        if (!scan_.value(value)) {
            return not_json();
        }
        return path.empty()
                   ? fail(Errc::invalid_event, "", fmt::format("an event must be {}", type))
                   : fail(Errc::invalid_event, path, fmt::format("\"{}\" must be {}", path, type));
    }

    // What may not be absent, and what the texts must be.
    [[nodiscard]] Result<void> check() const {
        const std::array<std::pair<std::string_view, const std::optional<std::string>*>, 4> needed{{
            {"id", &id_},
            {"eventName", &event_name_},
            {"eventTime", &event_time_},
            {"tenant.key", &tenant_key_},
        }};
        for (const auto& [path, text] : needed) {
            if (!*text || (*text)->empty()) {
                return fail(
                    Errc::invalid_event, path, fmt::format("\"{}\" is missing or empty", path)
                );
            }
        }
        if (!parse_steadybit_uuid(*id_)) {
            return fail(Errc::invalid_event, "id", "\"id\" is not a UUID");
        }
        if (!parse_rfc3339(*event_time_)) {
            return fail(
                Errc::invalid_event, "eventTime", "\"eventTime\" is not an RFC 3339 date and time"
            );
        }
        return {};
    }

    JsonScan scan_;
    std::optional<std::string> id_;
    std::optional<std::string> event_name_;
    std::optional<std::string> event_time_;
    std::optional<std::string> tenant_key_;
    std::array<std::string, kExecutions.size()> subjects_;
    std::vector<std::string> seen_;  // paths of the members read
};

}  // namespace

std::optional<Uuid> parse_steadybit_uuid(std::string_view text) {
    constexpr std::size_t kDigits = 32;
    if (is_urn(text)) {
        text.remove_prefix(kUrn.size());
    } else if (text.starts_with('{') && text.ends_with('}')) {
        text = text.substr(1, text.size() - 2);
    } else if (text.size() == kDigits) {
        return undashed_uuid(text);
    }
    return parse_uuid(text);
}

Result<SteadybitBody> parse_steadybit_body(std::string_view json) {
    if (!is_utf8(json)) {
        return fail(Errc::bad_request, "malformed JSON: the text is not UTF-8");
    }
    return BodyReader(json).read();
}

}  // namespace belfry
