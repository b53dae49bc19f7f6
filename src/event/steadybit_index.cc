#include "event/steadybit_index.h"

#include "base/json.h"
#include "base/url.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace belfry {

namespace {

namespace json = boost::json;
using Restrict = SteadybitListener::Restrict;

// What is shown of a refused listener.
constexpr std::size_t kShownBytes = 256;
constexpr std::size_t kShownNames = 20;

struct RestrictName {
    Restrict restrict_to;
    std::string_view name;
};
constexpr std::array kRestricts{
    RestrictName{Restrict::any, "any"},
    RestrictName{Restrict::leader, "leader"},
    RestrictName{Restrict::aws, "aws"},
};
constexpr std::array<std::string_view, 3> kMethods{"POST", "PUT", "DELETE"};

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) { return upper(c); });
    return result;
}

// A bounded piece of what an extension wrote; never cut inside a character.
std::string shown(std::string_view text) {
    std::size_t size = std::min(text.size(), kShownBytes);
    while (size < text.size() && size > 0 &&
           (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) {
        --size;
    }
    return std::string(text.substr(0, size)) + (size < text.size() ? "…" : "");
}

const json::value* member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

// One listener; what is wrong with it stands in reason(), the first thing only.
class ListenerReader {
 public:
    explicit ListenerReader(const json::value& value) : object_(value.if_object()) {
        if (object_ == nullptr) {
            refuse("a listener must be an object");
            return;
        }
        read_path();
        read_method();
        read_names();
        read_restriction();
    }

    [[nodiscard]] bool good() const { return reason_.empty(); }
    [[nodiscard]] SteadybitListener& listener() { return listener_; }
    [[nodiscard]] SteadybitRefusal refusal(std::string reason) const {
        SteadybitRefusal refused{
            .method = shown(listener_.method),
            .path = shown(listener_.path),
            .listen_to = {},
            .reason = std::move(reason)
        };
        for (const std::string& name : listener_.listen_to) {
            if (refused.listen_to.size() < kShownNames) {
                refused.listen_to.push_back(shown(name));
            }
        }
        return refused;
    }
    [[nodiscard]] SteadybitRefusal refusal() const { return refusal(reason_); }

 private:
    void refuse(std::string reason) {
        if (reason_.empty()) {
            reason_ = std::move(reason);
        }
    }

    // The text of a member that must be there.
    std::optional<std::string> text(std::string_view name) {
        const json::value* value = member(*object_, name);
        if (value == nullptr) {
            refuse(fmt::format("\"{}\" is missing", name));
            return std::nullopt;
        }
        const json::string* found = value->if_string();
        if (found == nullptr) {
            refuse(fmt::format("\"{}\" must be a string", name));
            return std::nullopt;
        }
        return std::string(found->data(), found->size());
    }

    void read_path() {
        std::optional<std::string> path = text("path");
        if (!path) {
            return;
        }
        listener_.path = *std::move(path);
        if (!listener_.path.starts_with('/')) {
            return refuse("\"path\" must begin with a slash");
        }
        // Only the bytes after the host are judged: the path must be able to stand in a request.
        if (Result<Url> url = parse_url("http://h" + listener_.path); !url) {
            refuse("\"path\" cannot be part of a URL: " + url.error().detail);
        }
    }

    void read_method() {
        std::optional<std::string> method = text("method");
        if (!method) {
            return;
        }
        listener_.method = upper(*method);
        if (std::ranges::find(kMethods, listener_.method) == kMethods.end()) {
            refuse("\"method\" is one of POST, PUT and DELETE");
        }
    }

    void read_names() {
        const json::value* value = member(*object_, "listenTo");
        if (value == nullptr) {
            return;  // never called
        }
        const json::array* names = value->if_array();
        if (names == nullptr) {
            return refuse("\"listenTo\" must be an array of strings");
        }
        for (const json::value& element : *names) {
            const json::string* name = element.if_string();
            if (name == nullptr || name->empty()) {
                return refuse("\"listenTo\" must hold names of events, or \"*\"");
            }
            listener_.listen_to.emplace_back(name->data(), name->size());
        }
        drop_repeated();
    }

    void drop_repeated() {
        std::vector<std::string>& names = listener_.listen_to;
        std::vector<std::string_view> sorted(names.begin(), names.end());
        std::ranges::sort(sorted);
        if (std::ranges::adjacent_find(sorted) == sorted.end()) {
            return;
        }
        std::ranges::sort(names);
        const auto repeated = std::ranges::unique(names);
        names.erase(repeated.begin(), repeated.end());
    }

    void read_restriction() {
        const json::value* value = member(*object_, "restrictTo");
        if (value == nullptr) {
            return;
        }
        const json::string* word = value->if_string();
        const auto* found = word == nullptr
                                ? kRestricts.end()
                                : std::ranges::find_if(kRestricts, [&](const RestrictName& known) {
                                      return upper(known.name) ==
                                             upper(std::string_view(word->data(), word->size()));
                                  });
        if (found == kRestricts.end()) {
            return refuse("\"restrictTo\" is one of any, leader and aws");
        }
        listener_.restrict_to = found->restrict_to;
    }

    const json::object* object_;
    SteadybitListener listener_;
    std::string reason_;
};

// The same for equal listeners only; neither a method nor a path has a line's end.
std::string key_of(const SteadybitListener& listener) {
    std::string key = listener.method + '\n' + listener.path + '\n';
    key += restrict_name(listener.restrict_to);
    for (const std::string& name : listener.listen_to) {
        key += fmt::format("\n{}:{}", name.size(), name);
    }
    return key;
}

void refuse(SteadybitIndex& index, SteadybitRefusal refusal) {
    if (index.refusals.size() < kSteadybitListeners) {
        index.refusals.push_back(std::move(refusal));
    } else {
        ++index.refusals_beyond;
    }
}

}  // namespace

