#include "app/config_yaml.h"

#include "app/yaml_scalar.h"
#include "base/fixed_limits.h"
#include "base/json_text.h"
#include "base/utf8.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <deque>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <unordered_map>
#include <utility>
#include <vector>

namespace belfry {

struct YamlNode {
    enum class Kind : std::uint8_t { text, nothing, list, map };
    Kind kind = Kind::nothing;
    YamlPlace place;
    std::string text;
    bool plain = false;      // a text without quotes
    bool complete = true;    // false while its children are being read
    std::size_t values = 1;  // it and everything below, as often as aliases name it
    std::size_t depth = 0;   // levels of maps and lists that it makes
    std::vector<std::pair<YamlKey, const YamlNode*>> members;
};

namespace {

// Thrown through the parser to end it; caught in read_config_yaml().
struct Refused {
    YamlProblem problem;
};

[[noreturn]] void refuse(YamlPlace place, std::string what) {
    throw Refused{{place, std::move(what)}};
}

YamlPlace place_of(const YAML::Mark& mark) {
    return {.line = mark.line + 1, .column = mark.column + 1};
}

// Builds the document as a tree in which an alias is the node it names, so nothing is expanded
// here.
class TreeBuilder final : public YAML::EventHandler {
 public:
    explicit TreeBuilder(const Limits& limits) : limits_(limits) {}

    [[nodiscard]] const YamlNode* root() const { return root_; }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (started_) {
            refuse(place_of(mark), "a second document begins; a configuration file is one");
        }
        started_ = true;
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(make(YamlNode::Kind::nothing, mark, anchor));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (++aliases_ > limits_.yaml_aliases) {
            refuse(
                place_of(mark),
                fmt::format("more than {} aliases (limits.yaml_aliases)", limits_.yaml_aliases)
            );
        }
        auto found = anchors_.find(anchor);
        if (found == anchors_.end() || !found->second->complete) {
            refuse(place_of(mark), "an alias names the value that it stands in");
        }
        if (expects_key()) {
            refuse(place_of(mark), "an alias cannot be a key");
        }
        check_depth(open_.size() + found->second->depth, mark);
        add(found->second);
    }
    void OnScalar(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        const std::string& text
    ) override {
        check_tag(mark, tag);
        if (expects_key()) {
            take_key({.name = text, .place = place_of(mark)});
            return;
        }
        YamlNode* node = make(YamlNode::Kind::text, mark, anchor);
        node->text = text;
        node->plain = tag == "?";
        add(node);
    }
    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value
    ) override {
        open(YamlNode::Kind::list, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value
    ) override {
        open(YamlNode::Kind::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

 private:
    struct Open {
        YamlNode* node;
        std::optional<YamlKey> key;                  // of the member whose value comes next
        std::unordered_map<std::string, int> lines;  // of the keys so far
    };

    static void check_tag(const YAML::Mark& mark, const std::string& tag) {
        // "?" is none, "!" a quoted text.
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse(place_of(mark), "tags are not accepted in a configuration file");
        }
    }
    [[nodiscard]] bool expects_key() const {
        return !open_.empty() && open_.back().node->kind == YamlNode::Kind::map &&
               !open_.back().key;
    }

    YamlNode* make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (nodes_.size() >= kYamlValuesMax) {
            refuse(place_of(mark), fmt::format("more than {} values", kYamlValuesMax));
        }
        nodes_.push_back({.kind = kind, .place = place_of(mark), .text = {}, .members = {}});
        if (anchor != YAML::NullAnchor) {
            anchors_[anchor] = &nodes_.back();
        }
        return &nodes_.back();
    }

    void open(
        YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor
    ) {
        check_tag(mark, tag);
        check_depth(open_.size() + 1, mark);
        if (expects_key()) {
            refuse(place_of(mark), "a key must be a plain name");
        }
        YamlNode* node = make(kind, mark, anchor);
        add(node);
        node->complete = false;
        open_.push_back({.node = node, .key = {}, .lines = {}});
    }
    // Here it is known what the members unfold to, so a bomb ends while it is being read.
    void close() {
        YamlNode& node = *open_.back().node;
        for (const auto& [key, member] : node.members) {
            node.values += member->values;
            node.depth = std::max(node.depth, member->depth);
        }
        ++node.depth;
        if (node.values > kYamlValuesMax) {
            refuse(
                node.place, fmt::format("aliases unfold to more than {} values", kYamlValuesMax)
            );
        }
        node.complete = true;
        open_.pop_back();
    }

    void check_depth(std::size_t depth, const YAML::Mark& mark) const {
        if (depth > limits_.yaml_depth) {
            refuse(
                place_of(mark),
                fmt::format("nested deeper than {} (limits.yaml_depth)", limits_.yaml_depth)
            );
        }
    }

    void take_key(YamlKey key) {
        if (key.name.size() > kYamlKeyBytesMax) {
            refuse(key.place, fmt::format("a key of more than {} bytes", kYamlKeyBytesMax));
        }
        auto [first, is_new] = open_.back().lines.emplace(key.name, key.place.line);
        if (!is_new) {
            refuse(
                key.place,
                fmt::format("`{}` stands here twice, first in line {}", key.name, first->second)
            );
        }
        open_.back().key = std::move(key);
    }

    void add(const YamlNode* node) {
        if (open_.empty()) {
            root_ = node;
            return;
        }
        Open& parent = open_.back();
        if (parent.node->kind == YamlNode::Kind::list) {
            parent.node->members.emplace_back(YamlKey{}, node);
            return;
        }
        if (!parent.key) {
            refuse(node->place, "a key must be a plain name");
        }
        parent.node->members.emplace_back(*std::exchange(parent.key, std::nullopt), node);
    }

    const Limits& limits_;
    bool started_ = false;
    std::uint64_t aliases_ = 0;
    std::deque<YamlNode> nodes_;  // stable addresses
    std::map<YAML::anchor_t, const YamlNode*> anchors_;
    std::vector<Open> open_;
    const YamlNode* root_ = nullptr;
};

// Writes a subtree as JSON. Aliases are unfolded here, so the text is bounded.
class JsonText {
 public:
    explicit JsonText(const Limits& limits) : limits_(limits) {}

