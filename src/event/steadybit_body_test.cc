#include "event/steadybit_body.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

// Every version of the API has these.
std::string body_with(std::string_view members = {}) {
    return R"({"id":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"killswitch.engaged",)"
           R"("eventTime":"2021-09-01T12:00:00Z","tenant":{"key":"exmpl","name":"Example Inc."})" +
           std::string(members) + "}";
}

std::string subject_of(std::string_view members) {
    Result<SteadybitBody> body = parse_steadybit_body(body_with(members));
    EXPECT_TRUE(body) << members << " " << body.error().detail;
    return body ? body->subject : "refused";
}

void expect_refused(const std::string& json, Errc code, std::string_view field) {
    Result<SteadybitBody> body = parse_steadybit_body(json);
    ASSERT_FALSE(body) << json;
    EXPECT_EQ(body.error().code, code) << json << " " << body.error().detail;
    EXPECT_EQ(body.error().field, field) << json;
    EXPECT_FALSE(body.error().detail.empty());
}

void expect_invalid(const std::string& json, std::string_view field) {
    expect_refused(json, Errc::invalid_event, field);
}

TEST(SteadybitBody, ReadsTheExampleOfTheDocument) {
    Result<SteadybitBody> body = parse_steadybit_body(R"({
  "id": "da059724-a8ae-4b4b-b4f0-ee01898232d2",
  "eventName": "experiment.execution.created",
  "eventTime": "2021-09-01T12:00:00Z",
  "tenant": {
    "key": "exmpl",
    "name": "Example Inc."
  },
  "principal": {
    "principalType": "user",
    "username": "tom.mason",
    "name": "Tom Mason",
    "email": "tom.mason@example.com"
  },
  "environment": {
    "id": "STG",
    "name": "Staging"
  },
  "team": {
    "key": "ADM",
    "name": "Administrators"
  },
  "experimentExecution": {
    "experimentKey": "ADM-4",
    "executionId": 34,
    "name": "Rollout restart does not impact service availability",
    "state": "COMPLETED",
    "preparedTime": "2022-11-08T16:42:32.303762Z",
    "startedTime": "2022-11-08T16:42:32.329718Z",
    "endedTime": "2022-11-08T16:42:42.636157Z"
  }
})");
    ASSERT_TRUE(body) << body.error().detail;
    EXPECT_EQ(body->id, "da059724-a8ae-4b4b-b4f0-ee01898232d2");
    EXPECT_EQ(body->event_name, "experiment.execution.created");
    EXPECT_EQ(body->event_time, "2021-09-01T12:00:00Z");
    EXPECT_EQ(body->tenant_key, "exmpl");
    EXPECT_EQ(body->subject, "ADM-4/34");
}

TEST(SteadybitBody, ReadsEveryVersionOfTheApi) {
    EXPECT_EQ(subject_of(""), "") << "a kill switch is about no execution";
    EXPECT_EQ(
        subject_of(
            R"(,"experimentExecution":{"experimentKey":"A-1","executionId":"7","state":"PREPARED",)"
            R"("triggeredVia":"API","variables":{"a":"b"}})"
        ),
        "A-1/7"
    ) << "the first week";
    EXPECT_EQ(
        subject_of(
            R"(,"stepExecutionId":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","experimentExecution":)"
            R"({"experimentKey":"A-1","executionId":8,"failureReason":"x",)"
            R"("failureReasonDetails":null,"steps":[{"id":"s","experimentKey":"no",)"
            R"("targetExecutions":[{"executionId":1}]}]})"
        ),
        "A-1/8"
    ) << "1.2: the steps are in the execution";
    EXPECT_EQ(
        subject_of(
            R"(,"experimentStepExecution":{"experimentKey":"A-1","executionId":9,"type":"wait"})"
        ),
        "A-1/9"
    ) << "1.3";
    EXPECT_EQ(
        subject_of(
            R"(,"experimentExecution":null,"experimentStepTargetExecution":{"executionId":10,)"
            R"("targetAttributes":{"k":["v","w"]},"experimentKey":"A-1"})"
        ),
        "A-1/10"
    );
    EXPECT_EQ(
        subject_of(R"(,"experimentExecution":{"experimentKey":"A-1","executionId":11,"tags":["t"],)"
                   R"("properties":{"any":[1,{"id":null}]},"variables":{}},"principal":)"
                   R"({"principalType":"batch_job","username":"b"},"new":{"tenant":{"key":1}})"),
        "A-1/11"
    ) << "1.6, and what comes after it";
}

