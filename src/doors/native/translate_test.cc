#include "doors/native/translate.h"

#include "base/rfc3339.h"
#include "event/record.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

const WallTime kNow = *parse_rfc3339("2026-03-01T12:00:00Z");
const Limits kTranslateLimits;

// Parses `raw` and hands the query to `read`.
template <typename Read>
auto with_query(std::string_view raw, Read read) {
    Query query;
    EXPECT_TRUE(query.parse(raw)) << raw;
    return read(query);
}

Result<ListQuery> list(std::string_view raw) {
    return with_query(raw, [](const Query& query) {
        return list_query(query, "acme", kTranslateLimits, kNow);
    });
}

TEST(ListQueryTranslation, ReadsEveryParameter) {
    Result<ListQuery> query = list(
        "type=deploy.*&source=/"
        "s&subject=x&since=1h&until=2026-03-01T11:30:00Z&after=5&before=9&order=desc&limit=7"
    );
    ASSERT_TRUE(query) << query.error().detail;
    EXPECT_EQ(query->tenant, "acme");
    EXPECT_EQ(query->type->to_string(), "deploy.*");
    EXPECT_EQ(query->source, "/s");
    EXPECT_EQ(query->subject, "x");
    EXPECT_EQ(query->since, kNow - std::chrono::hours(1));
    EXPECT_EQ(query->until, kNow - std::chrono::minutes(30));
    EXPECT_EQ(query->after, Offset{5});
    EXPECT_EQ(query->before, Offset{9});
    EXPECT_EQ(query->order, ListQuery::Order::descending);
    EXPECT_EQ(query->limit, 7U);
}

TEST(ListQueryTranslation, HasDefaults) {
    Result<ListQuery> query = list("");
    ASSERT_TRUE(query);
    EXPECT_FALSE(query->type || query->since || query->until || query->after || query->before);
    EXPECT_EQ(query->order, ListQuery::Order::ascending);
    EXPECT_EQ(query->limit, 100U);
}

TEST(ListQueryTranslation, NamesTheParameterAtFault) {
    for (auto [raw, field] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"after=-1", "after"},
             {"after=1x", "after"},
             {"after=", "after"},
             {"before=18446744073709551616", "before"},
             {"since=yesterday", "since"},
             {"until=5", "until"},
             {"order=up", "order"},
             {"limit=0", "limit"},
             {"limit=1001", "limit"},
             {"type=a*b", "type"}
         }) {
        Result<ListQuery> query = list(raw);
        ASSERT_FALSE(query) << raw;
        EXPECT_EQ(query.error().field, field) << raw;
    }
    EXPECT_TRUE(list("limit=1000"));
    EXPECT_EQ(list("limit=1001").error().limit, 1000U);
}

TEST(DeadLetterQueryTranslation, ReadsParametersAndBodiesAlike) {
    Result<DeadLetterQuery> query =
        with_query("subscription=chat&type=deploy.*&since=1h&after=x&limit=3", [](const Query& q) {
            return dead_letter_query(q, "acme", kTranslateLimits, kNow);
        });
    Result<DeadLetterQuery> body = dead_letter_query(
        R"({"subscription":"chat","type":"deploy.*","since":"1h"})", "acme", kTranslateLimits, kNow
    );
    ASSERT_TRUE(query && body);
    for (const DeadLetterQuery& read : {*query, *body}) {
        EXPECT_EQ(read.tenant, "acme");
        EXPECT_EQ(read.subscription, "acme/chat");
        EXPECT_EQ(read.type, "deploy.*");
        EXPECT_EQ(read.since, kNow - std::chrono::hours(1));
    }
    EXPECT_EQ(query->after, "x");
    EXPECT_EQ(query->limit, 3U);
}

TEST(DeadLetterQueryTranslation, BodiesAreReadStrictly) {
    for (auto [json, code] : std::vector<std::pair<std::string_view, Errc>>{
             {"", Errc::bad_request},
             {"[]", Errc::bad_request},
             {R"({"typ":"x"})", Errc::unknown_field},
             {R"({"type":"a*b"})", Errc::invalid_filter},
             {R"({"since":"x"})", Errc::bad_request},
             {R"({"type":"a","type":"b"})", Errc::bad_request},
             {R"({"type":1})", Errc::bad_request}
         }) {
        Result<DeadLetterQuery> query = dead_letter_query(json, "acme", kTranslateLimits, kNow);
        ASSERT_FALSE(query) << json;
        EXPECT_EQ(query.error().code, code) << json;
    }
    EXPECT_TRUE(dead_letter_query("{}", "acme", kTranslateLimits, kNow));
}

TEST(Expectation, ReadsOneTag) {
    EXPECT_EQ(expectation(std::nullopt)->kind, Expect::Kind::any);
    EXPECT_EQ(expectation("*")->kind, Expect::Kind::any);
    EXPECT_EQ(expectation("\"12\"")->kind, Expect::Kind::revision);
    EXPECT_EQ(expectation("\"12\"")->revision, Revision{12});
    for (std::string_view foreign : {"W/\"12\"", "\"abc\"", "\"\""}) {
        ASSERT_TRUE(expectation(foreign)) << foreign;
        EXPECT_EQ(expectation(foreign)->kind, Expect::Kind::revision);
        EXPECT_EQ(expectation(foreign)->revision, Revision{0});
    }
    for (std::string_view bad : {"", "12", "\"", "\"1\", \"2\"", "x\"1\""}) {
        EXPECT_FALSE(expectation(bad)) << bad;
    }
}

