// Server-sent events, the reading side: bytes in, events out (HTML Living Standard, 9.2). One
// thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace belfry {

struct StreamEvent {
    std::string event;  // empty: a plain one
    std::string data;   // lines joined by "\n"
};

class EventStreamReader {
 public:
    // Past `bytes_max` for one event the stream is broken.
    explicit EventStreamReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // Calls `on_event` for every event that is complete; the bytes may end anywhere. False once an
    // event was larger than allowed; nothing more is read then.
    bool feed(std::string_view bytes, const std::function<void(const StreamEvent&)>& on_event);
    // The last id that came in a whole event, with data or without; where to go on.
    [[nodiscard]] const std::string& last_id() const { return last_id_; }
    // A new connection: the id stays, half an event does not.
    void reset();

 private:
    void take_line(const std::function<void(const StreamEvent&)>& on_event);

    std::size_t bytes_max_;
    std::string line_;
    bool after_cr_ = false;
    bool broken_ = false;
    bool has_data_ = false;
    StreamEvent event_;
    std::string id_;  // of the event being read
    std::string last_id_;
};

}  // namespace belfry
