// The machinery behind event.cc: objects of JSON as tables of members, one row a member, by which
// they are read, written, and checked for what is missing. A type with a Schema<T> can be read and
// written, and so can optional ones, arrays, and maps by name of it. Pure; any thread.
#pragma once

#include "base/json_text.h"
#include "base/rfc3339.h"
#include "event/steadybit_body.h"
#include "eventkit/body_reader.h"

#include <belfry/eventkit/event.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace belfry::eventkit {

// The words of each enumeration, in its order.
template <typename Enum>
struct Words;
template <>
struct Words<State> {
    static constexpr std::array<std::string_view, 8> kAll{
        "created", "prepared", "running", "failed", "completed", "canceled", "skipped", "errored"
    };
    static constexpr std::string_view kWanted =
        "must be one of created, prepared, running, failed, completed, canceled, skipped, errored";
};
template <>
struct Words<TokenType> {
    static constexpr std::array<std::string_view, 2> kAll{"admin", "team"};
    static constexpr std::string_view kWanted = "must be admin or team";
};
template <>
struct Words<StepType> {
    static constexpr std::array<std::string_view, 2> kAll{"wait", "action"};
    static constexpr std::string_view kWanted = "must be wait or action";
};
template <>
struct Words<ActionKind> {
    static constexpr std::array<std::string_view, 4> kAll{"attack", "check", "load_test", "other"};
    static constexpr std::string_view kWanted = "must be one of attack, check, load_test, other";
};

template <typename Enum>
std::string_view word_of(Enum value) {
    return Words<Enum>::kAll.at(static_cast<std::size_t>(value));
}

inline bool same_word(std::string_view text, std::string_view lower) {
    return std::ranges::equal(text, lower, [](char c, char l) {
        return c == l || (c >= 'A' && c <= 'Z' && c - 'A' + 'a' == l);
    });
}

enum class Need : std::uint8_t {
    always,
    current,  // since version 1.3; not in the trees of 1.2
    never,
};

// One member of an object: how it is read and how it is written. The tables of members below are
// the schema; reading, writing and the check of what is missing all go by them.
template <typename T>
struct Member {
    std::string_view name;
    Need need;
    bool (*read)(BodyReader& reader, T& to);
    // nullptr: only ever read, under a name of an old version.
    void (*write)(std::string& out, std::string_view name, const T& from);
};
template <typename T>
struct Schema;  // static constexpr std::array<Member<T>, N> kMembers
template <typename T>
concept HasSchema = requires { Schema<T>::kMembers; };

// Reading, one overload a type.

inline bool read_value(BodyReader& reader, std::string& to) {
    return reader.text(to);
}
inline bool read_value(BodyReader& reader, std::int64_t& to) {
    return reader.whole_number(to);
}
inline bool read_value(BodyReader& reader, Time& to) {
    std::string unescaped;
    std::string_view text;
    if (!reader.text(text, unescaped)) {
        return false;
    }
    const std::optional<WallTime> time = parse_rfc3339(text);
    if (!time) {
        return reader.refuse("must be an RFC 3339 date and time such as 2026-03-01T12:00:00Z");
    }
    to = *time;
    return true;
}
template <typename Enum>
    requires std::is_enum_v<Enum>
bool read_value(BodyReader& reader, Enum& to) {
    std::string unescaped;
    std::string_view text;
    if (!reader.text(text, unescaped)) {
        return false;
    }
    const auto& words = Words<Enum>::kAll;
    const auto word =
        std::ranges::find_if(words, [&](std::string_view lower) { return same_word(text, lower); });
    if (word == words.end()) {
        return reader.refuse(Words<Enum>::kWanted);
    }
    to = static_cast<Enum>(word - words.begin());
    return true;
}
bool read_value(BodyReader& reader, Principal& to);
template <HasSchema T>
bool read_value(BodyReader& reader, T& to);
template <typename T>
bool read_value(BodyReader& reader, std::vector<T>& to) {
    return reader.take_null() ||
           reader.array([&] { return read_value(reader, to.emplace_back()); });
}
template <typename T>
bool read_value(BodyReader& reader, std::map<std::string, T>& to) {
    return reader.take_null() || reader.object([&](std::string_view name) {
        const BodyReader::Place place(reader, name);
        const auto [at, fresh] = to.try_emplace(std::string(name));
        return fresh ? read_value(reader, at->second) : reader.refuse("stands twice");
    });
}
template <typename T>
bool read_value(BodyReader& reader, std::optional<T>& to) {
    return reader.take_null() || read_value(reader, to.emplace());
}

inline bool read_uuid(BodyReader& reader, std::string& to) {
    return reader.text(to) && (parse_steadybit_uuid(to) || reader.refuse("must be a UUID"));
}
inline bool read_uuid(BodyReader& reader, std::optional<std::string>& to) {
    return reader.take_null() || read_uuid(reader, to.emplace());
}
inline bool read_object_text(BodyReader& reader, std::optional<std::string>& to) {
    std::string_view text;
    if (reader.take_null()) {
        return true;
    }
    if (!reader.object_text(text)) {
        return false;
    }
    to = text;
    return true;
}

// Writing.