TEST(SteadybitBody, KeepsLargeExecutionIdsDigitForDigit) {
    for (const std::string digits : {"16777217", "9007199254740993", "123456789012345678901234"}) {
        EXPECT_EQ(
            subject_of(
                R"(,"experimentExecution":{"experimentKey":"A-1","executionId":)" + digits + "}"
            ),
            "A-1/" + digits
        );
    }
}

TEST(SteadybitBody, AnExecutionThatIsNotNamedIsNoSubject) {
    EXPECT_EQ(subject_of(R"(,"experimentExecution":{})"), "");
    EXPECT_EQ(subject_of(R"(,"experimentExecution":{"experimentKey":"A-1"})"), "");
    EXPECT_EQ(
        subject_of(R"(,"experimentExecution":{"experimentKey":null,"executionId":null})"), ""
    );
    EXPECT_EQ(subject_of(R"(,"experimentExecution":{"experimentKey":"","executionId":1})"), "");
}

TEST(SteadybitBody, TakesAnyUsualSpellingOfAUuid) {
    const auto parse = [](std::string_view id) {
        return parse_steadybit_body(
            R"({"id":")" + std::string(id) +
            R"(","eventName":"e","eventTime":"2021-09-01T12:00:00.123456789+02:00",)"
            R"("tenant":{"key":"k"}})"
        );
    };
    for (std::string_view id :
         {"da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "DA059724-A8AE-4B4B-B4F0-EE01898232D2",
          "da059724a8ae4b4bb4f0ee01898232d2",
          "urn:uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "URN:UUID:da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "{da059724-a8ae-4b4b-b4f0-ee01898232d2}"}) {
        Result<SteadybitBody> body = parse(id);
        ASSERT_TRUE(body) << id << " " << body.error().detail;
        EXPECT_EQ(body->id, id);
    }
    for (std::string_view id :
         {"1",
          "da059724-a8ae-4b4b-b4f0-ee01898232d",
          "da059724a8ae4b4bb4f0ee01898232dg",
          "{da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "{da059724a8ae4b4bb4f0ee01898232d2}",
          "{}",
          "urn:uuid:",
          "urn:uuid:1:da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "urn-uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2",
          " da059724-a8ae-4b4b-b4f0-ee01898232d2"}) {
        EXPECT_FALSE(parse(id)) << id;
    }
}

TEST(SteadybitBody, NamesTheMemberThatIsWrong) {
    expect_invalid("{}", "id");
    expect_invalid(R"({"id":"x","eventName":"e","eventTime":"t","tenant":{"key":"k"}})", "id");
    const std::string id = R"({"id":"da059724-a8ae-4b4b-b4f0-ee01898232d2")";
    expect_invalid(id + "}", "eventName");
    expect_invalid(id + R"(,"eventName":""})", "eventName");
    expect_invalid(id + R"(,"eventName":null})", "eventName");
    expect_invalid(id + R"(,"EventName":"e"})", "eventName");
    expect_invalid(id + R"(,"eventName":"\ud800"})", "eventName");
    expect_invalid(id + R"(,"eventName":"e"})", "eventTime");
    for (std::string_view time : {"2021-09-01T12:00:00+0200", "2021-09-01", "1630497600"}) {
        expect_invalid(
            id + R"(,"eventName":"e","tenant":{"key":"k"},"eventTime":")" + std::string(time) +
                "\"}",
            "eventTime"
        );
    }
    expect_invalid(id + R"(,"eventName":"e","eventTime":1630497600})", "eventTime");
    const std::string time = id + R"(,"eventName":"e","eventTime":"2021-09-01T12:00:00Z")";
    expect_invalid(time + "}", "tenant.key");
    expect_invalid(time + R"(,"tenant":{"name":"n"}})", "tenant.key");
    expect_invalid(time + R"(,"tenant":{"key":7}})", "tenant.key");
    expect_invalid(time + R"(,"tenant":"k"})", "tenant");
    expect_invalid(time + R"(,"tenant":null})", "tenant");
    expect_invalid(body_with(R"(,"experimentExecution":[])"), "experimentExecution");
    expect_invalid(
        body_with(R"(,"experimentExecution":{"experimentKey":1})"),
        "experimentExecution.experimentKey"
    );
    expect_invalid(
        body_with(R"(,"experimentStepExecution":{"executionId":true})"),
        "experimentStepExecution.executionId"
    );
}

