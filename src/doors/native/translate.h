// From the native API's words to ours and back: parameters, plain bodies, receipts, attempts, dead
// letters. Pure; what it returns as views points into its arguments. Errors name the parameter in
// `field`.
#pragma once

#include "base/limits.h"
#include "doors/query.h"
#include "engine/kv.h"
#include "engine/log.h"
#include "engine/state.h"
#include "event/event.h"
#include "hub/hub.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace belfry {

// A whole number from 0 on.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text, std::string_view field);
// RFC 3339, or an age such as `1h`, counted back from `now`.
[[nodiscard]] Result<WallTime> parse_when(
    std::string_view text, WallTime now, std::string_view field
);
// The parameter `limit`: 100 if absent, from 1 to limits.list_events.
[[nodiscard]] Result<std::size_t> page_limit(const Query& query, const Limits& limits);

// The query of GET /api/v1/events.
[[nodiscard]] Result<ListQuery> list_query(
    const Query& query, std::string_view tenant, const Limits& limits, WallTime now
);
// The query of GET /api/v1/dead-letters, and the body of POST …/replay, which has no page.
[[nodiscard]] Result<DeadLetterQuery> dead_letter_query(
    const Query& query, std::string_view tenant, const Limits& limits, WallTime now
);
[[nodiscard]] Result<DeadLetterQuery> dead_letter_query(
    std::string_view json, std::string_view tenant, const Limits& limits, WallTime now
);

// If-Match: `"<revision>"` or `*`. A weak or foreign tag never matches anything.
[[nodiscard]] Result<Expect> expectation(std::optional<std::string_view> if_match);

// A body that is no CloudEvent, as the event that the parameters describe; checked.
[[nodiscard]] Result<Event> plain_event(
    const Query& query,
    std::optional<std::string_view> content_type,
    std::string_view body,
    const Limits& limits
);

// `"id":"…","offset":17` and `,"duplicate":true` where it is one. `given_id` is the publisher's;
// empty: none.
void append_receipt(std::string_view given_id, const Appended& appended, std::string& out);

// {"events":[…],"next":…}
[[nodiscard]] std::string event_page_json(const ListResult& page);
[[nodiscard]] std::string attempt_json(const AttemptRecord& attempt);
// {"dead_letters":[…],"next":…}
[[nodiscard]] std::string dead_letter_page_json(const DeadLetterPage& page);
// The public form with what delivery knows: cursor, pending, retrying, in_flight, dead, circuit,
// last_error. Without a status (the change is not served yet) the document alone.
[[nodiscard]] std::string subscription_json(
    const Subscription& subscription, const std::optional<SubscriptionStatus>& status
);

[[nodiscard]] std::string_view outcome_name(Outcome::Kind outcome);
[[nodiscard]] std::optional<Outcome::Kind> parse_outcome(std::string_view name);
// The name in a key "<tenant>/<name>".
[[nodiscard]] std::string_view subscription_name(std::string_view key);

}  // namespace belfry
