# belfry_room(NAME LINKS … [OPTIONS …] [FIXTURES …]): the static library of src/NAME, compiled with the options, and one
# test binary of the *_test.cc files beside the code, many of which include the headers FIXTURES: they are compiled once.
# tools/tidy checks the includes against the same table, because a linker does not see headers.
include(GoogleTest)

# belfry_precompile(TARGET HEADER LIKE): a precompiled header takes as long as a file, so targets whose flags are alike
# (LIKE is a word for them) share that of the first one.
function(belfry_precompile target header like)
    get_property(owner GLOBAL PROPERTY belfry_precompiled_${like})
    if(owner)
        target_precompile_headers(${target} REUSE_FROM ${owner})
    else()
        target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/${header}")
        set_property(GLOBAL PROPERTY belfry_precompiled_${like} ${target})
    endif()
endfunction()

# belfry_gather(TARGET): its files are compiled by the batch, because all of them include much the same: that takes a quarter
# less time. Not in a release or a developer's build, where every file stands by itself and one is changed at a time. In
# one room, therefore, no two files give the same name to different things.
function(belfry_gather target)
    if(BELFRY_SANITIZE)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    endif()
endfunction()

# belfry_tests(TARGET): every test is one of CTest's, in a process of its own. Under a sanitizer such a process takes
# longer to start than most tests run, so there the same tests also stand in a few processes; ./dev runs one kind of the two.
function(belfry_tests target)
    if(BELFRY_SANITIZE)
        gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS alone)
        foreach(index RANGE 3)
            add_test(NAME ${target}.${index} COMMAND ${target})
            set_tests_properties(${target}.${index} PROPERTIES
                LABELS together ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${index}")
        endforeach()
    else()
        gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60)
    endif()
endfunction()

function(belfry_room name)
    cmake_parse_arguments(ROOM "" "" "LINKS;OPTIONS;FIXTURES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${name}/*.cc")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
    if(NOT sources)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE belfry_flags ${ROOM_LINKS})
        return()
    endif()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC belfry_flags ${ROOM_LINKS})
    target_compile_options(${name} PRIVATE ${BELFRY_EXPLORED})
    set(like busy)
    if(NOT ${name} IN_LIST BELFRY_BUSY_ROOMS)
        set(like other)
        target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0>)
    endif()
    if(ROOM_OPTIONS)
        set(like ${name})
        target_compile_options(${name} PRIVATE ${ROOM_OPTIONS})
    endif()
    belfry_precompile(${name} pch.h ${like})
    belfry_gather(${name})
    if(tests)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE ${name} GTest::gmock_main)
        # Tests take longer to compile than they ever run.
        target_compile_options(${name}_test PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O0>)
        if(ROOM_FIXTURES)
            list(TRANSFORM ROOM_FIXTURES PREPEND "${PROJECT_SOURCE_DIR}/src/")
            target_precompile_headers(${name}_test PRIVATE "${PROJECT_SOURCE_DIR}/cmake/pch_test.h" ${ROOM_FIXTURES})
        else()
            belfry_precompile(${name}_test pch_test.h tests)
        endif()
        belfry_gather(${name}_test)
        belfry_tests(${name}_test)
    endif()
endfunction()
