#include "hub/match_index.h"

#include "base/assert.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace belfry {

namespace {

// Lets a map of strings be asked with a view.
struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

using Ids = std::vector<MatchIndex::Id>;

void erase_id(Ids& ids, MatchIndex::Id id) {
    auto at = std::find(ids.begin(), ids.end(), id);
    ASSERT(at != ids.end());
    *at = ids.back();
    ids.pop_back();
}

// The term of a filter that is hashed: one of a top-level `exact`.
struct HashedTerm {
    std::string attribute;
    std::string value;
};

}  // namespace

// The subscriptions of one type pattern.
struct MatchIndex::Bucket {
    struct ByValue {
        std::string attribute;
        std::unordered_map<std::string, Ids, ViewHash, std::equal_to<>> ids;
    };
    Ids always;                     // no exact term
    std::vector<ByValue> by_value;  // one per attribute in use

    [[nodiscard]] bool empty() const { return always.empty() && by_value.empty(); }

    Ids& ids_of(const std::optional<HashedTerm>& term) {
        if (!term) {
            return always;
        }
        auto at = std::ranges::find(by_value, term->attribute, &ByValue::attribute);
        if (at == by_value.end()) {
            at = by_value.insert(by_value.end(), ByValue{.attribute = term->attribute, .ids = {}});
        }
        return at->ids[term->value];
    }
    void drop_if_empty(const std::optional<HashedTerm>& term) {
        if (!term) {
            return;
        }
        auto at = std::ranges::find(by_value, term->attribute, &ByValue::attribute);
        if (at->ids.at(term->value).empty()) {
            at->ids.erase(term->value);
        }
        if (at->ids.empty()) {
            by_value.erase(at);
        }
    }
};

// A node of the radix trie. `edge` is the text from the parent to here; children differ in their
// first byte, which stands in `firsts` too: a child is found without looking at the others, each of
// which is a cache miss. Nodes are not merged again when subscriptions go: their texts are few and
// come back.
struct MatchIndex::Node {
    std::string edge;
    std::string firsts;
    std::vector<std::unique_ptr<Node>> children;  // in the order of `firsts`
    std::unique_ptr<Bucket> exact;                // types that end here
    std::unique_ptr<Bucket> prefix;               // types that pass here or end here

    [[nodiscard]] Node* child(char first) const {
        const std::size_t at = firsts.find(first);
        return at == std::string::npos ? nullptr : children[at].get();
    }
    void add_child(std::unique_ptr<Node> node) {
        firsts.push_back(node->edge.front());
        children.push_back(std::move(node));
    }
    // Made where missing.
    Bucket& bucket(bool of_prefix) {
        std::unique_ptr<Bucket>& wanted = of_prefix ? prefix : exact;
        if (!wanted) {
            wanted = std::make_unique<Bucket>();
        }
        return *wanted;
    }
    void drop_bucket_if_empty(bool of_prefix) {
        std::unique_ptr<Bucket>& wanted = of_prefix ? prefix : exact;
        if (wanted->empty()) {
            wanted.reset();
        }
    }
    // The node of `text` below this one, made where missing.
    Node& make(std::string_view text) {
        if (text.empty()) {
            return *this;
        }
        Node* next = child(text.front());
        if (next == nullptr) {
            auto made = std::make_unique<Node>();
            made->edge = text;
            Node& result = *made;
            add_child(std::move(made));
            return result;
        }
        std::size_t same = 0;
        while (same < next->edge.size() && same < text.size() && next->edge[same] == text[same]) {
            ++same;
        }
        if (same < next->edge.size()) {
            next->split(same);
        }
        return next->make(text.substr(same));
    }
    // Puts a node at `length` of the edge; this object becomes that node.
    void split(std::size_t length) {
        auto lower = std::make_unique<Node>();
        lower->edge = edge.substr(length);
        lower->firsts = std::exchange(firsts, {});
        lower->children = std::exchange(children, {});
        lower->exact = std::move(exact);
        lower->prefix = std::move(prefix);
        edge.resize(length);
        add_child(std::move(lower));
    }
};

struct MatchIndex::Tenant {
    Node root;
};

