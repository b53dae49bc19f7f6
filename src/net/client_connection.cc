#include "net/client_connection.h"

#include "base/assert.h"
#include "net/http_syntax.h"
#include "net/response_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace belfry {
namespace {

constexpr std::size_t kInterimAnswers = 16;
// What is read beyond the body limit, to keep the connection.
constexpr std::uint64_t kDroppedBytes = 1024 * 1024;

std::string error_text(int error) {
    std::string text = std::strerror(error);
    text[0] = ascii_lower(text[0]);
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), ascii_lower);
    return result;
}

}  // namespace

ClientConnection::~ClientConnection() {
    if (descriptor_ >= 0) {
        if (interest_ != 0) {
            client_.poller.remove(descriptor_, this);
        }
        ::close(descriptor_);
    }
}

bool ClientConnection::connect(const SocketAddress& address, ClientCall& call) {
    call_ = &call;
    call.connection = this;
    descriptor_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) {
        failure_ = error_text(errno);
        return false;
    }
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::connect(descriptor_, address.get(), address.size) != 0 && errno != EINPROGRESS) {
        failure_ = error_text(errno);
        return false;
    }
    if (!client_.poller.add(descriptor_, EPOLLOUT, this)) {
        failure_ = error_text(errno);
        return false;
    }
    interest_ = EPOLLOUT;
    return true;
}

void ClientConnection::watch(std::uint32_t events) {
    if (events != interest_) {
        client_.poller.change(descriptor_, events, this);
        interest_ = events;
    }
}

void ClientConnection::on_ready(std::uint32_t events) {
    const Outcome outcome = step(events);
    if (outcome != Outcome::more) {
        client_.on_outcome(*this, outcome);
    }
}

ClientConnection::Outcome ClientConnection::step(std::uint32_t events) {
    switch (at_) {
        case At::connecting:
            return finish_connecting();
        case At::idle:
            return Outcome::idle_ended;
        case At::head:
        case At::body:
            break;
    }
    if ((events & EPOLLOUT) != 0 && !send_rest()) {
        // The answer may be there all the same: a refusal sent before the request was read to its
        // end.
        const Outcome outcome = receive();
        return outcome == Outcome::more ? fail(error_text(send_error_)) : outcome;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        return receive();
    }
    return Outcome::more;
}

ClientConnection::Outcome ClientConnection::finish_connecting() {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        failure_ = error_text(error);
        return Outcome::connect_failed;
    }
    at_ = At::idle;
    return Outcome::connected;
}

// --- The request

bool ClientConnection::request_is_sent() const {
    return sent_ == call_->request.head.size() + call_->request.body.size();
}

void ClientConnection::send(ClientCall& call) {
    ASSERT(at_ == At::idle);
    at_ = At::head;
    call_ = &call;
    call.connection = this;
    got_bytes_ = false;
    sent_ = 0;
    interim_ = 0;
    reply_ = {};
    // A failure shows again when the socket is looked at: it is told from there, never from here.
    if (!send_rest()) {
        watch(EPOLLIN | EPOLLOUT);
    }
}

// False on failure.
bool ClientConnection::send_rest() {
    const HttpCall& request = call_->request;
    while (!request_is_sent()) {
        const std::size_t of_head = std::min(sent_, request.head.size());
        const std::size_t of_body = sent_ - of_head;
        // sendmsg does not write through these.
        std::array<iovec, 2> pieces{
            iovec{const_cast<char*>(request.head.data()) + of_head, request.head.size() - of_head},
            iovec{const_cast<char*>(request.body.data()) + of_body, request.body.size() - of_body}
        };
        msghdr bytes{};
        bytes.msg_iov = pieces.data();
        bytes.msg_iovlen = pieces.size();
        const ssize_t sent = ::sendmsg(descriptor_, &bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            watch(EPOLLIN | EPOLLOUT);
            return true;
        }
        if (sent < 0) {
            send_error_ = errno;
            return false;
        }
        sent_ += static_cast<std::size_t>(sent);
    }
    watch(EPOLLIN);
    return true;
}

// --- The answer

ClientConnection::Outcome ClientConnection::receive() {
    auto& buffer = client_.read_buffer;
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return Outcome::more;
        }
        return kept_ && !got_bytes_ ? Outcome::stale : fail(error_text(errno));
    }
    if (got == 0) {
        return peer_closed();
    }
    got_bytes_ = true;
    return take({buffer.data(), static_cast<std::size_t>(got)});
}

ClientConnection::Outcome ClientConnection::peer_closed() {
    if (!got_bytes_) {
        return kept_ ? Outcome::stale : fail("the connection was closed before an answer came");
    }
    if (at_ == At::body && ends_ == Ends::by_close) {
        return whole();
    }
    return fail("the connection was closed in the middle of the answer");
}

ClientConnection::Outcome ClientConnection::fail(std::string why) {
    failure_ = std::move(why);
    return Outcome::failed;
}

