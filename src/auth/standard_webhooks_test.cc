#include "auth/standard_webhooks.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;

// The vector that the Standard Webhooks libraries test themselves with.
const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view kTimestamp = "1614265330";
constexpr std::chrono::sys_seconds kTime{1614265330s};
constexpr std::string_view kBody = R"({"test": 2432232314})";
constexpr std::string_view kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const std::string kOther = "whsec_" + std::string(40, 'A');

StandardWebhooks with(std::vector<std::string> secrets) {
    return StandardWebhooks::with(secrets).value();
}

Result<void> check(
    const WebhookHeaders& headers, std::string_view body = kBody, WallTime now = kTime
) {
    return with({kSecret}).verify(headers, body, now);
}

TEST(StandardWebhooks, SignsThePublishedVector) {
    EXPECT_EQ(with({kSecret}).sign(kId, kTime, kBody), kSignature);
}

TEST(StandardWebhooks, SignsAnEmptyBody) {
    std::string signature = with({kSecret}).sign("id", kTime, "");
    EXPECT_TRUE(check({"id", kTimestamp, signature}, "").has_value());
    EXPECT_FALSE(check({"id", kTimestamp, signature}, " ").has_value());
}

TEST(StandardWebhooks, SignsWithEverySecretWhileRotating) {
    std::string both = with({kOther, kSecret}).sign(kId, kTime, kBody);
    EXPECT_EQ(both, with({kOther}).sign(kId, kTime, kBody) + " " + std::string(kSignature));
    WebhookHeaders headers{kId, kTimestamp, both};
    EXPECT_TRUE(with({kSecret}).verify(headers, kBody, kTime).has_value());
    EXPECT_TRUE(with({kOther}).verify(headers, kBody, kTime).has_value());
}

TEST(StandardWebhooks, WithoutASecretSignsNothing) {
    EXPECT_FALSE(with({}).signs());
    EXPECT_EQ(with({}).sign(kId, kTime, kBody), "");
    EXPECT_FALSE(with({}).verify({kId, kTimestamp, kSignature}, kBody, kTime).has_value());
}

TEST(StandardWebhooks, RefusesWhatIsNoSecret) {
    std::vector<std::string> bad{"whsec_AAAA"};
    EXPECT_EQ(StandardWebhooks::with(bad).error().code, Errc::bad_request);
}

TEST(StandardWebhooks, VerifiesThePublishedVector) {
    EXPECT_TRUE(check({kId, kTimestamp, kSignature}).has_value());
    EXPECT_TRUE(check({kId, kTimestamp, "v2,zzz v1a,x " + std::string(kSignature)}).has_value())
        << "other versions are passed over";
}

TEST(StandardWebhooks, DeniesWhatWasChanged) {
    EXPECT_FALSE(check({"msg_other", kTimestamp, kSignature}).has_value());
    EXPECT_FALSE(check({kId, "1614265331", kSignature}).has_value());
    EXPECT_FALSE(check({kId, kTimestamp, kSignature}, "{}").has_value());
    EXPECT_FALSE(with({kOther}).verify({kId, kTimestamp, kSignature}, kBody, kTime).has_value());
    std::string flipped(kSignature);
    flipped[10] = flipped[10] == 'A' ? 'B' : 'A';
    Result<void> result = check({kId, kTimestamp, flipped});
    EXPECT_EQ(result.error().code, Errc::denied);
    EXPECT_EQ(result.error().detail, "no signature matches");
}

TEST(StandardWebhooks, DeniesSignaturesOfAnotherForm) {
    std::string bare(kSignature.substr(3));
    std::string versioned = "v2," + bare;
    std::string shortened(kSignature.substr(0, 20));
    std::string padded = std::string(kSignature) + "=";
    for (std::string_view bad :
         {std::string_view(""),
          std::string_view("v1,"),
          std::string_view(bare),
          std::string_view(versioned),
          std::string_view(shortened),
          std::string_view(padded)}) {
        EXPECT_FALSE(check({kId, kTimestamp, bad}).has_value()) << bad;
    }
    std::string many;
    for (int i = 0; i < 16; ++i) {
        many += "v1,x ";
    }
    EXPECT_FALSE(check({kId, kTimestamp, many + std::string(kSignature)}).has_value())
        << "reads sixteen at most";
}

TEST(StandardWebhooks, HoldsTimestampsToTheTolerance) {
    auto at = [](std::chrono::seconds shift) {
        return check({kId, kTimestamp, kSignature}, kBody, WallTime(kTime) + shift).has_value();
    };
    EXPECT_TRUE(at(300s));
    EXPECT_TRUE(at(-300s));
    EXPECT_FALSE(at(301s)) << "an old copy";
    EXPECT_FALSE(at(-301s)) << "from the future";
    for (std::string_view bad :
         {"",
          "x",
          "-1614265330",
          "+1614265330",
          "01614265330",
          "1614265330.0",
          " 1614265330",
          "99999999999999999999",
          "9223372036854775807"}) {
        EXPECT_EQ(check({kId, bad, kSignature}).error().code, Errc::denied) << bad;
    }
    EXPECT_FALSE(check({"", kTimestamp, kSignature}).has_value());
}

}  // namespace
}  // namespace belfry