inline void write_value(std::string& out, const std::string& text) {
    append_json_string(out, text);
}
inline void write_value(std::string& out, std::int64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end.ptr);
}
inline void write_value(std::string& out, Time time) {
    out += '"';
    append_rfc3339(out, time);
    out += '"';
}
template <typename Enum>
    requires std::is_enum_v<Enum>
void write_value(std::string& out, Enum value) {
    append_json_string(out, word_of(value));
}
void write_value(std::string& out, const Principal& principal);
template <HasSchema T>
void write_value(std::string& out, const T& object);

inline void separate(std::string& out) {
    if (out.back() != '{' && out.back() != '[') {
        out += ',';
    }
}
template <typename T>
void write_value(std::string& out, const std::vector<T>& array) {
    out += '[';
    for (const T& element : array) {
        separate(out);
        write_value(out, element);
    }
    out += ']';
}
template <typename T>
void write_value(std::string& out, const std::map<std::string, T>& object) {
    out += '{';
    for (const auto& [name, value] : object) {
        separate(out);
        append_json_string(out, name);
        out += ':';
        write_value(out, value);
    }
    out += '}';
}

template <typename T>
void write_member(std::string& out, std::string_view name, const T& value) {
    separate(out);
    append_json_name(out, name);
    write_value(out, value);
}
template <typename T>
void write_member(std::string& out, std::string_view name, const std::optional<T>& value) {
    if (value) {
        write_member(out, name, *value);
    }
}
// Trees of version 1.2.
template <HasSchema T>
void write_member(std::string& out, std::string_view name, const std::vector<T>& tree) {
    if (!tree.empty()) {
        separate(out);
        append_json_name(out, name);
        write_value(out, tree);
    }
}
inline void write_object_text(
    std::string& out, std::string_view name, const std::optional<std::string>& text
) {
    if (text) {
        separate(out);
        append_json_name(out, name);
        out += *text;
    }
}

// The rows of the tables.

template <auto kField>
struct FieldOf;
template <typename T, typename V, V T::* kField>
struct FieldOf<kField> {
    using Object = T;
};

template <auto kField, typename T = typename FieldOf<kField>::Object>
constexpr Member<T> member(std::string_view name, Need need) {
    return {
        name,
        need,
        [](BodyReader& reader, T& to) { return read_value(reader, to.*kField); },
        [](std::string& out, std::string_view as, const T& from) {
            write_member(out, as, from.*kField);
        }
    };
}
// In the trees of version 1.2 one may be missing.
template <auto kField, typename T = typename FieldOf<kField>::Object>
constexpr Member<T> uuid(std::string_view name, Need need) {
    return {
        name,
        need,
        [](BodyReader& reader, T& to) { return read_uuid(reader, to.*kField); },
        [](std::string& out, std::string_view as, const T& from) {
            if (from.*kField != "") {
                write_member(out, as, from.*kField);
            }
        }
    };
}
// A name of an old version for what has another one now; the new one wins, wherever it stands.
template <auto kField, typename T = typename FieldOf<kField>::Object>
constexpr Member<T> renamed(std::string_view old_name) {
    return {
        old_name,
        Need::never,
        [](BodyReader& reader, T& to) {
            std::remove_cvref_t<decltype(to.*kField)> value;
            const bool good = read_value(reader, value);
            if (!(to.*kField)) {
                to.*kField = std::move(value);
            }
            return good;
        },
        nullptr
    };
}
template <auto kField, typename T = typename FieldOf<kField>::Object>
constexpr Member<T> tree(std::string_view name) {
    Member<T> row = member<kField>(name, Need::never);
    row.read = [](BodyReader& reader, T& to) {
        const bool outer = reader.early();
        reader.set_early(true);
        const bool good = read_value(reader, to.*kField);
        reader.set_early(outer);
        return good;
    };
    return row;
}

// The members of the object that is next; of two members of one name, other readers take the first
// or the last, so that is refused.
template <HasSchema T>
bool read_value(BodyReader& reader, T& to) {
    const auto& members = Schema<T>::kMembers;
    std::uint64_t seen = 0;
    auto next = members.begin();  // most senders keep the order of the schema
    const bool good = reader.object([&](std::string_view name) {
        auto row = std::ranges::find(next, members.end(), name, &Member<T>::name);
        if (row == members.end()) {
            row = std::ranges::find(members.begin(), next, name, &Member<T>::name);
            if (row == next) {
                std::string_view skipped;
                return reader.value(skipped);
            }
        }
        next = row + 1;
        const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(row - members.begin());
        const BodyReader::Place place(reader, name);
        if ((seen & bit) != 0) {
            return reader.refuse("stands twice");
        }
        seen |= bit;
        return row->read(reader, to);
    });
    if (!good) {
        return false;
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        const Need need = members.at(i).need;
        const bool needed = need == Need::always || (need == Need::current && !reader.early());
        if (needed && (seen >> i & 1) == 0) {
            return reader.refuse_member(members.at(i).name, "is missing");
        }
    }
    return true;
}

template <HasSchema T>
void write_members(std::string& out, const T& object) {
    for (const Member<T>& row : Schema<T>::kMembers) {
        if (row.write != nullptr) {
            row.write(out, row.name, object);
        }
    }
}

template <HasSchema T>
void write_value(std::string& out, const T& object) {
    out += '{';
    write_members(out, object);
    out += '}';
}

}  // namespace belfry::eventkit