    [[nodiscard]] std::string of(const YamlNode& node) {
        append(node);
        return std::move(out_);
    }

 private:
    void append(const YamlNode& node) {
        switch (node.kind) {
            case YamlNode::Kind::nothing:
                out_ += "null";
                break;
            case YamlNode::Kind::text:
                append_text(node);
                break;
            case YamlNode::Kind::list:
            case YamlNode::Kind::map:
                append_members(node);
                break;
        }
        if (out_.size() > limits_.yaml_bytes) {
            refuse(
                node.place,
                fmt::format("unfolds to more than {} bytes (limits.yaml_bytes)", limits_.yaml_bytes)
            );
        }
    }
    void append_text(const YamlNode& node) {
        if (!node.plain) {
            append_json_string(out_, node.text);
        } else if (Result<void> good = append_plain_scalar(node.text, out_); !good) {
            refuse(node.place, std::move(good.error().detail));
        }
    }
    void append_members(const YamlNode& node) {
        const bool is_map = node.kind == YamlNode::Kind::map;
        out_ += is_map ? '{' : '[';
        bool first = true;
        for (const auto& [key, member] : node.members) {
            out_ += std::exchange(first, false) ? "" : ",";
            if (is_map) {
                if (key.name == "<<") {
                    refuse(key.place, "merge keys (`<<`) are not accepted");
                }
                append_json_string(out_, key.name);
                out_ += ':';
            }
            append(*member);
        }
        out_ += is_map ? '}' : ']';
    }

    const Limits& limits_;
    std::string out_;
};

// Walks the tree; the builder has bounded what it unfolds to.
class LeafWalk {
 public:
    LeafWalk(
        const Limits& limits,
        const std::function<bool(const YamlLeaf&)>& visit,
        const YamlIsDocument& is_document
    )
        : limits_(limits), visit_(visit), is_document_(is_document) {}

    // False once the visitor has enough.
    bool members_of(const YamlNode& map) {
        for (const auto& [key, node] : map.members) {
            path_.push_back(key);
            const bool document = is_document_ && is_document_(path_);
            const bool deeper =
                !document && node->kind == YamlNode::Kind::map && !node->members.empty();
            const bool more = document ? visit_document(*node)
                              : deeper ? members_of(*node)
                                       : visit_(leaf(*node));
            path_.pop_back();
            if (!more) {
                return false;
            }
        }
        return true;
    }

 private:
    bool visit_document(const YamlNode& node) {
        if (node.kind == YamlNode::Kind::nothing) {
            return visit_(leaf(node));
        }
        const std::string json = JsonText(limits_).of(node);
        return visit_(
            {.path = path_,
             .kind = YamlLeaf::Kind::document,
             .text = json,
             .place = node.place,
             .node = &node}
        );
    }

    [[nodiscard]] YamlLeaf leaf(const YamlNode& node) const {
        YamlLeaf leaf{
            .path = path_, .kind = {}, .text = node.text, .place = node.place, .node = &node
        };
        switch (node.kind) {
            case YamlNode::Kind::text:
                leaf.kind = YamlLeaf::Kind::text;
                break;
            case YamlNode::Kind::list:
                leaf.kind = YamlLeaf::Kind::list;
                break;
            case YamlNode::Kind::nothing:
            case YamlNode::Kind::map:
                leaf.kind = YamlLeaf::Kind::nothing;
                // The parser notices that a value is missing only at the next token.
                leaf.place = path_.back().place;
                break;
        }
        return leaf;
    }

