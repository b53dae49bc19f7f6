#include "doors/steadybit/errors.h"
#include "doors/steadybit/index.h"
#include "doors/steadybit/intake.h"
#include "doors/steadybit/steadybit_door.h"

#include <memory>

namespace belfry {

namespace {

void add_index(Door& door, const std::shared_ptr<OwnIndex>& index, std::string path) {
    door.routes.push_back(Route{
        .method = Method::get,
        .path = std::move(path),
        .needs = Needs(Resource::none, Verb::read),  // it says nothing of this hub
        .handler = [index](RequestContext& context) { index->answer(context); },
        .doc =
            {.summary = "The event listeners of Belfry as an extension of Steadybit",
             .parameters =
                 {{.in = ParameterDoc::In::header,
                   .name = "If-None-Match",
                   .text = "an ETag of this answer, quoted or bare, a list of them, or *"}},
             .answers =
                 {{.text = "the list"}, {.status = 304, .text = "as before", .media_type = ""}}},
    });
}

void add_events(Door& door, const std::shared_ptr<SteadybitIntake>& intake, std::string path) {
    door.routes.push_back(Route{
        .method = Method::post,
        .path = std::move(path),
        .needs = Needs(Resource::event, Verb::write),  // the hub asks again, with the type
        .handler = [intake](RequestContext& context) { intake->take(context); },
        .doc =
            {.summary = "Take in an event of Steadybit",
             .request_media_types = {"application/json"},
             .answers = {{.text = "an empty object, once the event is durable"}}},
        .body = BodyKind::event,
    });
}

}  // namespace

Door steadybit_door(const SteadybitDoorPorts& ports) {
    auto index = std::make_shared<OwnIndex>(ports.clock.wall());
    auto intake = std::make_shared<SteadybitIntake>(
        ports.hub,
        ports.limits,
        ports.options.strict_status ? MalformedStatus::strict : MalformedStatus::as_extensions
    );
    Door door{
        .name = "steadybit",
        .prefixes = {"/steadybit", "/events"},
        .routes = {},
        .refuse = refuse_in_steadybits_words
    };
    // An agent asks the URL it was given, with whatever end that has.
    add_index(door, index, "/steadybit");
    add_index(door, index, "/steadybit/");
    add_events(door, intake, "/steadybit/events");
    add_events(door, intake, "/events");  // for agents that resolve the path against the origin
    door.unknown_parameter = Door::UnknownParameter::ignore;
    door.repeated_parameter = Query::Repeated::first_counts;
    door.token_places = Door::TokenPlaces::bearer_or_basic_password;
    return door;
}

}  // namespace belfry