TEST(SteadybitBody, WhatStandsTwiceIsRefused) {
    expect_invalid(body_with(R"(,"eventName":"other")"), "eventName");
    expect_invalid(body_with(R"(,"event\u004eame":"other")"), "eventName");
    expect_invalid(body_with(R"(,"tenant":{"key":"other"})"), "tenant");
    expect_invalid(
        body_with(R"(,"experimentExecution":null,"experimentExecution":{})"), "experimentExecution"
    );
    expect_invalid(
        body_with(R"(,"experimentExecution":{"executionId":1,"executionId":2})"),
        "experimentExecution.executionId"
    );
}

TEST(SteadybitBody, WhatIsNotOneObjectIsRefused) {
    expect_invalid("[" + body_with() + "]", "");
    expect_invalid("null", "");
    for (const std::string& json :
         {std::string(),
          std::string("{"),
          body_with() + "x",
          body_with() + body_with(),
          body_with(","),
          body_with(R"(,"x":nul)"),
          body_with(R"(,"executionId":01)"),
          body_with(R"(,"experimentExecution":{"executionId":1 2})"),
          body_with(",\"x\":\"\xff\""),
          body_with(R"(,"x":)" + std::string(5'000, '[') + std::string(5'000, ']'))}) {
        expect_refused(json, Errc::bad_request, "");
    }
}

TEST(SteadybitBody, ReadsEscapedTexts) {
    Result<SteadybitBody> body = parse_steadybit_body(
        R"({"\u0069d":"da059724-a8ae-4b4b-b4f0-ee01898232d2","eventName":"a\/b","eventTime":)"
        R"("2021-09-01T12:00:00Z","tenant":{"key":"k\u00e9\ud83d\ude00"}})"
    );
    ASSERT_TRUE(body) << body.error().detail;
    EXPECT_EQ(body->event_name, "a/b");
    EXPECT_EQ(body->tenant_key, "k\xc3\xa9\xf0\x9f\x98\x80");
}

TEST(SteadybitBody, EverySpellingOfAUuidIsTheSameId) {
    const std::optional<Uuid> id = parse_uuid("da059724-a8ae-4b4b-b4f0-ee01898232d2");
    ASSERT_TRUE(id);
    for (const std::string_view text :
         {"da059724-a8ae-4b4b-b4f0-ee01898232d2",
          "DA059724-A8AE-4B4B-B4F0-EE01898232D2",
          "da059724A8ae4b4bb4f0ee01898232d2",
          "{da059724-a8ae-4b4b-b4f0-ee01898232d2}",
          "URN:uuid:da059724-a8ae-4b4b-b4f0-ee01898232d2"}) {
        EXPECT_EQ(parse_steadybit_uuid(text), id) << text;
    }
    for (const std::string_view text :
         {"", "da059724a8ae4b4bb4f0ee01898232dg", "{da059724a8ae4b4bb4f0ee01898232d2}"}) {
        EXPECT_EQ(parse_steadybit_uuid(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace belfry
