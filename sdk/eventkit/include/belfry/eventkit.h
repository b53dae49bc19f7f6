// Everything of EventKit for C++: extensions for Steadybit's Event API. Needs the standard library
// alone.
#pragma once

#include <belfry/eventkit/context.h>
#include <belfry/eventkit/event.h>
#include <belfry/eventkit/extension.h>
#include <belfry/eventkit/options.h>
