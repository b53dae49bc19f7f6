// The few things a command needs of URLs. Pure.
#pragma once

#include "base/error.h"
#include "base/percent_encoding.h"
#include "base/url.h"

#include <string>
#include <string_view>

namespace belfry {

// A request target: a path, then parameters.
class Target {
 public:
    explicit Target(std::string path) : text_(std::move(path)) {}
    // One more path segment, encoded.
    Target& segment(std::string_view text);
    // One more parameter, encoded; left out if `value` is empty.
    Target& parameter(std::string_view name, std::string_view value);
    [[nodiscard]] const std::string& text() const { return text_; }

 private:
    std::string text_;
    bool has_query_ = false;
};

// Where a hub is, from "http://host[:port]" or https. bad_request for a path or a query.
[[nodiscard]] Result<Url> parse_hub_url(std::string_view url);

}  // namespace belfry