TEST(PlainEvent, IsDescribedByTheParameters) {
    with_query("type=deploy&subject=web&id=7&source=/ci", [](const Query& query) {
        Result<Event> event = plain_event(query, "text/plain", "hello", kTranslateLimits);
        ASSERT_TRUE(event) << event.error().detail;
        EXPECT_EQ(event->type, "deploy");
        EXPECT_EQ(event->subject, "web");
        EXPECT_EQ(event->id, "7");
        EXPECT_EQ(event->source, "/ci");
        EXPECT_EQ(event->datacontenttype, "text/plain");
        EXPECT_EQ(event->data, "hello");
    });
    with_query("type=deploy", [](const Query& query) {
        Result<Event> event = plain_event(query, std::nullopt, "", kTranslateLimits);
        ASSERT_TRUE(event);
        EXPECT_EQ(event->source, "/belfry/http");
        EXPECT_EQ(event->data, std::nullopt);
    });
}

TEST(PlainEvent, NeedsATypeAndGoodAttributes) {
    for (auto [raw, field] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"", "type"}, {"type=", "type"}, {"type=a&source=a b", "source"}
         }) {
        with_query(raw, [&](const Query& query) {
            Result<Event> event = plain_event(query, std::nullopt, "x", kTranslateLimits);
            ASSERT_FALSE(event) << raw;
            EXPECT_EQ(event.error().code, Errc::invalid_event);
            EXPECT_EQ(event.error().field, field);
        });
    }
    std::string long_type = "type=" + std::string(256, 'a');
    with_query(long_type, [](const Query& query) {
        EXPECT_FALSE(plain_event(query, std::nullopt, "x", kTranslateLimits));
    });
}

TEST(Receipt, ShowsThePublishersIdOrTheUuid) {
    Appended appended{.offset = Offset{3}, .uuid_low = 1};
    std::string out;
    append_receipt("a\"b", appended, out);
    EXPECT_EQ(out, R"("id":"a\"b","offset":3)");
    out.clear();
    appended.duplicate = true;
    append_receipt("", appended, out);
    EXPECT_EQ(out, R"("id":"00000000-0000-0004-0000-000000000001","offset":3,"duplicate":true)");
}

TEST(Attempts, AreShownWithWhatIsKnown) {
    AttemptRecord attempt{
        .event_id = "e",
        .offset = Offset{4},
        .attempt = 2,
        .at = kNow,
        .duration_ms = 31,
        .outcome = Outcome::Kind::failed,
        .status = 500,
        .error = "answered 500",
        .response = "oops\xff",
        .next_at = kNow + std::chrono::seconds(5)
    };
    EXPECT_EQ(
        attempt_json(attempt),
        R"({"event":"e","outcome":"failed","offset":4,"attempt":2,)"
        R"("at":"2026-03-01T12:00:00.000000Z",)"
        R"("duration_ms":31,"status":500,"error":"answered 500","response":"oops)"
        "\xef\xbf\xbd"
        R"(","next_at":"2026-03-01T12:00:05.000000Z"})"
    );
}

TEST(Outcomes, HaveNamesThatReadBack) {
    for (auto kind :
         {Outcome::Kind::settled,
          Outcome::Kind::rejected,
          Outcome::Kind::failed,
          Outcome::Kind::wait,
          Outcome::Kind::gone}) {
        EXPECT_EQ(parse_outcome(outcome_name(kind)), kind);
    }
    EXPECT_EQ(parse_outcome("ok"), std::nullopt);
}

TEST(DeadLetterPage, ShowsEventsRangesAndWhatCannotBeRead) {
    Event event;
    event.source = "/s";
    event.type = "deploy";
    event.data = "{}";
    DeadLetterRow readable;
    readable.id = "1";
    readable.subscription = "default/chat";
    readable.reason = "exhausted";
    readable.at = kNow;
    readable.offset = Offset{7};
    readable.type = "deploy";
    encode_record(event, kNow, 5, readable.record);
    AttemptRow attempt;
    attempt.offset = Offset{7};
    attempt.at = kNow;
    readable.attempts.push_back(attempt);
    DeadLetterRow broken = readable;
    broken.id = "2";
    broken.record.resize(3);
    DeadLetterRow range;
    range.id = "3";
    range.subscription = "default/chat";
    range.listener = "l";
    range.reason = "expired";
    range.at = kNow;
    range.range = DeadLetterRange{.from = Offset{1}, .to = Offset{4}, .count = 3};

    DeadLetterPage page;
    page.rows = {readable, broken, range};
    page.next = "token";
    std::string json = dead_letter_page_json(page);
    EXPECT_TRUE(json.starts_with(R"({"dead_letters":[{"id":"1","subscription":"chat","event":{)"))
        << json;
    EXPECT_TRUE(json.contains(R"("attempts":[{"offset":7,"attempt":1,)")) << json;
    EXPECT_TRUE(json.contains(
        R"({"id":"2","subscription":"chat","event":{"offset":7,"type":"deploy","unreadable":true})"
    ));
    EXPECT_TRUE(
        json.contains(R"("listener":"l","range":{"from":1,"to":4,"count":3},"reason":"expired")")
    );
    EXPECT_TRUE(json.ends_with(R"("next":"token"})"));
}

}  // namespace
}  // namespace belfry
