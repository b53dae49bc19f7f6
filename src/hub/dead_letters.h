// DeadLetters: lists, replays and purges what subscriptions gave up on.
// Owned by the hub; the ports must outlive it. I/O thread only.
#pragma once

#include "base/rng.h"
#include "engine/state.h"
#include "hub/deliveries.h"
#include "hub/state_writer.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace belfry {

class DeadLetters {
 public:
    // Replayed events of one subscription that may wait for their attempt.
    static constexpr std::uint64_t kReplayMax = 10'000;

    DeadLetters(Rng& rng, State& state, StateWriter& writer, Deliveries& deliveries);

    void list(DeadLetterQuery query, std::move_only_function<void(Result<DeadLetterPage>)> done);
    void replay(
        std::string tenant, std::string id, std::move_only_function<void(Result<std::string>)> done
    );
    using ReplayedDone =
        std::move_only_function<void(Result<std::pair<std::string, std::uint64_t>>)>;
    void replay_all(DeadLetterQuery query, ReplayedDone done);
    void purge(
        std::string tenant, std::string id, std::move_only_function<void(Result<void>)> done
    );

 private:
    // Hands the dead letter to its subscription: not_found if that is gone, bad_request for a
    // range.
    Result<void> queue(DeadLetterRow row, const std::string& replay_id);
    void replay_page(
        DeadLetterQuery query, std::string replay_id, std::uint64_t queued, ReplayedDone done
    );
    [[nodiscard]] std::string new_replay_id();

    Rng& rng_;
    State& state_;
    StateWriter& writer_;
    Deliveries& deliveries_;
};

}  // namespace belfry
