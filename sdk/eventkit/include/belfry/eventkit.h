// All of the kit: an extension in the style of Steadybit's, as one HTTP server.
#pragma once

#include <belfry/eventkit/event.h>
