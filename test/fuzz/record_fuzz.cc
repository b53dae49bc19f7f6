// The body of a record: any bytes may stand on a damaged disk. What decodes must encode to a record
// that decodes to the same event, in the size that was foretold.
#include "base/assert.h"
#include "event/cloudevents_http.h"
#include "event/cloudevents_json.h"
#include "event/record.h"

#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace belfry;
    const auto stored = decode_record(std::as_bytes(std::span(data, size)), Offset{17}, nullptr);
    if (!stored) {
        return 0;
    }
    const Event& event = stored->event;
    std::vector<std::byte> bytes;
    encode_record(event, stored->recorded, stored->uuid_low, bytes);
    ASSERT(bytes.size() == record_size(event));
    const auto again = decode_record(bytes, Offset{17}, nullptr);
    ASSERT(again.has_value());
    ASSERT(again->recorded == stored->recorded && again->uuid() == stored->uuid());
    const Event& back = again->event;
    ASSERT(back.tenant == event.tenant && back.id == event.id && back.source == event.source);
    ASSERT(back.type == event.type && back.subject == event.subject && back.time == event.time);
    ASSERT(back.datacontenttype == event.datacontenttype && back.dataschema == event.dataschema);
    ASSERT(back.extensions == event.extensions && back.data == event.data);

    // The writers must stand anything that a record can hold, checked or not.
    std::string out;
    append_event_json(*stored, LogMembers::add, out);
    append_binary_headers(*stored, out);
    ASSERT(!out.empty());
    return 0;
}
