#include "doors/consul/answer.h"

#include "base/ascii.h"
#include "base/assert.h"

#include <zlib.h>

namespace belfry {

namespace {

// The least body that Consul compresses.
constexpr std::size_t kGzipLeastBytes = 1400;
constexpr std::string_view kIndent = "    ";

// Takes the part of `list` up to the next separator off it, without white space around it.
std::string_view take_part(std::string_view& list, char separator) {
    std::size_t end = list.find(separator);
    std::string_view part = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    while (part.starts_with(' ') || part.starts_with('\t')) {
        part.remove_prefix(1);
    }
    while (part.ends_with(' ') || part.ends_with('\t')) {
        part.remove_suffix(1);
    }
    return part;
}

// Whether a coding's parameters make it unwanted: `q=0`, `q=0.0` … (RFC 9110, 12.4.2).
bool is_refused(std::string_view parameters) {
    while (!parameters.empty()) {
        std::string_view parameter = take_part(parameters, ';');
        if ((parameter.starts_with("q=") || parameter.starts_with("Q=")) &&
            parameter.find_first_not_of("0.", 2) == std::string_view::npos) {
            return true;
        }
    }
    return false;
}

bool accepts_gzip(std::string_view accept_encoding) {
    while (!accept_encoding.empty()) {
        std::string_view coding = take_part(accept_encoding, ',');
        std::string_view name = take_part(coding, ';');
        if (equals_ignoring_case(name, "gzip")) {
            return !is_refused(coding);
        }
    }
    return false;
}

void break_line(std::size_t depth, std::string& out) {
    out.push_back('\n');
    for (std::size_t i = 0; i < depth; ++i) {
        out.append(kIndent);
    }
}

// `compact` must be JSON without white space between its tokens, as Belfry writes it.
std::string indented(std::string_view compact) {
    std::string out;
    out.reserve(compact.size() * 2);
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        if (in_string) {
            out.push_back(c);
            if (c == '\\' && i + 1 < compact.size()) {
                out.push_back(compact[++i]);
            } else if (c == '"') {
                in_string = false;
            }
            continue;
        }
        const bool closes = c == '}' || c == ']';
        if (closes) {
            const char before = compact[i - 1];
            --depth;
            if (before != '{' && before != '[') {
                break_line(depth, out);
            }
        }
        out.push_back(c);
        const bool is_empty =
            i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
        if (c == '{' || c == '[') {
            ++depth;
            if (!is_empty) {
                break_line(depth, out);
            }
        } else if (c == ',') {
            break_line(depth, out);
        } else if (c == ':') {
            out.push_back(' ');
        }
        in_string = c == '"';
    }
    out.push_back('\n');
    return out;
}

std::string gzipped(std::string_view bytes) {
    constexpr int kWithGzipHeader = 15 + 16;
    constexpr int kMemoryLevel = 8;
    z_stream stream{};
    ASSERT(
        deflateInit2(
            &stream, Z_BEST_SPEED, Z_DEFLATED, kWithGzipHeader, kMemoryLevel, Z_DEFAULT_STRATEGY
        ) == Z_OK
    );
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    // zlib does not write through it.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace

JsonForm json_form(const RequestContext& context) {
    return {
        .pretty = context.query.get("pretty").has_value(),
        .gzip = accepts_gzip(context.request.header("accept-encoding").value_or(""))
    };
}

WireJson wire_json(std::string_view compact, JsonForm form) {
    WireJson wire;
    if (form.pretty) {
        wire.bytes = indented(compact);
    }
    const std::string_view plain = form.pretty ? std::string_view(wire.bytes) : compact;
    if (form.gzip && plain.size() >= kGzipLeastBytes) {
        wire.bytes = gzipped(plain);
        wire.is_gzip = true;
    }
    return wire;
}

void ConsulAnswers::begin_headers() {
    headers_.assign("Vary: Accept-Encoding\r\nX-Consul-Default-Acl-Policy: ");
    headers_.append(denies_() ? "deny\r\n" : "allow\r\n");
}

void ConsulAnswers::json(
    RequestContext& context, std::string_view compact, std::string_view more_headers
) {
    json(context.exchange, compact, json_form(context), more_headers);
}

void ConsulAnswers::json(
    Exchange& exchange, std::string_view compact, JsonForm form, std::string_view more_headers
) {
    const WireJson made = wire_json(compact, form);
    const bool as_is = made.bytes.empty();
    wire(exchange, as_is ? compact : std::string_view(made.bytes), made.is_gzip, more_headers);
}

void ConsulAnswers::wire(
    Exchange& exchange, std::string_view bytes, bool is_gzip, std::string_view more_headers
) {
    begin_headers();
    headers_.append(is_gzip ? "Content-Encoding: gzip\r\n" : "").append(more_headers);
    exchange.respond(
        HttpResponse{.content_type = "application/json", .headers = headers_, .body = bytes}
    );
}

void ConsulAnswers::text(
    Exchange& exchange, int status, std::string_view text, std::string_view more_headers
) {
    begin_headers();
    headers_.append(more_headers);
    exchange.respond(HttpResponse{
        .status = status,
        .content_type = text.empty() ? "" : "text/plain; charset=utf-8",
        .headers = headers_,
        .body = text
    });
}

std::string ConsulAnswers::allow_line(std::string_view allow) {
    std::string line = "Allow: OPTIONS";
    while (!allow.empty()) {
        std::string_view method = take_part(allow, ',');
        if (method != "OPTIONS" && method != "HEAD") {
            line.append(",").append(method);
        }
    }
    return line + "\r\n";
}

}  // namespace belfry