bool SteadybitListener::listens_to(std::string_view event_name) const {
    return std::ranges::any_of(listen_to, [&](const std::string& name) {
        return name == "*" || name == event_name;
    });
}

Result<SteadybitIndex> parse_steadybit_index(std::string_view text, const Limits& limits) {
    if (text.size() > kSteadybitIndexBytes) {
        return std::unexpected(Error{
            .code = Errc::too_large,
            .detail = fmt::format("the index is larger than {} bytes", kSteadybitIndexBytes),
            .limit = kSteadybitIndexBytes
        });
    }
    Result<json::value> document = parse_json(text, limits);
    if (!document) {
        Error& error = document.error();
        error.detail = "the index cannot be read: " + error.detail;
        return std::unexpected(std::move(error));
    }
    const json::object* object = document->if_object();
    if (object == nullptr) {
        return fail(Errc::bad_request, "the index must be a JSON object");
    }
    SteadybitIndex index;
    const json::value* value = member(*object, "eventListeners");
    if (value == nullptr) {
        return index;
    }
    const json::array* listeners = value->if_array();
    if (listeners == nullptr) {
        return fail(Errc::bad_request, "\"eventListeners\" must be an array");
    }
    std::set<std::string> seen;
    for (const json::value& element : *listeners) {
        ListenerReader reader(element);
        if (!reader.good()) {
            refuse(index, reader.refusal());
        } else if (!seen.insert(key_of(reader.listener())).second) {
            continue;
        } else if (index.listeners.size() == kSteadybitListeners) {
            refuse(
                index,
                reader.refusal(
                    fmt::format("an extension has at most {} listeners", kSteadybitListeners)
                )
            );
        } else {
            index.listeners.push_back(std::move(reader.listener()));
        }
    }
    return index;
}

std::string_view restrict_name(SteadybitListener::Restrict restrict_to) {
    return std::ranges::find(kRestricts, restrict_to, &RestrictName::restrict_to)->name;
}

}  // namespace belfry
