#include "engine/state.h"

namespace belfry {

bool StateChanges::empty() const {
    return size() == 0;
}

std::size_t StateChanges::size() const {
    return forget.size() + (live_mark ? 1 : 0) + cursors.size() + attempts.size() +
           dead_letters.size() + exceptions.size() + erase_dead_letters.size();
}

}  // namespace belfry
