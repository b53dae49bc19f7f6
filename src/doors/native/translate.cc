#include "doors/native/translate.h"

#include "base/assert.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "doors/json_writer.h"
#include "event/check_event.h"
#include "event/cloudevents_json.h"
#include "event/record.h"

#include <boost/json.hpp>

#include <array>
#include <charconv>

namespace belfry {

namespace {

std::unexpected<Error> refuse(Errc code, std::string_view field, std::string detail) {
    return std::unexpected(
        Error{.code = code, .detail = std::move(detail), .field = std::string(field)}
    );
}

Result<void> read_offset(const Query& query, std::string_view name, std::optional<Offset>& out) {
    if (std::optional<std::string_view> text = query.get(name)) {
        Result<std::uint64_t> number = parse_number(*text, name);
        if (!number) {
            return std::unexpected(std::move(number).error());
        }
        out = Offset{*number};
    }
    return {};
}

Result<void> read_when(
    const Query& query, std::string_view name, WallTime now, std::optional<WallTime>& out
) {
    if (std::optional<std::string_view> text = query.get(name)) {
        Result<WallTime> when = parse_when(*text, now, name);
        if (!when) {
            return std::unexpected(std::move(when).error());
        }
        out = *when;
    }
    return {};
}

Result<TypePattern> type_pattern(std::string_view text) {
    Result<TypePattern> pattern = parse_type_pattern(text);
    if (!pattern) {
        pattern.error().field = "type";
    }
    return pattern;
}

SubscriptionKey key_of(std::string_view tenant, std::string_view name) {
    return std::string(tenant) + "/" + std::string(name);
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text, std::string_view field) {
    std::uint64_t number = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) {
        return refuse(Errc::bad_request, field, "this must be a whole number from 0 on");
    }
    return number;
}

Result<WallTime> parse_when(std::string_view text, WallTime now, std::string_view field) {
    if (std::optional<WallTime> time = parse_rfc3339(text)) {
        return *time;
    }
    Result<Duration> age = parse_duration(text);
    if (!age) {
        return refuse(
            Errc::bad_request,
            field,
            "this must be a time such as 2026-01-31T12:00:00Z or an age such as 1h"
        );
    }
    return now - std::chrono::duration_cast<std::chrono::microseconds>(*age);
}

Result<std::size_t> page_limit(const Query& query, const Limits& limits) {
    std::optional<std::string_view> text = query.get("limit");
    if (!text) {
        return std::size_t{100};
    }
    Result<std::uint64_t> number = parse_number(*text, "limit");
    if (!number) {
        return std::unexpected(std::move(number).error());
    }
    if (*number == 0 || *number > limits.list_events) {
        return std::unexpected(Error{
            .code = Errc::bad_request,
            .detail = "a page holds 1 to " + std::to_string(limits.list_events) + " entries",
            .field = "limit",
            .limit = limits.list_events
        });
    }
    return static_cast<std::size_t>(*number);
}

Result<ListQuery> list_query(
    const Query& query, std::string_view tenant, const Limits& limits, WallTime now
) {
    ListQuery list;
    list.tenant = tenant;
    if (std::optional<std::string_view> type = query.get("type")) {
        Result<TypePattern> pattern = type_pattern(*type);
        if (!pattern) {
            return std::unexpected(std::move(pattern).error());
        }
        list.type = std::move(*pattern);
    }
    list.source = query.get("source").value_or("");
    list.subject = query.get("subject").value_or("");
    std::string_view order = query.get("order").value_or("asc");
    if (order != "asc" && order != "desc") {
        return refuse(Errc::bad_request, "order", "the order is `asc` or `desc`");
    }
    list.order = order == "asc" ? ListQuery::Order::ascending : ListQuery::Order::descending;
    for (Result<void> read :
         {read_offset(query, "after", list.after),
          read_offset(query, "before", list.before),
          read_when(query, "since", now, list.since),
          read_when(query, "until", now, list.until)}) {
        if (!read) {
            return std::unexpected(std::move(read).error());
        }
    }
    Result<std::size_t> limit = page_limit(query, limits);
    if (!limit) {
        return std::unexpected(std::move(limit).error());
    }
    list.limit = *limit;
    return list;
}

Result<DeadLetterQuery> dead_letter_query(
    const Query& query, std::string_view tenant, const Limits& limits, WallTime now
) {
    DeadLetterQuery letters;
    letters.tenant = tenant;
    if (std::optional<std::string_view> name = query.get("subscription")) {
        letters.subscription = key_of(tenant, *name);
    }
    letters.type = query.get("type").value_or("");
    if (!letters.type.empty()) {
        if (Result<TypePattern> pattern = type_pattern(letters.type); !pattern) {
            return std::unexpected(std::move(pattern).error());
        }
    }
    letters.after = query.get("after").value_or("");
    if (Result<void> read = read_when(query, "since", now, letters.since); !read) {
        return std::unexpected(std::move(read).error());
    }
    Result<std::size_t> limit = page_limit(query, limits);
    if (!limit) {
        return std::unexpected(std::move(limit).error());
    }
    letters.limit = *limit;
    return letters;
}

Result<DeadLetterQuery> dead_letter_query(
    std::string_view json, std::string_view tenant, const Limits& limits, WallTime now
) {
    Result<boost::json::value> value = parse_json(json, limits);
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    DeadLetterQuery letters;
    letters.tenant = tenant;
    JsonObjectReader reader(*value);
    if (std::optional<std::string> name = reader.text("subscription")) {
        letters.subscription = key_of(tenant, *name);
    }
    if (std::optional<std::string> type = reader.text("type")) {
        Result<TypePattern> pattern = type_pattern(*type);
        reader.check(pattern ? Result<void>() : std::unexpected(std::move(pattern).error()));
        letters.type = std::move(*type);
    }
    if (std::optional<std::string> since = reader.text("since")) {
        if (Result<WallTime> when = parse_when(*since, now, "since")) {
            letters.since = *when;
        } else {
            reader.check(std::unexpected(std::move(when).error()));
        }
    }
    if (Result<void> read = reader.finish(); !read) {
        return std::unexpected(std::move(read).error());
    }
    return letters;
}

Result<Expect> expectation(std::optional<std::string_view> if_match) {
    if (!if_match || *if_match == "*") {
        return Expect{};
    }
    std::string_view tag = *if_match;
    if (tag.starts_with("W/")) {
        tag.remove_prefix(2);  // well-formed, but weak tags never match (RFC 9110, 13.1.1)
    }
    if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"' || tag.contains(',')) {
        return refuse(Errc::bad_request, "If-Match", "this must be one ETag, in its quotes");
    }
    Expect expect{.kind = Expect::Kind::revision};
    Result<std::uint64_t> revision = parse_number(tag.substr(1, tag.size() - 2), "If-Match");
    if (revision && !if_match->starts_with("W/")) {
        expect.revision.value = *revision;  // else 0, which no document has
    }
    return expect;
}