    const Limits& limits_;
    const std::function<bool(const YamlLeaf&)>& visit_;
    const YamlIsDocument& is_document_;
    std::vector<YamlKey> path_;
};

struct FoundMember {
    const std::pair<YamlKey, const YamlNode*>* member = nullptr;
    std::size_t path_bytes = 0;  // how much of the path names it
};

// The member of `node` that `path` begins with. Names may hold dots: the longest that fits.
FoundMember member_at(const YamlNode& node, std::string_view path) {
    FoundMember found;
    for (std::size_t i = 0; i < node.members.size(); ++i) {
        const auto& member = node.members[i];
        const bool in_list = node.kind == YamlNode::Kind::list;
        const std::string name = in_list ? fmt::format("[{}]", i) : member.first.name;
        if (!path.starts_with(name) || name.size() < found.path_bytes) {
            continue;
        }
        const std::string_view rest = path.substr(name.size());
        if (rest.empty() || rest.starts_with('.') || rest.starts_with('[')) {
            found = {.member = &member, .path_bytes = name.size()};
        }
    }
    return found;
}

// What the parser must not see: it ends silently at byte 4, guesses encodings, and looks ahead
// without bound.
void check_text(std::string_view text, const Limits& limits) {
    if (text.size() > limits.yaml_bytes) {
        refuse({}, fmt::format("larger than {} bytes (limits.yaml_bytes)", limits.yaml_bytes));
    }
    if (!is_utf8(text)) {
        refuse({}, "not UTF-8 text");
    }
    YamlPlace place;
    std::size_t flow_indicators = 0;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f) {
            refuse(place, fmt::format("control character 0x{:02x}", byte));
        }
        // The parser looks ahead over a whole unfinished flow collection: this bounds what that
        // costs.
        if ((c == '[' || c == '{' || c == ',') && ++flow_indicators > kYamlFlowIndicatorsMax) {
            refuse(place, fmt::format("more than {} of `[`, `{{` and `,`", kYamlFlowIndicatorsMax));
        }
        if (c == '\n') {
            place = {.line = place.line + 1, .column = 1};
        } else if ((byte & 0xc0U) != 0x80U) {
            ++place.column;
        }
    }
}

// An istream over bytes that stay where they are.
class ViewBuffer final : public std::streambuf {
 public:
    explicit ViewBuffer(std::string_view text) {
        // The interface wants char*; nothing is written.
        char* begin = const_cast<char*>(text.data());
        setg(begin, begin, begin + text.size());
    }
};

}  // namespace

YamlPlace yaml_place(const YamlLeaf& document, std::string_view member, YamlPart part) {
    YamlPlace place = document.place;
    const YamlNode* node = document.node;
    while (!member.empty()) {
        const FoundMember found = member_at(*node, member);
        if (found.member == nullptr) {
            break;
        }
        member.remove_prefix(found.path_bytes);
        if (member.starts_with('.')) {
            member.remove_prefix(1);
        }
        const bool has_key = node->kind == YamlNode::Kind::map;
        node = found.member->second;
        // The parser notices that a value is missing only at the next token.
        const bool by_key =
            (part == YamlPart::key && member.empty()) || node->kind == YamlNode::Kind::nothing;
        place = has_key && by_key ? found.member->first.place : node->place;
    }
    return place;
}

std::optional<YamlProblem> read_config_yaml(
    std::string_view text,
    const Limits& limits,
    const std::function<bool(const YamlLeaf&)>& visit,
    const YamlIsDocument& is_document
) {
    try {
        check_text(text, limits);
        ViewBuffer buffer(text);
        std::istream in(&buffer);
        YAML::Parser parser(in);
        TreeBuilder tree(limits);
        while (parser.HandleNextDocument(tree)) {
        }
        const YamlNode* root = tree.root();
        if (root != nullptr && root->kind == YamlNode::Kind::map) {
            LeafWalk(limits, visit, is_document).members_of(*root);
        } else if (root != nullptr && root->kind != YamlNode::Kind::nothing) {
            refuse(root->place, "the file must be a map of settings, such as `http:`");
        }
        return std::nullopt;
    } catch (Refused& refused) {
        return std::move(refused.problem);
    } catch (const YAML::Exception& error) {
        return YamlProblem{error.mark.is_null() ? YamlPlace{} : place_of(error.mark), error.msg};
    }
}

}  // namespace belfry
