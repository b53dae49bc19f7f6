#include "net/response_reader.h"

#include "base/ascii.h"
#include "net/response_head.h"
#include "net/response_writer.h"

#include <algorithm>
#include <utility>

namespace belfry {
namespace {

constexpr std::size_t kInterimAnswers = 16;
// What is read beyond the body limit, to keep the connection.
constexpr std::uint64_t kDroppedBytes = 1024 * 1024;

}  // namespace

void ResponseReader::begin(bool head_request, StreamedAnswer* streamed, std::uint64_t body_most) {
    streamed_ = streamed;
    body_most_ = body_most == 0 ? limits_.response_body_bytes : body_most;
    head_request_ = head_request;
    has_begun_ = false;
    in_body_ = false;
    interim_ = 0;
    reply_ = {};
}

ResponseReader::State ResponseReader::end() {
    if (in_body_ && ends_ == Ends::by_close) {
        return whole();
    }
    return fail(
        has_begun_ ? "the connection was closed in the middle of the answer"
                   : "the connection was closed before an answer came"
    );
}

ResponseReader::State ResponseReader::fail(std::string why) {
    failure_ = std::move(why);
    return State::failed;
}

ResponseReader::State ResponseReader::take(std::string_view bytes) {
    has_begun_ = true;
    std::string joined;
    if (!buffered_.empty()) {
        joined = std::exchange(buffered_, {});
        joined += bytes;
        bytes = joined;
    }
    while (true) {
        std::size_t used = 0;
        const State state = in_body_ ? take_body(bytes, used) : take_head(bytes, used);
        bytes.remove_prefix(used);
        if (state == State::whole && !bytes.empty()) {
            keep_alive_ = false;  // it spoke on without being asked
        }
        if (state != State::more) {
            return state;
        }
        if (bytes.empty() || used == 0) {
            buffered_ = bytes;
            return State::more;
        }
    }
}

ResponseReader::State ResponseReader::take_head(std::string_view bytes, std::size_t& used) {
    const auto limit = static_cast<std::size_t>(limits_.response_headers_bytes);
    const HeadScan::State state = scan_.advance(bytes, {limit, limit, limit, limit});
    if (state == HeadScan::State::incomplete) {
        return State::more;
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
            bytes.substr(scan.begin(), scan.end() - scan.begin()), fields_, head
        )) {
        return fail(std::move(*fault));
    }
    if (head.status == 101) {
        return fail("the answer switches protocols unasked");
    }
    if (head.status < 200) {
        return ++interim_ > kInterimAnswers ? fail("too many interim answers") : State::more;
    }
    return begin_body(head);
}

ResponseReader::State ResponseReader::begin_body(const ResponseHead& head) {
    reply_.status = head.status;
    reply_.headers.reserve(fields_.size());
    for (const HeaderField& field : fields_) {
        reply_.headers.emplace_back(ascii_lowered(field.name), field.value);
    }
    keep_alive_ = head.keep_alive;
    in_body_ = true;
    left_ = 0;
    ends_ = Ends::by_length;
    if (!head_request_ && status_has_body(head.status)) {
        if (head.chunked) {
            ends_ = Ends::by_chunks;
            chunks_ = ChunkDecoder(limits_.chunk_extension_bytes);
        } else if (head.content_length) {
            left_ = *head.content_length;
        } else {
            ends_ = Ends::by_close;
            keep_alive_ = false;
        }
    }
    if (streamed_ != nullptr) {
        streamed_->on_head();
    }
    return ends_ == Ends::by_length && left_ == 0 ? whole() : State::more;
}

ResponseReader::State ResponseReader::take_body(std::string_view bytes, std::size_t& used) {
    if (ends_ == Ends::by_chunks) {
        const auto fed = chunks_.feed(bytes, reply_.body, UINT64_MAX);
        used = fed.used;
        if (fed.state == ChunkDecoder::State::broken) {
            return fail("in the answer " + std::string(chunks_.fault()));
        }
        const State state = collect();
        return fed.state == ChunkDecoder::State::done && state == State::more ? whole() : state;
    }
    used = bytes.size();
    if (ends_ == Ends::by_length) {
        used = static_cast<std::size_t>(std::min<std::uint64_t>(left_, used));
        left_ -= used;
    }
    reply_.body += bytes.substr(0, used);
    const State state = collect();
    return ends_ == Ends::by_length && left_ == 0 && state == State::more ? whole() : state;
}

// Hands on a stream's bytes; gives up on a body that is too long even to be dropped.
ResponseReader::State ResponseReader::collect() {
    if (streamed_ != nullptr) {
        const std::string piece = std::exchange(reply_.body, {});
        return piece.empty() || streamed_->on_piece(piece) ? State::more : State::cancelled;
    }
    const std::uint64_t limit = body_most_;
    const std::uint64_t size = reply_.body.size();
    if (size > limit + kDroppedBytes || (size >= limit && left_ > limit + kDroppedBytes - size)) {
        keep_alive_ = false;
        return whole();
    }
    return State::more;
}

ResponseReader::State ResponseReader::whole() {
    const auto limit = static_cast<std::size_t>(body_most_);
    reply_.body_truncated = reply_.body.size() > limit || left_ > 0;
    if (reply_.body.size() > limit) {
        reply_.body.resize(limit);
    }
    return State::whole;
}

}  // namespace belfry
