# find_package(belfry-eventkit): the target belfry::eventkit, static; shared if BUILD_SHARED_LIBS is on.
# belfry::eventkit_static and belfry::eventkit_shared are there whatever it says.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
find_dependency(simdjson)
find_dependency(OpenSSL)
find_dependency(Boost COMPONENTS json)
include("${CMAKE_CURRENT_LIST_DIR}/belfry-eventkit-targets.cmake")

if(NOT TARGET belfry::eventkit)
    add_library(belfry::eventkit INTERFACE IMPORTED)
    if(BUILD_SHARED_LIBS)
        set_target_properties(belfry::eventkit PROPERTIES INTERFACE_LINK_LIBRARIES belfry::eventkit_shared)
    else()
        set_target_properties(belfry::eventkit PROPERTIES INTERFACE_LINK_LIBRARIES belfry::eventkit_static)
    endif()
endif()
