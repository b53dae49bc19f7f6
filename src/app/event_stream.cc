#include "app/event_stream.h"

namespace belfry {

bool EventStreamReader::feed(
    std::string_view bytes, const std::function<void(const StreamEvent&)>& on_event
) {
    for (char c : bytes) {
        if (broken_) {
            return false;
        }
        // A line ends by CR, LF or both.
        if (c == '\n' && after_cr_) {
            after_cr_ = false;
            continue;
        }
        after_cr_ = c == '\r';
        if (c == '\n' || c == '\r') {
            take_line(on_event);
            line_.clear();
            continue;
        }
        line_ += c;
        broken_ = line_.size() + event_.data.size() > bytes_max_;
    }
    return !broken_;
}

void EventStreamReader::reset() {
    line_.clear();
    after_cr_ = false;
    broken_ = false;
    has_data_ = false;
    event_ = {};
    id_ = last_id_;
}

void EventStreamReader::take_line(const std::function<void(const StreamEvent&)>& on_event) {
    if (line_.empty()) {
        last_id_ = id_;
        if (has_data_) {
            on_event(event_);
        }
        has_data_ = false;
        event_ = {};
        return;
    }
    std::size_t colon = line_.find(':');
    std::string_view name = std::string_view(line_).substr(0, colon);
    std::string_view value;
    if (colon != std::string::npos) {
        value = std::string_view(line_).substr(colon + 1);
        if (value.starts_with(' ')) {
            value.remove_prefix(1);
        }
    }
    if (name == "data") {
        if (has_data_) {
            event_.data += '\n';
        }
        event_.data += value;
        has_data_ = true;
    } else if (name == "event") {
        event_.event = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        id_ = value;
    }
}

}  // namespace belfry
