// Mutated requests, framed by the server and by an independent parser: whatever the server takes
// must have the same bodies there, or be refused there; a body of another length is a way to
// smuggle a request. With `control`, a parser that believes the last Content-Length stands in for
// the server.
//
//     framing_differential COUNT SEED [control]
//
// Prints a line for each difference, and then a sample of what was taken for further parsers to
// judge: its bytes in hexadecimal and the lengths of its bodies.
#include "base/limits.h"
#include "net/direct_connection.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <http_parser.h>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kSamples = 20'000;
constexpr std::size_t kShown = 20;

// How far a parser came: the bodies it took, and why it stopped.
struct Framing {
    std::vector<std::string> bodies;
    bool refused = false;
    bool waits = false;  // for more of a request that has begun
};

class Recorder final : public HttpService {
 public:
    Admission admit(const HttpRequest& /*head*/) override { return {.body_limit = 65536}; }
    void handle(const HttpRequest& request, Exchange exchange) override {
        framing.bodies.emplace_back(request.body);
        exchange.respond({.status = 200, .body = {}});
    }
    void refuse(const HttpRequest& /*head*/, int status, const Error& /*error*/, Exchange exchange)
        override {
        framing.refused = true;
        exchange.respond({.status = status, .body = {}});
    }

    Framing framing;
};

Framing framed_by_the_server(std::string_view bytes) {
    static const Limits kLimits;
    Recorder recorder;
    DirectConnection connection(recorder, kLimits);
    connection.feed(bytes);
    return std::move(recorder.framing);
}

// What many a parser of old would do.
Framing framed_naively(std::string_view bytes) {
    Framing framing;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            framing.waits = true;
            break;
        }
        const std::size_t field = bytes.substr(0, end).rfind("Content-Length: ");
        const std::size_t said =
            field == std::string_view::npos
                ? 0
                : std::strtoul(std::string(bytes.substr(field + 16, 8)).c_str(), nullptr, 10);
        const std::size_t length = std::min(said, bytes.size() - end - 4);
        framing.bodies.emplace_back(bytes.substr(end + 4, length));
        bytes.remove_prefix(end + 4 + length);
    }
    return framing;
}

Framing framed_by_the_reference(std::string_view bytes) {
    struct Progress {
        Framing framing;
        bool in_request = false;
        std::string body;
    } progress;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &progress;
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_message_begin = [](http_parser* p) {
        auto& at = *static_cast<Progress*>(p->data);
        at.in_request = true;
        at.body.clear();
        return 0;
    };
    settings.on_body = [](http_parser* p, const char* text, std::size_t size) {
        static_cast<Progress*>(p->data)->body.append(text, size);
        return 0;
    };
    settings.on_message_complete = [](http_parser* p) {
        auto& at = *static_cast<Progress*>(p->data);
        at.in_request = false;
        at.framing.bodies.push_back(at.body);
        return 0;
    };
    const std::size_t used = http_parser_execute(&parser, &settings, bytes.data(), bytes.size());
    progress.framing.refused = parser.http_errno != HPE_OK || used != bytes.size();
    progress.framing.waits = progress.in_request && !progress.framing.refused;
    return std::move(progress.framing);
}

// The first request that both take differently; empty if there is none.
std::string difference(const Framing& ours, const Framing& theirs) {
    for (std::size_t i = 0; i < ours.bodies.size(); ++i) {
        if (i < theirs.bodies.size()) {
            if (ours.bodies[i] != theirs.bodies[i]) {
                return fmt::format(
                    "request {} has {} bytes here and {} there",
                    i,
                    ours.bodies[i].size(),
                    theirs.bodies[i].size()
                );
            }
        } else if (theirs.waits) {
            return fmt::format("request {} is longer there", i);
        } else {
            return "";  // refused there
        }
    }
    return "";
}

class Mutator {
 public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    std::string next() {
        std::string text(one_of(kRequests));
        for (std::size_t count = 1 + below(3); count-- > 0;) {
            mutate(text);
        }
        return text + "POST /last HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nend";
    }

