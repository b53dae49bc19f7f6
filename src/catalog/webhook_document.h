// The `sink` member of a subscription whose kind is webhook: its check on the way in, its text on
// the way out.
#pragma once

#include "base/json.h"
#include "catalog/document_form.h"
#include "catalog/subscription.h"

#include <string>
#include <string_view>

namespace belfry {

// {"username","password"}, as HTTP can carry them.
[[nodiscard]] BasicAuth read_basic(JsonObjectReader& reader);

// Reads the members beside `kind`; what is wrong is noted in `reader`. Checked: the URL
// (base/url.h; http only), that headers are well-formed and none of those that Belfry writes
// itself, that credentials can stand in a header or a form, that secrets are `whsec_` and Base64 of
// 24 to 64 bytes.
[[nodiscard]] WebhookSink read_webhook(JsonObjectReader& reader, DocumentForm form);

// Appends the object, `kind` included.
void append_webhook(std::string& out, const WebhookSink& sink, DocumentForm form);

// Whether a subscription may set this header: a token of RFC 9110 that neither frames the message
// nor is written by Belfry. bad_request says why not.
[[nodiscard]] Result<void> check_header_name(std::string_view name);
[[nodiscard]] Result<void> check_header_value(std::string_view value);

}  // namespace belfry
