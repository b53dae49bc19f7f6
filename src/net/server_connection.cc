// The answering half of a ServerConnection: answers in, bytes out, and its end.
#include "net/server_connection.h"

#include "base/assert.h"
#include "base/fixed_limits.h"
#include "net/response_writer.h"

#include <algorithm>
#include <sys/socket.h>
#include <utility>

namespace belfry {
namespace {

constexpr Duration kLingerSilence = std::chrono::seconds(2);
constexpr Duration kLingerTime = std::chrono::seconds(30);
constexpr std::size_t kKeptOutBytes = 1024;
constexpr std::size_t kSentAtOnce = 16 * 1024;   // bodies of answers, uncopied if they can
constexpr std::size_t kSmallAnswer = 64 * 1024;  // is kept even when there is no room for others
constexpr Duration kPaceCheck = std::chrono::seconds(1);
constexpr std::string_view kPlainHttp =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n"
    "Connection: close\r\n\r\nthis port speaks https: ask again with it\n";

const HttpResponse kTooBusy{
    .status = 503, .content_type = {}, .headers = "Retry-After: 1\r\n", .body = {}
};

Duration milliseconds(std::uint64_t count) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

}  // namespace

ServerConnection::ServerConnection(ServerContext& server, int descriptor, const SocketAddress& peer)
    : HttpConnection(server.status.accepted),
      server_(server),
      socket_(descriptor),
      peer_(peer.host()),
      peer_is_loopback_(peer.is_loopback()) {}

void ServerConnection::start() {
    const Hold hold(*this);
    watched_ = server_.poller.add(socket_.descriptor(), EPOLLIN, this);
    interest_ = EPOLLIN;
    if (!watched_) {
        close(false);
        return;
    }
    if (server_.tls != nullptr) {
        socket_.begin_tls_server(server_.tls);
        handshaking_ = true;
        head_since_ = server_.now;
        ++server_.handshakes;
    }
    update_deadline();
}

void ServerConnection::shake_hands() {
    switch (socket_.handshake()) {
        case Socket::Io::done:
            end_handshake();
            break;
        case Socket::Io::again:
            break;
        case Socket::Io::closed:
        case Socket::Io::failed:
            server_.status.refused.add(RefusalReason::tls);
            if (socket_.peer_spoke_http()) {
                // Best effort, for the person who typed http instead of https.
                [[maybe_unused]] const auto sent = ::send(
                    socket_.descriptor(),
                    kPlainHttp.data(),
                    kPlainHttp.size(),
                    MSG_DONTWAIT | MSG_NOSIGNAL
                );
            }
            close(false);
            break;
    }
}

void ServerConnection::end_handshake() {
    if (std::exchange(handshaking_, false)) {
        --server_.handshakes;
    }
}

// Only the last of holds, exchanges and the open socket to go deletes.
void ServerConnection::reap() {
    if (exchanges_ == 0) {
        delete this;
        return;
    }
    give_back(buffered_);
    give_back(out_);
    pending_.reset();
}

// What it holds in memory for its peer, as capacities, because those are what is taken.
void ServerConnection::count_bytes() {
    std::size_t bytes = buffered_.capacity() + out_.capacity() + waiting_bytes_;
    if (pending_) {
        bytes += pending_->head.capacity() + pending_->body.capacity();
    }
    server_.bytes_in_flight += bytes;
    server_.bytes_in_flight -= std::exchange(counted_bytes_, bytes);
}

void ServerConnection::close(bool tell) {
    if (!open_) {
        return;
    }
    const Hold hold(*this);
    open_ = false;
    end_handshake();
    if (watched_) {
        server_.poller.remove(socket_.descriptor(), this);
    }
    socket_.close();
    server_.bytes_in_flight -= std::exchange(counted_bytes_, 0);
    server_.forget(*this);
    drop_slots(tell);
}

// Whatever their handlers do: these find neither slots nor answers that could leave.
void ServerConnection::drop_slots(bool tell) {
    ResponseQueue unanswered = std::exchange(slots_, {});
    waiting_bytes_ = 0;
    unanswered.for_each([tell](ResponseQueue::Slot& slot) {
        if (tell && slot.on_gone) {
            slot.on_gone();
        }
    });
}

void ServerConnection::on_ready(std::uint32_t events) {
    const Hold hold(*this);
    if (lingering_) {
        linger();
        return;
    }
    if (handshaking_) {
        shake_hands();
    } else if ((events & EPOLLIN) != 0) {
        read();
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        close(true);
    } else if ((events & EPOLLRDHUP) != 0) {
        peer_finished();
    }
    settle();
}

void ServerConnection::flush_turn() {
    const Hold hold(*this);
    settle();
}

// nullptr if no answer can leave any more.
ResponseQueue::Slot* ServerConnection::unanswered(std::uint64_t request) {
    ResponseQueue::Slot* slot = open_ && !finish_ ? slots_.find(request) : nullptr;
    return slot != nullptr && !slot->answered ? slot : nullptr;
}

// --- Answers

void ServerConnection::respond(std::uint64_t request, const HttpResponse& response) {
    const Hold hold(*this);
    --exchanges_;
    ResponseQueue::Slot* slot = unanswered(request);
    if (slot == nullptr) {
        return;
    }
    ASSERT(!slot->stream);
    append_answer(*slot, is_too_much(*slot, response) ? kTooBusy : response);
    slot->on_gone = {};  // the answer may wait for older ones, but who gave it is done
    slot->answered = true;
    promote();
    answers_changed();
}

// Only a page that was read may be refused after it was made; an answer that says what was done
// must reach its peer.
bool ServerConnection::is_too_much(const ResponseQueue::Slot& slot, const HttpResponse& response)
    const {
    return slot.is_get && response.body.size() > kSmallAnswer && server_.is_crowded();
}

void ServerConnection::append_answer(ResponseQueue::Slot& slot, const HttpResponse& response) {
    slot.close |= response.close || (!reading_ && !pending_ && slots_.is_back(slot));
    std::string& out = slots_.is_front(slot) ? out_ : slot.bytes;
    const std::size_t before = out.size();
    ResponseFraming framing;
    framing.date_line = server_.date_line;
    framing.close = slot.close;
    framing.http_1_0 = slot.http_1_0;
    framing.stream = slot.stream;
    append_response_head(out, response, framing);
    if (!slot.stream && !slot.is_head && status_has_body(response.status)) {
        const bool is_next = &out == &out_ && sent_ == 0 && before == 0;
        const bool at_once = is_next && response.body.size() >= kSentAtOnce;
        out += at_once ? send_at_once(response.body) : response.body;
    }
    if (&out != &out_) {
        waiting_bytes_ += out.size() - before;
    }
}

// Sends the head in out_ and the body without a copy of that, and gives what is left of the body.
// Were it kept until the turn ends, an event that many wait for would fill the memory with copies
// of one answer. A failure is left for the next write to find.
std::string_view ServerConnection::send_at_once(std::string_view body) {
    if (socket_.write(out_, body) != Socket::Io::done) {
        return body;
    }
    std::size_t done = socket_.bytes();
    if (done < out_.size()) {
        sent_ = done;
    } else {
        body.remove_prefix(done - out_.size());
        out_.clear();
        // TLS takes one piece at a time.
        if (socket_.is_tls() && socket_.write(body) == Socket::Io::done) {
            body.remove_prefix(socket_.bytes());
            done += socket_.bytes();
        }
    }
    ++server_.status.sends;
    server_.status.bytes_out += done;
    return body;
}

// Lets the answers leave that nothing older holds back any more.
void ServerConnection::promote() {
    while (!finish_ && !slots_.empty() && slots_.front().answered) {
        finish_ = slots_.front().close;
        slots_.pop();
        if (finish_) {
            reading_ = false;
            pending_.reset();
        } else if (!slots_.empty()) {
            std::string& bytes = slots_.front().bytes;
            waiting_bytes_ -= bytes.size();
            out_ += bytes;
            give_back(bytes);
        }
    }
    finish_ |= slots_.empty() && !reading_ && !pending_;
    send_continue();
}

void ServerConnection::send_continue() {
    if (pending_ && pending_->continue_is_due && slots_.empty()) {
        pending_->continue_is_due = false;
        out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    }
}

void ServerConnection::answers_changed() {
    if (!in_burst_ && !flush_is_due) {
        server_.flush_later(*this);
    }
}

bool ServerConnection::alive(std::uint64_t request) const {
    return const_cast<ServerConnection*>(this)->unanswered(request) != nullptr;
}

void ServerConnection::on_gone(std::uint64_t request, std::move_only_function<void()> callback) {
    if (ResponseQueue::Slot* slot = unanswered(request)) {
        slot->on_gone = std::move(callback);
    }
}

void ServerConnection::dropped(std::uint64_t request) {
    const Hold hold(*this);
    ResponseQueue::Slot* slot = unanswered(request);
    if (slot != nullptr && slot->stream) {
        --exchanges_;
        slot->close = true;  // without the last chunk: it was cut
        stream_is_over(*slot);
        return;
    }
    respond(request, HttpResponse{500, {}, {}, {}, false});
}

// --- Sending

// After anything happened: send, take up requests that waited for that, and say what to be told of
// next.
void ServerConnection::settle() {
    while (open_ && !lingering_) {
        flush();
        if (!open_ || !paused_ || must_pause()) {
            break;
        }
        head_since_ = server_.now;  // what waited was not its sender's fault
        consume(buffered_);
    }
    if (!open_ || lingering_) {
        return;
    }
    if (finish_ && unsent() == 0) {
        begin_linger();
        return;
    }
    update_interest();
    update_deadline();
    tell_drained();
}

void ServerConnection::flush() {
    while (unsent() > 0) {
        const Socket::Io io = socket_.write(std::string_view(out_).substr(sent_));
        if (io != Socket::Io::done) {
            if (io != Socket::Io::again) {
                close(true);
            }
            return;
        }
        ++server_.status.sends;
        server_.status.bytes_out += socket_.bytes();
        sent_ += socket_.bytes();
        sent_since_ += socket_.bytes();
    }
    sent_ = 0;
    const bool streams = !slots_.empty() && slots_.front().stream;
    if (out_.capacity() > kKeptOutBytes || streams) {
        give_back(out_);
    } else {
        out_.clear();
    }
}

void ServerConnection::update_interest() {
    std::uint32_t wanted = unsent() > 0 ? EPOLLOUT : 0U;
    if (handshaking_) {
        wanted = socket_.wants_write() ? EPOLLOUT : EPOLLIN;
    } else if (lingering_ || (reading_ && !paused_ && streams_ == 0)) {
        wanted |= EPOLLIN;
    } else if ((!reading_ || streams_ > 0) && !peer_finished_) {
        wanted |= EPOLLRDHUP;
    }
    // Errors and hang-ups are told even of an empty set.
    if (wanted != interest_) {
        server_.poller.change(socket_.descriptor(), wanted, this);
        interest_ = wanted;
    }
}

// --- The end

// Closing with unread bytes in the socket would reset the connection and take the answer with it.
// So who still sends what was refused may do so for a while. What was asked behind the last answer
// gets none.
void ServerConnection::begin_linger() {
    ASSERT(!pending_);
    if (peer_finished_) {
        close(true);
        return;
    }
    socket_.finish_writing();
    lingering_ = true;
    server_.update_time();
    linger_since_ = server_.now;
    server_.set_deadline(index, linger_since_ + kLingerSilence);
    give_back(buffered_);
    give_back(out_);
    update_interest();
    drop_slots(true);
}

void ServerConnection::linger() {
    auto& buffer = server_.read_buffer;
    const Socket::Io io = socket_.read(buffer.data(), buffer.size());
    if (io == Socket::Io::again) {
        return;
    }
    linger_bytes_ += socket_.bytes();
    if (io != Socket::Io::done || linger_bytes_ > kLingerBytesMax) {
        close(true);
        return;
    }
    if (!server_.stopping) {
        server_.update_time();
        server_.set_deadline(
            index, std::min(server_.now + kLingerSilence, linger_since_ + kLingerTime)
        );
    }
}

void ServerConnection::begin_stop() {
    const Hold hold(*this);
    if (lingering_ || (!pending_ && slots_.empty() && unsent() == 0)) {
        close(true);
    } else if (streams_ > 0 && !finish_) {
        stop_stream();
    } else {
        reading_ = pending_ != nullptr;
        promote();
        settle();
    }
}

// --- Time

void ServerConnection::update_deadline() {
    const Limits& limits = server_.limits;
    MonoTime deadline = server_.now + milliseconds(limits.idle_ms);
    if (handshaking_) {
        deadline = head_since_ + milliseconds(limits.tls_handshake_ms);
    } else if (pending_) {
        deadline = pending_->next_check;
    } else if (reading_ && !buffered_.empty() && !paused_) {
        deadline = head_since_ + milliseconds(limits.header_read_ms);
    } else if (unsent() > 0) {
        deadline = answers_deadline();
    } else if (!slots_.empty()) {
        const ResponseQueue::Slot& oldest = slots_.front();
        deadline = oldest.waits || oldest.stream ? MonoTime::max()
                                                 : oldest.since + milliseconds(limits.request_ms);
    }
    if (unsent() == 0) {
        unsent_since_ = {};
        sent_since_ = 0;
    }
    server_.set_deadline(index, deadline);
}

// A peer may take nothing for a while, but not a byte now and then for as long as it likes.
MonoTime ServerConnection::answers_deadline() {
    const Limits& limits = server_.limits;
    if (unsent_since_ == MonoTime{}) {
        unsent_since_ = server_.now;
    }
    const std::uint64_t earned_ms =
        sent_since_ * 1000 / std::max<std::uint64_t>(limits.body_rate_bytes, 1);
    return std::min(
        server_.now + milliseconds(limits.request_ms),
        unsent_since_ + milliseconds(limits.request_ms + earned_ms)
    );
}

void ServerConnection::on_deadline(MonoTime now) {
    const Hold hold(*this);
    if (pending_) {
        check_body_pace(now);
    } else if (!lingering_ && reading_ && !buffered_.empty() && !paused_) {
        HttpRequest unknown;
        unknown.peer = peer_;
        unknown.peer_is_loopback = peer_is_loopback_;
        refuse(408, Error{Errc::bad_request, "the request's head did not come in time"}, unknown);
        give_back(buffered_);
    } else if (lingering_ || unsent() > 0 || slots_.empty()) {
        close(true);
    } else {
        answer_overdue();
    }
    settle();
}

void ServerConnection::check_body_pace(MonoTime now) {
    const Limits& limits = server_.limits;
    const Duration elapsed = now - pending_->since;
    const Duration counted = elapsed - milliseconds(limits.body_grace_ms);
    const double wanted = static_cast<double>(limits.body_rate_bytes) *
                          std::chrono::duration<double>(counted).count();
    const bool slow =
        counted > Duration::zero() && static_cast<double>(pending_->body.size()) < wanted;
    if (slow || elapsed >= milliseconds(limits.request_ms)) {
        refuse_pending(408, Error{Errc::bad_request, "the request's body did not come in time"});
    } else {
        pending_->next_check = now + kPaceCheck;
    }
}

// The oldest handler did not answer. Its request is forgotten, so the answer is only a status.
void ServerConnection::answer_overdue() {
    ResponseQueue::Slot& oldest = slots_.front();
    std::move_only_function<void()> on_gone = std::move(oldest.on_gone);
    append_answer(oldest, HttpResponse{408, {}, {}, {}, true});
    oldest.answered = true;
    promote();
    if (on_gone) {
        on_gone();
    }
}

}  // namespace belfry
