#include "net/http.h"

#include "base/ascii.h"
#include "base/assert.h"

#include <algorithm>
#include <array>
#include <utility>

namespace belfry {

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
    for (const HeaderField& field : headers) {
        if (equals_ignoring_case(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

Exchange::Exchange(HttpConnection* connection, std::uint64_t request)
    : connection_(connection), request_(request) {}

Exchange::Exchange(Exchange&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), request_(other.request_) {}

Exchange& Exchange::operator=(Exchange&& other) noexcept {
    if (this != &other) {
        if (HttpConnection* old = std::exchange(connection_, nullptr)) {
            old->dropped(request_);
        }
        connection_ = std::exchange(other.connection_, nullptr);
        request_ = other.request_;
    }
    return *this;
}

Exchange::~Exchange() {
    if (connection_ != nullptr) {
        connection_->dropped(request_);
    }
}

void Exchange::respond(const HttpResponse& response) {
    ASSERT(connection_ != nullptr);
    std::exchange(connection_, nullptr)->respond(request_, response);
}

void Exchange::begin_stream(const HttpResponse& head) {
    ASSERT(connection_ != nullptr);
    connection_->begin_stream(request_, head);
}

bool Exchange::write(const StreamPiece& piece) {
    ASSERT(connection_ != nullptr);
    return connection_->write(request_, piece);
}

void Exchange::end_stream() {
    ASSERT(connection_ != nullptr);
    std::exchange(connection_, nullptr)->end_stream(request_);
}

std::size_t Exchange::unsent() const {
    return connection_ == nullptr ? 0 : connection_->unsent(request_);
}

void Exchange::on_drained(std::move_only_function<void()> callback) {
    ASSERT(connection_ != nullptr);
    connection_->on_drained(request_, std::move(callback));
}

std::uint64_t Exchange::connection() const {
    ASSERT(connection_ != nullptr);
    return connection_->number();
}

bool Exchange::alive() const {
    return connection_ != nullptr && connection_->alive(request_);
}

void Exchange::on_gone(std::move_only_function<void()> callback) {
    ASSERT(connection_ != nullptr);
    connection_->on_gone(request_, std::move(callback));
}

std::string_view reason_phrase(int status) {
    struct Row {
        int status;
        std::string_view phrase;
    };
    static constexpr auto kRows = std::to_array<Row>({
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    });
    const auto* row = std::ranges::find(kRows, status, &Row::status);
    return row != kRows.end() ? row->phrase : std::string_view("Unknown");
}

}  // namespace belfry
