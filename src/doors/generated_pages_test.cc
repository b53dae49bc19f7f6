#include "base/error.h"
#include "base/fixed_limits.h"
#include "base/limits.h"
#include "doors/error_answer.h"
#include "doors/generated_page.h"
#include "doors/native/errors.h"
#include "doors/native/native_door_fixture.h"

#include <fmt/format.h>

namespace belfry {
namespace {

std::string errors_page() {
    std::string page =
        "# Errors\n\n"
        "Made from the table in src/base/error.cc; a test holds this page against it.\n\n"
        "Whatever Belfry's own API cannot do it answers as `application/problem+json` (RFC 9457) "
        "with `type`, `title`,\n"
        "`status`, `code` and `detail`, and where they help `field` (the parameter, header or "
        "member at fault), `limit`\n"
        "(the limit that was passed), `index` (the bad event of a batch, from 0) and `first` "
        "(where the log starts now).\n"
        "`code` is stable; `detail` is for people and may change. Statuses 429, 503 and 507 come "
        "with `Retry-After`.\n"
        "Doors of other contracts keep the words of those contracts.\n\n"
        "| code | status | what happened | what to do |\n|---|---|---|---|\n";
    for (const ErrcInfo& info : errc_table()) {
        page += fmt::format(
            "| `{}` | {} | {} | {} |\n",
            info.name,
            http_status(info.code),
            info.meaning,
            info.next_step
        );
    }
    return page;
}

std::string_view unit_text(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::bytes:
            return "bytes";
        case LimitUnit::count:
            return "";
        case LimitUnit::milliseconds:
            return "ms";
    }
    return "";
}

std::string limits_page() {
    std::string page =
        "# Limits\n\n"
        "Made from the table in src/base/limits.h; a test holds this page against it.\n\n"
        "Every input has a bound. Each is a setting of the same name (`limits.body_bytes`, or "
        "`BELFRY_LIMITS__BODY_BYTES`\n"
        "in the environment), `GET /api/v1/limits` shows the values in force, and most answers "
        "that refuse because of one\n"
        "give its value in `limit`.\n\n"
        "| setting | default | bounds |\n|---|---|---|\n";
    Limits defaults;
    for (const LimitInfo& info : limit_table()) {
        std::string value = std::to_string(defaults.*info.member);
        if (info.unit != LimitUnit::count) {
            value += " " + std::string(unit_text(info.unit));
        }
        page += fmt::format("| `limits.{}` | {} | {} |\n", info.name, value, info.text);
    }
    page +=
        "\n## Fixed\n"
        "These are no settings (src/base/fixed_limits.h).\n\n"
        "| bound | of |\n|---|---|\n";
    for (const FixedLimitInfo& info : kFixedLimits) {
        page += fmt::format("| {} | {} |\n", info.value, info.text);
    }
    return page;
}

TEST(GeneratedPages, ErrorsAreThoseOfTheCode) {
    expect_page_is_current("errors.md", errors_page());
}

TEST(GeneratedPages, LimitsAreThoseOfTheCode) {
    expect_page_is_current("limits.md", limits_page());
}

class GeneratedPagesOfTheHub : public NativeDoorTest {};

TEST_F(GeneratedPagesOfTheHub, OpenApiIsThatOfTheRoutes) {
    expect_page_is_current("openapi.json", get("/openapi.json").body);
}

}  // namespace
}  // namespace belfry
