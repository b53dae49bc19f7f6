// Answers of the native door that are not problems.
#pragma once

#include "net/http.h"

#include <string_view>

namespace belfry {

// On every answer of the API: nothing is guessed, nothing is kept.
inline constexpr std::string_view kApiHeaders =
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";

// `more_headers`: whole lines, each ended by CRLF.
void answer_json(
    Exchange& exchange, int status, std::string_view json, std::string_view more_headers = {}
);
// 204.
void answer_nothing(Exchange& exchange);

}  // namespace belfry
