// DeadLetters: lists, replays and purges what subscriptions gave up on.
// Owned by the hub; the ports must outlive it. I/O thread only.
#pragma once

#include "base/rng.h"
#include "engine/state.h"
#include "hub/access.h"
#include "hub/deliveries.h"
#include "hub/state_writer.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace belfry {

class DeadLetters {
 public:
    DeadLetters(Rng& rng, State& state, StateWriter& writer, Deliveries& deliveries);

    // As Hub says of each.
    void list(
        const Caller& caller,
        DeadLetterQuery query,
        std::move_only_function<void(Result<DeadLetterPage>)> done
    );
    void replay(
        const Caller& caller,
        std::string id,
        std::move_only_function<void(Result<std::string>)> done
    );
    using ReplayedDone =
        std::move_only_function<void(Result<std::pair<std::string, std::uint64_t>>)>;
    void replay_all(const Caller& caller, DeadLetterQuery query, ReplayedDone done);
    void purge(
        const Caller& caller, std::string id, std::move_only_function<void(Result<void>)> done
    );

 private:
    // A replay of many, while it goes through the pages.
    struct Replaying {
        Caller caller;
        DeadLetterQuery query;
        std::string id;
        std::uint64_t queued = 0;
        ReplayedDone done;
    };
    // Hands the dead letter to its subscription: not_found if that is gone, bad_request for a
    // range.
    Result<void> queue(DeadLetterRow row, const std::string& replay_id, const Caller& caller);
    void replay_page(Replaying replaying);
    [[nodiscard]] std::string new_replay_id();

    Rng& rng_;
    State& state_;
    StateWriter& writer_;
    Deliveries& deliveries_;
};

}  // namespace belfry
