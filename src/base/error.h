// What can go wrong, as one enumeration for the whole program, and the value that carries it.
// Codes are a published contract: they appear in problem+json bodies and in docs/errors.md, which a
// test holds against the table in error.cc. Each door maps them onto its own status codes.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

enum class Errc : std::uint8_t {
    bad_request,
    unknown_field,
    invalid_event,
    invalid_filter,
    too_large,
    not_found,
    method_not_allowed,
    conflict,
    id_conflict,
    precondition_failed,
    unauthenticated,
    denied,
    rate_limited,
    overloaded,
    disk_full,
    outcome_unknown,
    read_only,
    offset_expired,
    unavailable,
    internal,
};

// One failure: what was wrong, where, and what would be right. `detail` is a sentence for a person
// and holds no secret. The optional members say which input was at fault.
struct [[nodiscard]] Error {
    Errc code = Errc::internal;
    std::string detail;
    std::string field = {};                          // the member, attribute or parameter at fault
    std::optional<std::uint64_t> limit = {};         // the limit that was passed
    std::optional<std::uint64_t> index = {};         // position of the bad item in a batch, from 0
    std::optional<std::uint64_t> first_offset = {};  // offset_expired: where the log starts now
};

template <typename T>
using Result = std::expected<T, Error>;

// Shorthand for the common failure without further members: `return fail(Errc::not_found, "…")`.
[[nodiscard]] std::unexpected<Error> fail(Errc code, std::string detail);
// The same with what was at fault: `return fail(Errc::bad_request, "limit", "…")`.
[[nodiscard]] std::unexpected<Error> fail(Errc code, std::string_view field, std::string detail);

// The stable name of a code, as it stands in JSON: "disk_full".
[[nodiscard]] std::string_view errc_name(Errc code);

// One row of docs/errors.md.
struct ErrcInfo {
    Errc code;
    std::string_view name;
    std::string_view meaning;    // what happened
    std::string_view next_step;  // what the caller does about it
};
[[nodiscard]] std::span<const ErrcInfo> errc_table();

}  // namespace belfry
