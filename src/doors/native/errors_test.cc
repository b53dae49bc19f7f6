#include "doors/native/errors.h"

#include "doors/error_answer.h"
#include "doors/recording_connection.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

RecordingConnection::Answer answer_to(const Error& error) {
    RecordingConnection connection;
    auto [exchange, number] = connection.open();
    answer_error(exchange, error);
    return connection.answer(number);
}

TEST(Problem, EveryCodeHasAnErrorStatusOfItsOwnKind) {
    for (const ErrcInfo& info : errc_table()) {
        int status = http_status(info.code);
        EXPECT_GE(status, 400) << info.name;
        EXPECT_EQ(answer_to(Error{.code = info.code, .detail = "d"}).status, status) << info.name;
    }
    EXPECT_EQ(http_status(Errc::disk_full), 507);
    EXPECT_EQ(http_status(Errc::offset_expired), 410);
    EXPECT_EQ(http_status(Errc::precondition_failed), 412);
}

TEST(Problem, HasEveryMemberThatIsKnown) {
    Error error{
        .code = Errc::too_large, .detail = "too \"big\"", .field = "data", .limit = 5, .index = 2
    };
    EXPECT_EQ(
        problem_json(error, 413),
        R"({"type":"about:blank","title":")" + std::string(reason_phrase(413)) +
            R"(","status":413,"code":"too_large",)"
            R"("detail":"too \"big\"","field":"data","limit":5,"index":2})"
    );
    Error expired{.code = Errc::offset_expired, .detail = "d"};
    expired.first_offset = 9;
    EXPECT_TRUE(problem_json(expired, 410).ends_with(R"("detail":"d","first":9})"));
}

TEST(Problem, WhatNamesFilesStaysInside) {
    for (Errc code : {Errc::internal, Errc::disk_full, Errc::outcome_unknown, Errc::read_only}) {
        auto answer =
            answer_to(Error{.code = code, .detail = "write /var/lib/belfry/log: I/O error"});
        EXPECT_FALSE(answer.body.contains("/var/lib")) << answer.body;
        EXPECT_TRUE(answer.body.contains(errc_name(code)));
    }
}

TEST(Problem, SaysWhenToComeBackAndHowToSignIn) {
    for (Errc code :
         {Errc::overloaded,
          Errc::rate_limited,
          Errc::unavailable,
          Errc::disk_full,
          Errc::outcome_unknown,
          Errc::read_only}) {
        EXPECT_TRUE(answer_to(Error{.code = code}).headers.contains("Retry-After: "))
            << errc_name(code);
    }
    EXPECT_FALSE(answer_to(Error{.code = Errc::bad_request}).headers.contains("Retry-After"));
    EXPECT_TRUE(
        answer_to(Error{.code = Errc::unauthenticated}).headers.contains("WWW-Authenticate: Bearer")
    );
}

TEST(Problem, CarriesTheSecurityHeaders) {
    auto answer = answer_to(Error{.code = Errc::not_found, .detail = "d"});
    EXPECT_EQ(answer.content_type, "application/problem+json");
    EXPECT_EQ(answer.headers, "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n");
}

TEST(Problem, ARefusalKeepsTheStatusThatHttpDemands) {
    RecordingConnection connection;
    auto [exchange, number] = connection.open();
    const HttpRequest request;
    DoorRefusal refusal{
        .request = request,
        .at = RefusedAt::framing,
        .error = {.code = Errc::bad_request, .detail = "d"},
        .status = 431
    };
    refuse_natively(refusal, std::move(exchange));
    EXPECT_EQ(connection.answer(number).status, 431);
    auto [second, second_number] = connection.open();
    DoorRefusal second_refusal{
        .request = request,
        .at = RefusedAt::route,
        .error = {.code = Errc::method_not_allowed},
        .status = 405,
        .allow = "GET"
    };
    refuse_natively(second_refusal, std::move(second));
    EXPECT_TRUE(connection.answer(second_number).headers.ends_with("Allow: GET\r\n"));
}

}  // namespace
}  // namespace belfry