Result<Event> plain_event(
    const Query& query,
    std::optional<std::string_view> content_type,
    std::string_view body,
    const Limits& limits
) {
    Event event;
    std::optional<std::string_view> type = query.get("type");
    if (!type || type->empty()) {
        return refuse(Errc::invalid_event, "type", "a body that is no CloudEvent needs `?type=`");
    }
    event.type = *type;
    event.source = query.get("source").value_or("/belfry/http");
    event.subject = query.get("subject").value_or("");
    event.id = query.get("id").value_or("");
    event.datacontenttype = content_type.value_or("");
    if (!body.empty() || content_type) {
        event.data = body;
    }
    if (Result<void> good = check_event(event, limits); !good) {
        return std::unexpected(std::move(good).error());
    }
    return event;
}

void append_receipt(std::string_view given_id, const Appended& appended, std::string& out) {
    append_json_name(out, "id");
    if (given_id.empty()) {
        UuidText uuid = uuid_text(appended.uuid());
        append_json_string(out, std::string_view(uuid.data(), uuid.size()));
    } else {
        append_json_string(out, given_id);
    }
    out.append(",\"offset\":");
    append_json_number(out, appended.offset.value);
    if (appended.duplicate) {
        out.append(",\"duplicate\":true");
    }
}

std::string event_page_json(const ListResult& page) {
    std::string out = "{\"events\":[";
    for (const StoredEvent& stored : page.events) {
        if (&stored != &page.events.front()) {
            out.push_back(',');
        }
        append_event_json(stored, LogMembers::add, out);
    }
    out.push_back(']');
    if (page.next) {
        out.append(",\"next\":");
        append_json_number(out, page.next->value);
    }
    out.push_back('}');
    return out;
}