 private:
    static constexpr std::array kRequests{
        "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"sv,
        "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n0\r\n\r\n"sv,
        "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=b\r\nhello\r\n003\r\nabc\r\n0\r\nX: y\r\n\r\n"sv,
        "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n"sv,
        "POST /p HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n0123456789"sv,
        "GET /p HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"sv,
        "GET /p HTTP/1.1\r\nHost: h\r\nContent-Length: 36\r\n\r\n"
        "GET /inside HTTP/1.1\r\nHost: inside\r\n\r\n"sv,
        "PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 25\r\n\r\n"
        "5\r\nhello\r\n0\r\n\r\nGET / HTT"sv,
    };
    static constexpr std::array kPieces{
        "\r\n"sv,
        "\n"sv,
        "\r"sv,
        "\r\n\r\n"sv,
        " "sv,
        "\t"sv,
        "\v"sv,
        "\f"sv,
        "\0"sv,
        "\xa0"sv,
        "\xff"sv,
        ","sv,
        ";"sv,
        ":"sv,
        "_"sv,
        "+"sv,
        "-"sv,
        "0x"sv,
        "0"sv,
        "00"sv,
        "5"sv,
        "a"sv,
        "\r\n "sv,
        "\r\n\t"sv,
        ";x"sv,
        "chunked"sv,
        "identity"sv,
        "gzip, "sv,
        ", chunked"sv,
        "Content-Length: 5\r\n"sv,
        "Content-Length: 0\r\n"sv,
        "Content-Length: 11\r\n"sv,
        "content-length:5\r\n"sv,
        "Content-Length : 5\r\n"sv,
        "Transfer-Encoding: chunked\r\n"sv,
        "Transfer-Encoding: identity\r\n"sv,
        "transfer-encoding:\tchunked\r\n"sv,
        "Transfer-Encoding : chunked\r\n"sv,
        "Transfer_Encoding: chunked\r\n"sv,
        "0\r\n\r\n"sv,
        "5\r\nhello\r\n"sv,
        "1.0"sv,
        "Connection: close\r\n"sv,
        "Expect: 100-continue\r\n"sv,
    };

    template <typename List>
    std::string_view one_of(const List& list) {
        return list[below(list.size())];
    }
    std::size_t below(std::size_t end) { return random_() % end; }

    void mutate(std::string& text) {
        const std::size_t at = below(text.size());
        switch (below(8)) {
            case 0:
            case 1:
                text.insert(at, one_of(kPieces));
                break;
            case 2:
                insert_line(text);
                break;
            case 3:
                text.erase(at, 1 + below(3));
                break;
            case 4:
                text[at] = static_cast<char>(below(256));
                break;
            case 5:
                text.replace(at, 1, one_of(kPieces));
                break;
            case 6:
                text[at] = static_cast<char>(text[at] ^ 0x20);
                break;
            default:
                repeat_line(text);
                break;
        }
        if (text.empty()) {
            text = "\r\n";
        }
    }
    // Where a header could stand.
    void insert_line(std::string& text) {
        const std::size_t end = text.find('\n', below(text.size()));
        if (end != std::string::npos) {
            text.insert(end + 1, one_of(kPieces));
        }
    }
    void repeat_line(std::string& text) {
        const std::size_t from = text.find('\n', below(text.size()));
        const std::size_t to = from == std::string::npos ? from : text.find('\n', from + 1);
        if (to != std::string::npos) {
            text.insert(to + 1, text.substr(from + 1, to - from));
        }
    }

    std::mt19937_64 random_;
};

std::string hexadecimal(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

int run(std::size_t count, std::uint64_t seed, bool control) {
    Mutator mutator(seed);
    std::size_t taken = 0;
    std::size_t refused_there = 0;
    std::size_t differences = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string bytes = mutator.next();
        const Framing ours = control ? framed_naively(bytes) : framed_by_the_server(bytes);
        if (ours.bodies.empty()) {
            continue;
        }
        const Framing theirs = framed_by_the_reference(bytes);
        refused_there += theirs.bodies.size() < ours.bodies.size() ? 1 : 0;
        if (const std::string what = difference(ours, theirs); !what.empty()) {
            if (++differences <= kShown) {
                fmt::print("difference: {}: {}\n", what, hexadecimal(bytes));
            }
        } else if (taken++ < kSamples) {
            std::string lengths;
            for (const std::string& body : ours.bodies) {
                lengths += fmt::format(" {}", body.size());
            }
            fmt::print("taken {}{}\n", hexadecimal(bytes), lengths);
        }
    }
    fmt::print("total {} {} {} {}\n", count, taken, refused_there, differences);
    return differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace belfry

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "framing_differential COUNT SEED [control]\n");
        return 2;
    }
    return belfry::run(
        std::strtoul(argv[1], nullptr, 10),
        std::strtoul(argv[2], nullptr, 10),
        argc > 3 && std::string_view(argv[3]) == "control"
    );
}
