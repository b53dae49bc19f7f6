// Reads one answer after the other from the bytes of a connection: head, interim answers, body by
// length, by chunks or until the end. Bounded and strict; knows no socket. Owned by a
// ClientConnection.
#pragma once

#include "base/header_field.h"
#include "base/limits.h"
#include "net/chunk_decoder.h"
#include "net/head_scan.h"
#include "net/http_client.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct ResponseHead;

// Takes an answer as it comes, instead of a body in the reply.
class StreamedAnswer {
 public:
    virtual void on_head() = 0;
    // False ends the reading.
    virtual bool on_piece(std::string_view bytes) = 0;

 protected:
    ~StreamedAnswer() = default;
};

class ResponseReader {
 public:
    enum class State : std::uint8_t { more, whole, failed, cancelled };

    // `fields` is scratch space that readers may share.
    ResponseReader(const Limits& limits, std::vector<HeaderField>& fields)
        : limits_(limits), fields_(fields) {}

    // The next answer; `streamed` may be nullptr and must outlive it. Of its body the reply keeps
    // `body_most` bytes, limits.response_body_bytes if that is 0.
    void begin(bool head_request, StreamedAnswer* streamed, std::uint64_t body_most = 0);
    State take(std::string_view bytes);
    // The peer closed: the end of an answer without a length.
    State end();

    [[nodiscard]] bool has_begun() const { return has_begun_; }
    [[nodiscard]] HttpReply& reply() { return reply_; }
    [[nodiscard]] const std::string& failure() const { return failure_; }
    // After whole: another answer may follow on the connection.
    [[nodiscard]] bool keep_alive() const { return keep_alive_; }

 private:
    enum class Ends : std::uint8_t { by_length, by_chunks, by_close };

    State take_head(std::string_view bytes, std::size_t& used);
    State begin_body(const ResponseHead& head);
    State take_body(std::string_view bytes, std::size_t& used);
    State collect();
    State whole();
    State fail(std::string why);

    const Limits& limits_;
    std::vector<HeaderField>& fields_;
    StreamedAnswer* streamed_ = nullptr;
    bool head_request_ = false;
    std::uint64_t body_most_ = 0;
    bool has_begun_ = false;
    bool in_body_ = false;
    bool keep_alive_ = false;
    std::size_t interim_ = 0;  // 1xx answers
    HeadScan scan_;
    std::string buffered_;  // an incomplete head
    Ends ends_ = Ends::by_length;
    std::uint64_t left_ = 0;  // by length
    ChunkDecoder chunks_;
    HttpReply reply_;
    std::string failure_;
};

}  // namespace belfry