// What is remembered of one subscription.
struct MatchIndex::Entry {
    Tenant* tenant = nullptr;
    std::vector<TypePattern> types;
    std::optional<HashedTerm> hashed;
    std::vector<FilterExpression> rest;  // of the filter, without the hashed term

    // The hashed term is taken out of `rest`, so that it is not compared twice.
    void take_hashed_term() {
        auto at = std::ranges::find(rest, FilterExpression::Kind::exact, &FilterExpression::kind);
        if (at == rest.end() || at->terms.empty()) {
            return;
        }
        auto& [attribute, value] = at->terms.front();
        hashed = HashedTerm{.attribute = std::move(attribute), .value = std::move(value)};
        at->terms.erase(at->terms.begin());
        if (at->terms.empty()) {
            rest.erase(at);
        }
    }
};

MatchIndex::MatchIndex() = default;
MatchIndex::~MatchIndex() = default;

void MatchIndex::insert(Id id, const std::string& tenant, const Filter& filter) {
    if (entries_.size() <= id) {
        entries_.resize(id + 1);
        marks_.resize(id + 1);
    }
    ASSERT(!entries_[id]);
    std::unique_ptr<Tenant>& index = tenants_[tenant];
    if (!index) {
        index = std::make_unique<Tenant>();
    }
    auto entry = std::make_unique<Entry>();
    entry->tenant = index.get();
    entry->types =
        filter.types.empty() ? std::vector{TypePattern{.text = "", .prefix = true}} : filter.types;
    entry->rest = filter.filters;
    entry->take_hashed_term();
    for (const TypePattern& type : entry->types) {
        Node& node = index->root.make(type.text);
        node.bucket(type.prefix).ids_of(entry->hashed).push_back(id);
    }
    marks_[id] = {.offered = 0, .has_rest = !entry->rest.empty()};
    entries_[id] = std::move(entry);
}

void MatchIndex::erase(Id id) {
    ASSERT(id < entries_.size() && entries_[id]);
    Entry& entry = *entries_[id];
    for (const TypePattern& type : entry.types) {
        Node& node = entry.tenant->root.make(type.text);
        Bucket& bucket = node.bucket(type.prefix);
        erase_id(bucket.ids_of(entry.hashed), id);
        bucket.drop_if_empty(entry.hashed);
        node.drop_bucket_if_empty(type.prefix);
    }
    entries_[id] = nullptr;
}

void MatchIndex::match(const Event& event, std::vector<Id>& out) {
    auto tenant = tenants_.find(event.tenant);
    if (tenant == tenants_.end()) {
        return;
    }
    if (++round_ == 0) {  // wrapped: old marks would look new
        for (Mark& mark : marks_) {
            mark.offered = 0;
        }
        round_ = 1;
    }
    const Node* node = &tenant->second->root;
    std::string_view type = event.type;
    while (true) {
        ++looked_at_;
        if (node->prefix) {
            collect(*node->prefix, event, out);
        }
        if (type.empty()) {
            if (node->exact) {
                collect(*node->exact, event, out);
            }
            return;
        }
        node = node->child(type.front());
        if (node == nullptr || !type.starts_with(node->edge)) {
            return;
        }
        type.remove_prefix(node->edge.size());
    }
}

void MatchIndex::collect(const Bucket& bucket, const Event& event, std::vector<Id>& out) {
    for (Id id : bucket.always) {
        offer(id, event, out);
    }
    for (const Bucket::ByValue& by_value : bucket.by_value) {
        ++looked_at_;
        std::optional<std::string_view> value = event.attribute(by_value.attribute);
        if (!value) {
            continue;
        }
        auto at = by_value.ids.find(*value);
        if (at == by_value.ids.end()) {
            continue;
        }
        for (Id id : at->second) {
            offer(id, event, out);
        }
    }
}

void MatchIndex::offer(Id id, const Event& event, std::vector<Id>& out) {
    ++looked_at_;
    Mark& mark = marks_[id];
    if (mark.offered == round_) {
        return;  // by another of its type patterns
    }
    mark.offered = round_;
    if (mark.has_rest) {
        for (const FilterExpression& expression : entries_[id]->rest) {
            if (!expression.matches(event)) {
                return;
            }
        }
    }
    out.push_back(id);
}

}  // namespace belfry
