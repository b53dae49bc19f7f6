// What a listener answers, and what a stranger's signature headers say. A wait stays within its
// bounds, a kept answer is UTF-8, and nothing but a signature made with the secret is accepted.
#include "auth/standard_webhooks.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "sinks/readable_text.h"
#include "sinks/webhook_outcome.h"

#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const WallTime now{std::chrono::seconds(1'767'225'600)};
    const std::size_t line = std::min(text.find('\n'), text.size());

    HttpReply reply;
    reply.status = 503;
    reply.headers = {{"retry-after", std::string(text.substr(0, line))}};
    reply.body = text;
    const Outcome outcome = webhook_outcome(reply, now);
    ASSERT(outcome.retry_after.has_value() == (outcome.kind == Outcome::Kind::wait));
    if (outcome.retry_after) {
        ASSERT(*outcome.retry_after >= std::chrono::seconds(1));
        ASSERT(*outcome.retry_after <= std::chrono::hours(24));
    }
    ASSERT(is_utf8(outcome.response));
    if (is_utf8(text)) {
        ASSERT(readable_text(text, text.size()) == text);
    }

    const std::vector<std::string> secrets{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    static const StandardWebhooks receiver = StandardWebhooks::with(secrets).value();
    const std::string_view rest = text.substr(std::min(line + 1, text.size()));
    const auto accepted = receiver.verify({"id", text.substr(0, line), rest}, text, now);
    ASSERT(!accepted.has_value());
    return 0;
}
