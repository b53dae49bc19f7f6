// Reads a configuration file: YAML as far as configuration needs it. Every value is text until the
// table of settings gives it a type. Refused, each with line and column: more than
// limits.yaml_bytes, nesting past limits.yaml_depth, more aliases than limits.yaml_aliases, more
// than 100,000 values after aliases are expanded, more than 10,000 of `[`, `{` and `,` together,
// keys over 255 bytes, duplicate keys, tags, cycles, a second document, text that is not UTF-8,
// control characters. Time and memory grow with the file, never with what its aliases would unfold
// to. May be called from any thread.
#pragma once

#include "base/limits.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

struct YamlPlace {
    int line = 1;  // both from 1
    int column = 1;
};
struct YamlKey {
    std::string name;
    YamlPlace place;
};
struct YamlNode;
// What stands at the end of a path of keys. Views, valid while it is being visited.
struct YamlLeaf {
    // nothing: no value, or an empty map; document: `text` is JSON.
    enum class Kind : std::uint8_t { text, nothing, list, document };
    std::span<const YamlKey> path;  // never empty
    Kind kind = Kind::text;
    std::string_view text;
    YamlPlace place;                 // of the value; of the last key if there is none
    const YamlNode* node = nullptr;  // for yaml_place()
};
struct YamlProblem {
    YamlPlace place;
    std::string what;
};

// Where something of a document stands: `member` is a path such as `deploy.argv[0]`. What is not
// there stands where the last thing of the path that is there does.
enum class YamlPart : bool { key, value };
[[nodiscard]] YamlPlace yaml_place(
    const YamlLeaf& document, std::string_view member, YamlPart part
);

// Whether what is at a path is one document, however it is nested.
using YamlIsDocument = std::function<bool(std::span<const YamlKey>)>;

// Visits the leaves of the one document in `text`, in its order, until `visit` says false; none for
// an empty file. The whole text is read and judged before the first visit, but for what a document
// has that JSON has not (infinities, merge keys, more than limits.yaml_bytes when it is unfolded).
[[nodiscard]] std::optional<YamlProblem> read_config_yaml(
    std::string_view text,
    const Limits& limits,
    const std::function<bool(const YamlLeaf&)>& visit,
    const YamlIsDocument& is_document = nullptr
);

}  // namespace belfry
