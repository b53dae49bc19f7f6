// The reader of configuration files: whatever the bytes, it ends soon and answers with leaves or
// with one problem that has a place.
#include "app/config_yaml.h"
#include "base/assert.h"
#include "base/json_scan.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const belfry::Limits limits;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto bad = belfry::read_config_yaml(
        text,
        limits,
        [&](const belfry::YamlLeaf& leaf) {
            ASSERT(!leaf.path.empty() && leaf.path.size() <= limits.yaml_depth);
            ASSERT(leaf.place.line >= 1 && leaf.place.column >= 1);
            if (leaf.kind == belfry::YamlLeaf::Kind::document) {
                ASSERT(belfry::is_json(leaf.text));
                ASSERT(belfry::yaml_place(leaf, text, belfry::YamlPart::value).line >= 1);
            }
            return true;
        },
        // Whatever the names are, some maps are documents.
        [](std::span<const belfry::YamlKey> path) { return path.back().name.size() % 2 == 0; }
    );
    if (bad) {
        ASSERT(!bad->what.empty());
        ASSERT(bad->place.line >= 1 && bad->place.column >= 1);
    }
    return 0;
}
