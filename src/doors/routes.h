// The table that a door is: one Route per method and path, with what it needs of Access, who
// answers it and what the documentation says about it. Router serves, authorises and bounds from
// it, openapi.cc prints it, so none of the three can disagree. Owned by the Router; constant once
// it has it.
#pragma once

#include "base/assert.h"
#include "base/error.h"
#include "doors/query.h"
#include "hub/access.h"
#include "net/http.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// What a caller must be allowed to do. It has no default, so a route without one does not compile.
struct Needs {
    Resource resource;
    Verb verb;
    std::string_view name_parameter;  // the path parameter that names the object; empty: none does

    constexpr Needs(Resource needed, Verb how, std::string_view name = {})
        : resource(needed), verb(how), name_parameter(name) {}
};

// The values of a path's parameters, decoded, in path order.
class PathParameters {
 public:
    static constexpr std::size_t kMax = 8;

    // ASSERTs that the route has that parameter.
    [[nodiscard]] std::string_view get(std::string_view name) const {
        for (std::size_t i = 0; i < names->size(); ++i) {
            if ((*names)[i] == name) {
                return values[i];
            }
        }
        assert_failed("the route has no such parameter", __FILE__, __LINE__);
    }

    const std::vector<std::string>* names = nullptr;
    std::array<std::string_view, kMax> values;
};

// One request on its way to its handler. Everything but `exchange` lives until the handler returns.
struct RequestContext {
    const HttpRequest& request;
    const PathParameters& path;
    const Query& query;
    const Caller& caller;
    Exchange exchange;  // moved out by a handler that answers later
};
using Handler = std::function<void(RequestContext&)>;

// How much body a route takes.
enum class BodyKind : std::uint8_t {
    none,      // as `document`, and the handler does not look at it
    document,  // limits.document_bytes
    event,     // limits.body_bytes
    events,    // limits.batch_bytes for batches, limits.body_bytes for one event
};

struct ParameterDoc {
    enum class In : std::uint8_t { path, query, header };
    enum class Type : std::uint8_t { text, number };
    In in = In::query;
    std::string_view name = {};
    std::string_view text = {};
    Type type = Type::text;
};
struct AnswerDoc {
    int status = 200;
    std::string_view text = {};
    std::string_view media_type = "application/json";  // empty: no body
};
struct RouteDoc {
    std::string_view summary;
    std::vector<ParameterDoc> parameters = {};  // path parameters without a row are texts
    std::vector<std::string_view> request_media_types = {};
    std::vector<AnswerDoc> answers = {};  // problems are the same everywhere and left out
};

struct Route {
    Method method;
    std::string
        path;  // "/api/v1/events/{id}"; "{name*}" as the last segment takes the rest of the path
    Needs needs;
    Handler handler;
    RouteDoc doc;
    BodyKind body = BodyKind::none;
    bool waits = false;  // the handler waits by nature: no request time-out
    // The contract wants other questions answered before `needs`, or less than a refusal when the
    // answer is no: the handler asks its caller itself. `needs` says what it asks.
    bool handler_asks = false;
};

// How far a request came that no handler answered.
enum class RefusedAt : std::uint8_t {
    framing,     // the server could not take it: `status` says what HTTP demands
    query,       // it cannot be read
    path,        // it cannot be read
    caller,      // who asks is not known, or not heard
    route,       // there is nothing at the path, or (405) not by that method
    permission,  // the caller may not
    parameter,   // the route has no such parameter
};

// Why a request was not answered by a handler. A door says it in its own words.
struct DoorRefusal {
    const HttpRequest& request;
    RefusedAt at;
    Error error;
    int status = 0;  // what HTTP itself demands: 405, 408, 413, 414, 431 …; 0: the door decides by
                     // error.code
    std::string_view allow = {};  // with 405: the methods there are
};
using WriteRefusal = std::function<void(const DoorRefusal&, Exchange)>;
// Answers OPTIONS; `allow` as in DoorRefusal.
using WriteOptions = std::function<void(std::string_view allow, Exchange)>;
// What a contract decides by the path alone, before there are routes; empty if it does not. The
// answer is called before the request goes.
using AnswerByPath = std::function<void(Exchange&)>;
using DecideByPath = std::function<AnswerByPath(const HttpRequest&)>;

// One contract: its routes and its manners.
struct Door {
    enum class UnknownParameter : std::uint8_t { refuse, ignore };
    // Where a token may stand. Where several places may hold one, the first of them counts, and of
    // Authorization only a bearer's first word. A Basic password counts only from clients that are
    // no browser: those send it by themselves, whatever page asks.
    enum class TokenPlaces : std::uint8_t {
        authorization,
        query_header_authorization,
        bearer_or_basic_password,
    };

    std::string name;
    std::vector<std::string>
        prefixes;  // paths below these are this door's, known or not; of the first door, all others
    std::vector<Route> routes;
    WriteRefusal refuse;
    UnknownParameter unknown_parameter =
        UnknownParameter::refuse;  // a query parameter its route does not list
    Query::Repeated repeated_parameter = Query::Repeated::refuse;
    // With any_bytes a handler stores nothing of the query that it has not checked.
    Query::Content query_content = Query::Content::text;
    bool slash_in_parameter = false;  // `%2f` may stand in a path
    bool head_is_get = true;          // HEAD is served where GET is
    TokenPlaces token_places = TokenPlaces::authorization;
    std::string token_header = {};     // with query_header_authorization
    WriteOptions answer_options = {};  // else 204 with Allow
    DecideByPath decide_by_path = {};
    // The program stops: answers now what waits by nature.
    std::function<void()> release_waiting = {};
};

}  // namespace belfry
