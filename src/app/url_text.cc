#include "app/url_text.h"

#include <fmt/format.h>

namespace belfry {

Target& Target::segment(std::string_view text) {
    text_ += "/" + percent_encoded(text);
    return *this;
}

Target& Target::parameter(std::string_view name, std::string_view value) {
    if (!value.empty()) {
        text_ += fmt::format("{}{}={}", has_query_ ? '&' : '?', name, percent_encoded(value));
        has_query_ = true;
    }
    return *this;
}

Result<Url> parse_hub_url(std::string_view url) {
    Result<Url> parsed = parse_url(url);
    if (!parsed) {
        return parsed;
    }
    if (parsed->target() != "/") {
        return fail(Errc::bad_request, "a hub's URL has no path, such as http://127.0.0.1:8420");
    }
    return parsed;
}

}  // namespace belfry