namespace {

constexpr std::array<std::pair<Outcome::Kind, std::string_view>, 6> kOutcomes{{
    {Outcome::Kind::settled, "settled"},
    {Outcome::Kind::rejected, "rejected"},
    {Outcome::Kind::failed, "failed"},
    {Outcome::Kind::unclear, "failed"},  // the difference is the circuit's alone
    {Outcome::Kind::wait, "wait"},
    {Outcome::Kind::gone, "gone"},
}};

// What both kinds of attempt have: AttemptRecord and AttemptRow.
void write_attempt_members(JsonWriter& json, const auto& attempt) {
    json.member("offset", attempt.offset.value).member("attempt", attempt.attempt);
    json.member("at", rfc3339(attempt.at)).member("duration_ms", attempt.duration_ms);
    json.member("status", attempt.status);
    if (!attempt.error.empty()) {
        json.member("error", attempt.error);
    }
    if (!attempt.response.empty()) {
        json.member("response", attempt.response);
    }
    if (attempt.next_at) {
        json.member("next_at", rfc3339(*attempt.next_at));
    }
}

void write_dead_letter(JsonWriter& json, const DeadLetterRow& row) {
    json.begin_object().member("id", row.id);
    json.member("subscription", subscription_name(row.subscription));
    if (!row.listener.empty()) {
        json.member("listener", row.listener);
    }
    if (row.range) {
        json.name("range").begin_object().member("from", row.range->from.value);
        json.member("to", row.range->to.value).member("count", row.range->count).end_object();
    } else if (Result<StoredEvent> stored = decode_record(row.record, row.offset, nullptr)) {
        std::string event;
        append_event_json(*stored, LogMembers::add, event);
        json.name("event").raw(event);
    } else {
        // The row is still there to be seen and purged.
        json.name("event").begin_object().member("offset", row.offset.value);
        json.member("type", row.type).member("unreadable", true).end_object();
    }
    json.member("reason", row.reason).member("at", rfc3339(row.at));
    json.name("attempts").begin_array();
    for (const AttemptRow& attempt : row.attempts) {
        json.begin_object();
        write_attempt_members(json, attempt);
        json.end_object();
    }
    json.end_array().end_object();
}

}  // namespace

std::string attempt_json(const AttemptRecord& attempt) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().member("event", attempt.event_id);
    json.member("outcome", outcome_name(attempt.outcome));
    write_attempt_members(json, attempt);
    json.end_object();
    return out;
}

std::string dead_letter_page_json(const DeadLetterPage& page) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().name("dead_letters").begin_array();
    for (const DeadLetterRow& row : page.rows) {
        write_dead_letter(json, row);
    }
    json.end_array();
    if (page.next) {
        json.member("next", *page.next);
    }
    json.end_object();
    return out;
}

std::string subscription_json(
    const Subscription& subscription, const std::optional<SubscriptionStatus>& status
) {
    std::string out = public_subscription_json(subscription);
    if (!status) {
        return out;
    }
    ASSERT(out.ends_with('}'));
    out.pop_back();
    std::string members;
    JsonWriter json(members);
    json.begin_object().member("cursor", status->cursor.value).member("pending", status->pending);
    json.member("retrying", status->retrying).member("in_flight", status->in_flight);
    json.member("dead", status->dead);
    json.member("circuit", status->circuit_open ? "open" : "closed");
    if (!status->last_error.empty()) {
        json.member("last_error", status->last_error);
    }
    json.end_object();
    out.push_back(',');
    return out.append(members, 1);
}

std::string_view outcome_name(Outcome::Kind outcome) {
    for (auto [kind, name] : kOutcomes) {
        if (kind == outcome) {
            return name;
        }
    }
    assert_failed("an outcome has a name", __FILE__, __LINE__);
}

std::optional<Outcome::Kind> parse_outcome(std::string_view name) {
    for (auto [kind, known] : kOutcomes) {
        if (known == name) {
            return kind;
        }
    }
    return std::nullopt;
}

std::string_view subscription_name(std::string_view key) {
    std::size_t slash = key.find('/');
    return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

}  // namespace belfry
