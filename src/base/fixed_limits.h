// Bounds on input that are no settings: sizes of arrays hang on them, or no other value would help
// anybody. In one table, so that docs/limits.md can list them beside the settings; a test holds the
// page against it. Constants.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace belfry {

// X(constant, value, what it bounds and what happens past it)
#define BELFRY_FIXED_LIMITS(X)                                                              \
    X(kQueryParametersMax, 32, "names in the query of a request; 400")                      \
    X(kPathSegmentsMax, 24, "segments of a path; 404, but where a path may have any rest")  \
    X(kStrangersBodyBytesMax,                                                               \
      16'384,                                                                               \
      "bytes of a body that are kept before its sender is known; 401 or 403 and close")     \
    X(kOutstandingRequestsMax,                                                              \
      1024,                                                                                 \
      "requests of one connection that wait, for the disk too; no reading until answered")  \
    X(kLingerBytesMax,                                                                      \
      16'777'216,                                                                           \
      "bytes a peer may still send after the last answer, dropped; close")                  \
    X(kKeptConnectionsMax, 64, "kept connections to one endpoint; what is more is closed")  \
    X(kNamesLookedUpMax, 4096, "host names looked up at a time; the attempt fails")         \
    X(kChunkExtensionsBytesMax, 4096, "bytes of all chunk extensions of a body; 400")       \
    X(kTrailersBytesMax, 8192, "bytes of the trailers of a chunked body; 400")              \
    X(kYamlValuesMax, 100'000, "values of a configuration file, aliases unfolded; refused") \
    X(kYamlKeyBytesMax, 255, "bytes of a key of a configuration file; refused")             \
    X(kYamlFlowIndicatorsMax,                                                               \
      10'000,                                                                               \
      "brackets, braces and commas of a configuration file; refused")                       \
    X(kReplaysMax, 10'000, "events of one subscription that wait for their replay; 429")    \
    X(kReplayBytesMax, 67'108'864, "bytes of these; 429")                                   \
    X(kFiltersOfRequestMax, 32, "different Consul filters of a batch of events; 413")       \
    X(kFilterBytesOfRequestMax, 3072, "bytes of these, where they are several; 413")        \
    X(kConsulListLooksBackMax,                                                              \
      12'800,                                                                               \
      "events that a filtered list of Consul's looks back over; it ends there")             \
    X(kConsulListSearchesMax,                                                               \
      4'194'304,                                                                            \
      "instructions times bytes of different filters that it searches; it ends there")

#define BELFRY_FIXED_LIMIT_CONSTANT(name, value, text) inline constexpr std::size_t name = value;
BELFRY_FIXED_LIMITS(BELFRY_FIXED_LIMIT_CONSTANT)
#undef BELFRY_FIXED_LIMIT_CONSTANT

struct FixedLimitInfo {
    std::size_t value;
    std::string_view text;
};
#define BELFRY_FIXED_LIMIT_ROW(name, value, text) FixedLimitInfo{name, text},
inline constexpr auto kFixedLimits =
    std::to_array<FixedLimitInfo>({BELFRY_FIXED_LIMITS(BELFRY_FIXED_LIMIT_ROW)});
#undef BELFRY_FIXED_LIMIT_ROW

}  // namespace belfry
