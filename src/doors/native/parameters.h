// Parameters that several routes of the native door take.
#pragma once

#include "doors/routes.h"

namespace belfry {

inline const ParameterDoc kPageLimit{
    .name = "limit", .text = "entries in one page; 100", .type = ParameterDoc::Type::number
};
inline const ParameterDoc kIfMatch{
    .in = ParameterDoc::In::header,
    .name = "If-Match",
    .text = "only if the ETag is this one; else 412"
};

}  // namespace belfry
