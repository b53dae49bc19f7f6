// The reading half of a ServerConnection: bytes in, requests out.
#include "base/assert.h"
#include "base/fixed_limits.h"
#include "net/server_connection.h"

#include <algorithm>
#include <utility>

namespace belfry {
namespace {

constexpr std::size_t kKeptInBytes = 4096;
constexpr std::size_t kSmallHead =
    4096;  // may come in pieces even when there is no room for others

Error body_too_large(std::uint64_t limit) {
    Error error{Errc::too_large, "the body is longer than " + std::to_string(limit) + " bytes"};
    error.limit = limit;
    return error;
}

// Doubles like any string, but not past the end that is known.
void make_room(std::string& body, std::size_t more, std::uint64_t missing) {
    if (body.size() + more > body.capacity()) {
        const std::uint64_t whole = body.size() + missing;
        body.reserve(static_cast<std::size_t>(
            std::min<std::uint64_t>(whole, std::max(body.capacity() * 2, body.size() + more))
        ));
    }
}

RefusalReason reason_of(int status) {
    switch (status) {
        case 408:
            return RefusalReason::slow;
        case 413:
            return RefusalReason::body_too_large;
        case 414:
            return RefusalReason::request_line_too_long;
        case 417:
            return RefusalReason::expectation;
        case 431:
            return RefusalReason::headers_too_large;
        case 501:
            return RefusalReason::unsupported;
        case 503:
            return RefusalReason::no_room;
        default:
            return RefusalReason::malformed;
    }
}

Error no_room() {
    return Error{Errc::overloaded, "the server holds as many unfinished requests as it may"};
}

}  // namespace

bool ServerConnection::must_pause() const {
    const std::size_t held = unsent() + waiting_bytes_;
    return streams_ > 0 || slots_.size() >= kOutstandingRequestsMax ||
           held > server_.limits.pending_response_bytes || (held > 0 && server_.is_crowded());
}

void ServerConnection::read() {
    auto& buffer = server_.read_buffer;
    switch (socket_.read(buffer.data(), buffer.size())) {
        case Socket::Io::again:
            return;
        case Socket::Io::failed:
            close(true);
            return;
        case Socket::Io::closed:
            peer_finished();
            return;
        case Socket::Io::done:
            break;
    }
    const std::string_view bytes(buffer.data(), socket_.bytes());
    server_.status.bytes_in += bytes.size();
    if (buffered_.empty()) {
        consume(bytes);
    } else {
        buffered_ += bytes;
        consume(buffered_);
    }
}

// A peer that closes its half after its requests still gets their answers. Whoever waits for events
// is taken to have hung up: nobody reads on there, and a half-closed waiter cannot be told from a
// dead one.
void ServerConnection::peer_finished() {
    peer_finished_ = true;
    reading_ = false;
    bool waits = false;
    slots_.for_each([&](const ResponseQueue::Slot& slot) { waits |= slot.waits || slot.stream; });
    if (waits || (slots_.empty() && unsent() == 0)) {
        close(true);
    } else {
        pending_.reset();
        give_back(buffered_);
        promote();
    }
}

void ServerConnection::consume(std::string_view bytes) {
    std::size_t used = 0;
    in_burst_ = true;
    paused_ = false;
    while (open_ && reading_ && used < bytes.size()) {
        if (must_pause()) {
            paused_ = true;
            break;
        }
        const std::string_view rest = bytes.substr(used);
        const std::size_t taken = pending_ ? take_body(rest) : take_head(rest);
        if (taken == 0) {
            break;
        }
        used += taken;
    }
    in_burst_ = false;
    if (open_) {
        keep(bytes, used);
    }
}

// `bytes` are those of buffered_ or of the server's buffer.
void ServerConnection::keep(std::string_view bytes, std::size_t used) {
    if (!reading_) {
        give_back(buffered_);  // nothing behind the last request is interpreted
        return;
    }
    const bool was_kept = !buffered_.empty();
    if (was_kept) {
        buffered_.erase(0, used);
    } else {
        buffered_.assign(bytes.substr(used));
    }
    if (buffered_.empty()) {
        if (buffered_.capacity() > kKeptInBytes) {
            give_back(buffered_);
        }
    } else if (used > 0 || !was_kept) {
        head_since_ = server_.now;
    }
}

// Takes one request whose body is there, or its head; 0 if the head is incomplete.
std::size_t ServerConnection::take_head(std::string_view bytes) {
    const Limits& limits = server_.limits;
    const HeadScan::State state = scan_.advance(
        bytes,
        {limits.request_line_bytes, limits.header_bytes, limits.headers_bytes, limits.headers}
    );
    if (state == HeadScan::State::incomplete) {
        return take_more_of_head(bytes);
    }
    const HeadScan scan = std::exchange(scan_, HeadScan{});
    if (state == HeadScan::State::broken) {
        refuse_fault(scan.fault());
        return bytes.size();
    }
    const std::string_view block = bytes.substr(scan.begin(), scan.end() - scan.begin());
    const std::string_view rest = bytes.substr(scan.end());
    RequestHead head;
    const auto refusal = parse_request_head(block, server_.fields, head);
    head.request.peer = peer_;
    head.request.peer_is_loopback = peer_is_loopback_;
    if (refusal) {
        refuse(refusal->status, refusal->error, head.request);
        return bytes.size();
    }
    const HttpService::Admission admission = server_.service.admit(head.request);
    if (!head.chunked && head.content_length > admission.body_limit) {
        refuse(413, body_too_large(admission.body_limit), head.request);
        return bytes.size();
    }
    if (!head.chunked && head.content_length <= rest.size()) {
        // The whole request is here, as nearly always: no copy.
        const auto length = static_cast<std::size_t>(head.content_length);
        head.request.body = rest.substr(0, length);
        dispatch(head, admission);
        return scan.end() + length;
    }
    if (server_.is_crowded()) {
        refuse(503, no_room(), head.request);
        return bytes.size();
    }
    const bool is_long = head.chunked || head.content_length > kStrangersBodyBytesMax;
    if (is_long && !server_.service.admit_body(head.request)) {
        head.keep_alive = false;  // the body is in the way of what follows
        dispatch(head, admission);
        return bytes.size();
    }
    await_body(head, block, admission);
    pending_->continue_is_due = head.expects_continue && rest.empty();
    send_continue();
    return scan.end();
}

// 0: the rest of the head may come.
std::size_t ServerConnection::take_more_of_head(std::string_view bytes) {
    if (bytes.size() <= kSmallHead || !server_.is_crowded()) {
        return 0;
    }
    HttpRequest unknown;
    unknown.peer = peer_;
    unknown.peer_is_loopback = peer_is_loopback_;
    refuse(503, no_room(), unknown);
    return bytes.size();
}

void ServerConnection::await_body(
    const RequestHead& head, std::string_view block, const HttpService::Admission& admission
) {
    pending_ = std::make_unique<PendingBody>();
    pending_->head = block;
    pending_->missing = head.content_length;
    pending_->admission = admission;
    pending_->since = server_.now;
    pending_->next_check = server_.now + std::chrono::milliseconds(std::min(
                                             server_.limits.body_grace_ms, server_.limits.request_ms
                                         ));
    if (head.chunked) {
        pending_->chunks.emplace(server_.limits.chunk_extension_bytes);
    }
}

std::size_t ServerConnection::take_body(std::string_view bytes) {
    PendingBody& pending = *pending_;
    pending.continue_is_due = false;
    const bool ends_here = !pending.chunks && pending.missing <= bytes.size();
    if (!ends_here && server_.is_crowded()) {
        refuse_pending(503, no_room());
        return bytes.size();
    }
    if (!pending.chunks) {
        const auto taken =
            static_cast<std::size_t>(std::min<std::uint64_t>(pending.missing, bytes.size()));
        make_room(pending.body, taken, pending.missing);
        pending.body += bytes.substr(0, taken);
        pending.missing -= taken;
        if (pending.missing == 0) {
            body_is_whole();
        }
        return taken;
    }
    const auto fed = pending.chunks->feed(bytes, pending.body, pending.admission.body_limit);
    switch (fed.state) {
        case ChunkDecoder::State::more:
            break;
        case ChunkDecoder::State::done:
            body_is_whole();
            break;
        case ChunkDecoder::State::broken:
            refuse_pending(400, Error{Errc::bad_request, std::string(pending.chunks->fault())});
            break;
        case ChunkDecoder::State::too_large:
            refuse_pending(413, body_too_large(pending.admission.body_limit));
            break;
    }
    return fed.used;
}

// The views of the head are made again from its copy.
void ServerConnection::body_is_whole() {
    const std::unique_ptr<PendingBody> pending = std::move(pending_);
    RequestHead head;
    ASSERT(!parse_request_head(pending->head, server_.fields, head));
    head.request.peer = peer_;
    head.request.peer_is_loopback = peer_is_loopback_;
    head.request.body = pending->body;
    dispatch(head, pending->admission);
}

void ServerConnection::dispatch(const RequestHead& head, const HttpService::Admission& admission) {
    ++server_.status.requests;
    ++requests_;
    ResponseQueue::Slot slot;
    slot.since = server_.now;
    slot.is_head = head.request.method == Method::head;
    slot.is_get = head.request.method == Method::get;
    slot.http_1_0 = head.http_1_0;
    slot.waits = admission.waits;
    slot.close = !head.keep_alive || server_.stopping ||
                 (!peer_is_loopback_ && requests_ >= server_.limits.requests_per_connection);
    reading_ = !slot.close;
    const std::uint64_t number = slots_.push(std::move(slot));
    ++exchanges_;
    server_.service.handle(head.request, Exchange(this, number));
}

// The end of interpretation: whatever else came on this connection is dropped unread.
void ServerConnection::refuse(int status, const Error& error, const HttpRequest& request) {
    server_.status.refused.add(reason_of(status));
    reading_ = false;
    ResponseQueue::Slot slot;
    slot.since = server_.now;
    slot.is_head = request.method == Method::head;
    slot.close = true;
    const std::uint64_t number = slots_.push(std::move(slot));
    ++exchanges_;
    server_.service.refuse(request, status, error, Exchange(this, number));
}

void ServerConnection::refuse_pending(int status, const Error& error) {
    const std::unique_ptr<PendingBody> pending = std::move(pending_);
    RequestHead head;
    ASSERT(!parse_request_head(pending->head, server_.fields, head));
    head.request.peer = peer_;
    head.request.peer_is_loopback = peer_is_loopback_;
    refuse(status, error, head.request);
}

void ServerConnection::refuse_fault(HeadFault fault) {
    const Limits& limits = server_.limits;
    int status = 400;
    Error error{Errc::bad_request, std::string(head_fault_text(fault))};
    if (fault == HeadFault::first_line_too_long) {
        status = 414;
        error.limit = limits.request_line_bytes;
    } else if (fault == HeadFault::line_too_long) {
        status = 431;
        error.limit = limits.header_bytes;
    } else if (fault == HeadFault::headers_too_long) {
        status = 431;
        error.limit = limits.headers_bytes;
    } else if (fault == HeadFault::too_many_headers) {
        status = 431;
        error.limit = limits.headers;
    }
    if (status != 400) {
        error.code = Errc::too_large;
    }
    HttpRequest request;
    request.peer = peer_;
    request.peer_is_loopback = peer_is_loopback_;
    refuse(status, error, request);
}

}  // namespace belfry
