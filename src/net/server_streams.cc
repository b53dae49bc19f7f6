// The streams of a ServerConnection: answers that have begun and end when their handler says so.
#include "base/assert.h"
#include "net/server_connection.h"

#include <utility>

namespace belfry {

void ServerConnection::begin_stream(std::uint64_t request, const HttpResponse& head) {
    const Hold hold(*this);
    ResponseQueue::Slot* slot = unanswered(request);
    if (slot == nullptr) {
        return;
    }
    ASSERT(!slot->stream);
    slot->stream = true;
    if (slot->http_1_0) {
        slot->close = true;
        reading_ = false;
    }
    append_answer(*slot, head);
    if (slot->is_head) {
        slot->answered = true;
    } else {
        ++streams_;
        paused_ |= !buffered_.empty();
    }
    promote();
    if (!in_burst_) {
        settle();
    }
}

bool ServerConnection::write(std::uint64_t request, const StreamPiece& piece) {
    const Hold hold(*this);
    ResponseQueue::Slot* slot = unanswered(request);
    if (slot == nullptr) {
        return false;
    }
    ASSERT(slot->stream);
    const std::string_view bytes = slot->http_1_0 ? piece.text() : piece.chunk();
    if (bytes.empty()) {
        return true;
    }
    if (!slots_.is_front(*slot)) {
        slot->bytes += bytes;
        waiting_bytes_ += bytes.size();
    } else if (unsent() > 0) {
        out_ += bytes;
    } else {
        const Socket::Io io = socket_.write(bytes);
        if (io == Socket::Io::failed) {
            slot->on_gone = {};  // the caller learns it now
            close(true);
            return false;
        }
        const std::size_t done = io == Socket::Io::done ? socket_.bytes() : 0;
        ++server_.status.sends;
        server_.status.bytes_out += done;
        if (done == bytes.size()) {
            return true;
        }
        out_ = bytes.substr(done);
        sent_ = 0;
        update_interest();
        update_deadline();
    }
    if (unsent() + waiting_bytes_ > server_.limits.stream_buffer_bytes) {
        slot->on_gone = {};
        close(true);
        return false;
    }
    return true;
}

void ServerConnection::end_stream(std::uint64_t request) {
    const Hold hold(*this);
    --exchanges_;
    if (ResponseQueue::Slot* slot = unanswered(request)) {
        ASSERT(slot->stream);
        append_end(*slot);
        stream_is_over(*slot);
    }
}

void ServerConnection::append_end(ResponseQueue::Slot& slot) {
    if (slot.http_1_0) {
        return;  // whose answer ends with the connection
    }
    if (slots_.is_front(slot)) {
        out_ += StreamPiece::kEnd;
    } else {
        slot.bytes += StreamPiece::kEnd;
        waiting_bytes_ += StreamPiece::kEnd.size();
    }
}

void ServerConnection::stream_is_over(ResponseQueue::Slot& slot) {
    --streams_;
    slot.on_gone = {};
    slot.on_drained = {};
    slot.answered = true;
    promote();
    answers_changed();
}

std::size_t ServerConnection::unsent(std::uint64_t request) const {
    auto& slots = const_cast<ResponseQueue&>(slots_);
    ResponseQueue::Slot* slot = open_ ? slots.find(request) : nullptr;
    if (slot == nullptr) {
        return 0;
    }
    return slots.is_front(*slot) ? unsent() : slot->bytes.size();
}

void ServerConnection::on_drained(std::uint64_t request, std::move_only_function<void()> callback) {
    if (ResponseQueue::Slot* slot = unanswered(request)) {
        slot->on_drained = std::move(callback);
        if (unsent(request) == 0) {
            answers_changed();  // nothing else would bring it up
        }
    }
}

// A stream that has written ahead of its client goes on.
void ServerConnection::tell_drained() {
    if (unsent() == 0 && !slots_.empty() && slots_.front().on_drained) {
        std::exchange(slots_.front().on_drained, {})();
    }
}

// A writer that waits for its client is in the middle of something, and a client that has not taken
// what was written will not take the end: these are cut.
void ServerConnection::stop_stream() {
    ResponseQueue::Slot& oldest = slots_.front();
    const bool can_end = oldest.stream && !oldest.on_drained;
    if (can_end) {
        append_end(oldest);
    }
    flush();
    if (open_ && can_end && unsent() == 0) {
        socket_.finish_writing();
    }
    close(true);
}

}  // namespace belfry
