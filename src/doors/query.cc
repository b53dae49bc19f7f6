#include "doors/query.h"

#include "base/fixed_limits.h"
#include "doors/percent_decoding.h"

namespace belfry {

static_assert(Query::kParametersMax == kQueryParametersMax);

namespace {

// Takes the next `name=value` piece off `rest`.
std::string_view next_piece(std::string_view& rest) {
    std::size_t end = rest.find('&');
    std::string_view piece = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return piece;
}

}  // namespace

Result<void> Query::parse(std::string_view raw, Repeated repeated, Content content) {
    const auto decode = content == Content::text ? percent_decode : percent_decode_bytes;
    if (raw.contains('%') || raw.contains('+')) {
        memory_.reserve(raw.size());
    }
    for (std::string_view rest = raw; !rest.empty();) {
        std::string_view piece = next_piece(rest);
        if (piece.empty()) {
            continue;
        }
        if (count_ == kParametersMax) {
            return std::unexpected(Error{
                .code = Errc::bad_request,
                .detail = "the query has too many parameters",
                .limit = kParametersMax
            });
        }
        std::size_t equals = piece.find('=');
        auto name = decode(piece.substr(0, equals), PlusSign::is_space, memory_);
        auto value = equals == std::string_view::npos
                         ? std::optional(std::string_view())
                         : decode(piece.substr(equals + 1), PlusSign::is_space, memory_);
        if (!name || !value) {
            return fail(
                Errc::bad_request,
                "the query is not percent-encoded UTF-8 without control characters"
            );
        }
        if (get(*name)) {
            if (repeated == Repeated::first_counts) {
                continue;
            }
            return std::unexpected(Error{
                .code = Errc::bad_request,
                .detail = "the parameter is given twice",
                .field = std::string(*name)
            });
        }
        parameters_[count_++] = {*name, *value};
    }
    return {};
}

std::optional<std::string_view> Query::get(std::string_view name) const {
    for (const QueryParameter& parameter : parameters()) {
        if (parameter.name == name) {
            return parameter.value;
        }
    }
    return std::nullopt;
}

}  // namespace belfry
