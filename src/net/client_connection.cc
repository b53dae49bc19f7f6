#include "net/client_connection.h"

#include "base/assert.h"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace belfry {
ClientConnection::~ClientConnection() {
    if (waits_for_flush_) {
        client_.forget(*this);
    }
    if (interest_ != 0) {
        client_.poller.remove(socket_.descriptor(), this);
    }
}

bool ClientConnection::connect(const SocketAddress& address, ClientCall& call) {
    call_ = &call;
    call.connection = this;
    const int descriptor =
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        failure_ = system_error_text(errno);
        return false;
    }
    socket_.open(descriptor);
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::connect(descriptor, address.get(), address.size) != 0 && errno != EINPROGRESS) {
        failure_ = system_error_text(errno);
        return false;
    }
    if (!client_.poller.add(descriptor, EPOLLOUT, this)) {
        failure_ = system_error_text(errno);
        return false;
    }
    interest_ = EPOLLOUT;
    return true;
}

void ClientConnection::watch(std::uint32_t events) {
    if (events != interest_) {
        client_.poller.change(socket_.descriptor(), events, this);
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
        case At::handshaking:
            return shake_hands();
        case At::idle:
            return look_while_idle();
        case At::exchanging:
            break;
    }
    if ((events & EPOLLOUT) != 0 && !send_rest()) {
        // The answer may be there all the same: a refusal sent before the request was read to its
        // end.
        const Outcome outcome = receive();
        return outcome == Outcome::more ? fail(socket_.failure()) : outcome;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        return receive();
    }
    return Outcome::more;
}

ClientConnection::Outcome ClientConnection::finish_connecting() {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(socket_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        failure_ = system_error_text(error);
        return Outcome::connect_failed;
    }
    if (call_->request.tls == nullptr) {
        at_ = At::idle;
        return Outcome::connected;
    }
    at_ = At::handshaking;
    socket_.begin_tls_client(call_->request.tls, call_->request.host);
    return shake_hands();
}

ClientConnection::Outcome ClientConnection::shake_hands() {
    switch (socket_.handshake()) {
        case Socket::Io::again:
            watch(socket_.wants_write() ? EPOLLOUT : EPOLLIN);
            return Outcome::more;
        case Socket::Io::done:
            at_ = At::idle;
            return Outcome::connected;
        case Socket::Io::closed:
            failure_ = "the connection was closed";
            return Outcome::connect_failed;
        case Socket::Io::failed:
            break;
    }
    failure_ = socket_.failure();
    return Outcome::connect_failed;
}

// A TLS server sends tickets after its first answer, which are for OpenSSL alone; anything else
// here is out of turn.
ClientConnection::Outcome ClientConnection::look_while_idle() {
    auto& buffer = client_.read_buffer;
    const bool ticket =
        socket_.is_tls() && socket_.read(buffer.data(), buffer.size()) == Socket::Io::again;
    return ticket ? Outcome::more : Outcome::idle_ended;
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
    reader_.begin(
        call.request.head_request, call.on_bytes ? this : nullptr, call.request.body_most
    );
    if (!std::exchange(waits_for_flush_, true)) {
        client_.flush_later(*this);
    }
}

void ClientConnection::flush() {
    waits_for_flush_ = false;
    // A failure shows again when the socket is looked at: it is told from there, never from here.
    if (at_ == At::exchanging && !send_rest()) {
        watch(EPOLLIN | EPOLLOUT);
    }
}

Socket::Io ClientConnection::send_some() {
    const HttpCall& request = call_->request;
    const std::size_t of_head = std::min(sent_, request.head.size());
    const std::string_view head = std::string_view(request.head).substr(of_head);
    return socket_.write(head, request.body.substr(sent_ - of_head));
}

// False on failure.
bool ClientConnection::send_rest() {
    while (!request_is_sent()) {
        switch (send_some()) {
            case Socket::Io::done:
                sent_ += socket_.bytes();
                break;
            case Socket::Io::again:
                watch(EPOLLIN | EPOLLOUT);
                return true;
            case Socket::Io::closed:
            case Socket::Io::failed:
                return false;
        }
    }
    watch(EPOLLIN);
    return true;
}

// --- The answer

ClientConnection::Outcome ClientConnection::receive() {
    auto& buffer = client_.read_buffer;
    const Socket::Io io = socket_.read(buffer.data(), buffer.size());
    if (io == Socket::Io::again) {
        return Outcome::more;
    }
    if (io != Socket::Io::done && kept_ && !reader_.has_begun()) {
        return Outcome::stale;
    }
    if (kept_ && sent_ == 0) {
        return Outcome::stale;  // no answer to a request that has not left
    }
    if (io == Socket::Io::failed) {
        return fail(socket_.failure());
    }
    switch (io == Socket::Io::done ? reader_.take({buffer.data(), socket_.bytes()}) : reader_.end()
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
