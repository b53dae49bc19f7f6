// The query of a request, read once: names and values decoded, in order. Views point into the
// request and into the memory kept here; both must outlive them. I/O thread only; without `%` and
// `+` nothing is allocated.
#pragma once

#include "base/error.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

struct QueryParameter {
    std::string_view name;
    std::string_view value;
};

class Query {
 public:
    static constexpr std::size_t kParametersMax = 32;
    enum class Repeated : bool { refuse, first_counts };
    enum class Content : bool { text, any_bytes };  // what names and values may hold, decoded

    Query() = default;
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    // `raw` without the `?`. bad_request for a malformed escape, what is not Content, a name that
    // is refused when repeated, or more than kParametersMax names. Called once.
    [[nodiscard]] Result<void> parse(
        std::string_view raw, Repeated repeated = Repeated::refuse, Content content = Content::text
    );

    // The value; nullopt if the name is absent. `?x` and `?x=` both give "".
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] std::span<const QueryParameter> parameters() const {
        return std::span(parameters_).first(count_);
    }

 private:
    std::array<QueryParameter, kParametersMax> parameters_;
    std::size_t count_ = 0;
    std::string memory_;
};

}  // namespace belfry
