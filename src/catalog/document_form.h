// The three forms of a document.
#pragma once

#include <cstdint>

namespace belfry {

enum class DocumentForm : std::uint8_t {
    request,  // what a caller sends: no state, one secret
    stored,   // what Kv keeps: everything
    shown,    // what a caller is answered: state, no secrets
};

}  // namespace belfry