ClientConnection::Outcome ClientConnection::take(std::string_view bytes) {
    std::string joined;
    if (!buffered_.empty()) {
        joined = std::exchange(buffered_, {});
        joined += bytes;
        bytes = joined;
    }
    while (true) {
        std::size_t used = 0;
        const bool in_head = at_ == At::head;
        const Outcome outcome = in_head ? take_head(bytes, used) : take_body(bytes, used);
        bytes.remove_prefix(used);
        if (outcome == Outcome::whole && !bytes.empty()) {
            keep_alive_ = false;  // it spoke on without being asked
        }
        if (outcome != Outcome::more) {
            return outcome;
        }
        if (bytes.empty() || used == 0) {
            buffered_ = bytes;
            return Outcome::more;
        }
    }
}

ClientConnection::Outcome ClientConnection::take_head(std::string_view bytes, std::size_t& used) {
    const auto limit = static_cast<std::size_t>(client_.limits.response_headers_bytes);
    const HeadScan::State state = scan_.advance(bytes, {limit, limit, limit, limit});
    if (state == HeadScan::State::incomplete) {
        return Outcome::more;
    }
    const HeadScan scan = std::exchange(scan_, HeadScan{});
    if (state == HeadScan::State::broken) {
        const HeadFault fault = scan.fault();
        const bool too_long =
            fault == HeadFault::first_line_too_long || fault == HeadFault::line_too_long ||
            fault == HeadFault::headers_too_long || fault == HeadFault::too_many_headers;
        return fail(
            too_long ? "headers over " + std::to_string(limit) + " bytes"
                     : "in the answer " + std::string(head_fault_text(fault))
        );
    }
    used = scan.end();
    ResponseHead head;
    if (auto fault = parse_response_head(
            bytes.substr(scan.begin(), scan.end() - scan.begin()), client_.fields, head
        )) {
        return fail(std::move(*fault));
    }
    if (head.status == 101) {
        return fail("the answer switches protocols unasked");
    }
    if (head.status < 200) {
        return ++interim_ > kInterimAnswers ? fail("too many interim answers") : Outcome::more;
    }
    return begin_body(head);
}

ClientConnection::Outcome ClientConnection::begin_body(const ResponseHead& head) {
    reply_.status = head.status;
    reply_.headers.reserve(client_.fields.size());
    for (const HeaderField& field : client_.fields) {
        reply_.headers.emplace_back(lower(field.name), field.value);
    }
    keep_alive_ = head.keep_alive;
    at_ = At::body;
    left_ = 0;
    ends_ = Ends::by_length;
    if (!call_->request.head_request && status_has_body(head.status)) {
        if (head.chunked) {
            ends_ = Ends::by_chunks;
            chunks_ = ChunkDecoder(client_.limits.chunk_extension_bytes);
        } else if (head.content_length) {
            left_ = *head.content_length;
        } else {
            ends_ = Ends::by_close;
            keep_alive_ = false;
        }
    }
    if (call_->on_bytes) {
        client_.on_stream_head(*call_);
    }
    return ends_ == Ends::by_length && left_ == 0 ? whole() : Outcome::more;
}

ClientConnection::Outcome ClientConnection::take_body(std::string_view bytes, std::size_t& used) {
    if (ends_ == Ends::by_chunks) {
        const auto fed = chunks_.feed(bytes, reply_.body, UINT64_MAX);
        used = fed.used;
        if (fed.state == ChunkDecoder::State::broken) {
            return fail("in the answer " + std::string(chunks_.fault()));
        }
        const Outcome outcome = collect();
        return fed.state == ChunkDecoder::State::done && outcome == Outcome::more ? whole()
                                                                                  : outcome;
    }
    used = bytes.size();
    if (ends_ == Ends::by_length) {
        used = static_cast<std::size_t>(std::min<std::uint64_t>(left_, used));
        left_ -= used;
    }
    reply_.body += bytes.substr(0, used);
    const Outcome outcome = collect();
    return ends_ == Ends::by_length && left_ == 0 && outcome == Outcome::more ? whole() : outcome;
}

// Hands on a stream's bytes; gives up on a body that is too long even to be dropped.
ClientConnection::Outcome ClientConnection::collect() {
    if (call_->on_bytes) {
        if (!reply_.body.empty()) {
            call_->in_on_bytes = true;
            call_->on_bytes(reply_.body);
            call_->in_on_bytes = false;
            reply_.body.clear();
        }
        return call_->cancelled ? Outcome::cancelled : Outcome::more;
    }
    const std::uint64_t limit = client_.limits.response_body_bytes;
    const std::uint64_t size = reply_.body.size();
    if (size > limit + kDroppedBytes || (size >= limit && left_ > limit + kDroppedBytes - size)) {
        keep_alive_ = false;
        return whole();
    }
    return Outcome::more;
}

ClientConnection::Outcome ClientConnection::whole() {
    const auto limit = static_cast<std::size_t>(client_.limits.response_body_bytes);
    reply_.body_truncated = reply_.body.size() > limit || left_ > 0;
    if (reply_.body.size() > limit) {
        reply_.body.resize(limit);
    }
    return Outcome::whole;
}

bool ClientConnection::is_reusable() const {
    return keep_alive_ && request_is_sent();
}

void ClientConnection::become_idle(MonoTime now) {
    at_ = At::idle;
    kept_ = true;
    call_ = nullptr;
    idle_since_ = now;
    watch(EPOLLIN);
}

}  // namespace belfry
