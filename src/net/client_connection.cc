#include "net/client_connection.h"

#include "base/assert.h"
#include "net/http_syntax.h"

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

std::string error_text(int error) {
    std::string text = std::strerror(error);
    text[0] = ascii_lower(text[0]);
    return text;
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
        case At::exchanging:
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
    at_ = At::exchanging;
    call_ = &call;
    call.connection = this;
    sent_ = 0;
    reader_.begin(call.request.head_request, call.on_bytes ? this : nullptr);
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
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return Outcome::more;
    }
    if (got <= 0 && kept_ && !reader_.has_begun()) {
        return Outcome::stale;
    }
    if (got < 0) {
        return fail(error_text(errno));
    }
    switch (got > 0 ? reader_.take({buffer.data(), static_cast<std::size_t>(got)}) : reader_.end()
    ) {
        case ResponseReader::State::more:
            return Outcome::more;
        case ResponseReader::State::whole:
            return Outcome::whole;
        case ResponseReader::State::failed:
            return fail(reader_.failure());
        case ResponseReader::State::cancelled:
            return Outcome::cancelled;
    }
    return Outcome::more;
}

void ClientConnection::on_head() {
    client_.on_stream_head(*call_);
}

bool ClientConnection::on_piece(std::string_view bytes) {
    call_->in_on_bytes = true;
    call_->on_bytes(bytes);
    call_->in_on_bytes = false;
    return !call_->cancelled;
}

ClientConnection::Outcome ClientConnection::fail(std::string why) {
    failure_ = std::move(why);
    return Outcome::failed;
}

bool ClientConnection::is_reusable() const {
    return reader_.keep_alive() && request_is_sent();
}

void ClientConnection::become_idle(MonoTime now) {
    at_ = At::idle;
    kept_ = true;
    call_ = nullptr;
    idle_since_ = now;
    watch(EPOLLIN);
}

}  // namespace belfry
