# One interface target carries every flag, so a room cannot forget one.
option(BELFRY_FUZZ "Build the fuzz targets (needs a sanitized build)" OFF)
set(BELFRY_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

add_library(belfry_flags INTERFACE)
target_compile_options(belfry_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Werror
    -Wno-missing-designated-field-initializers  # members that are left out have defaults
    -pthread  # of rooms without threads too, because rooms share a precompiled header
    -Xclang -fno-pch-timestamp -fstack-protector-strong -fcf-protection -ftrivial-auto-var-init=zero -fno-omit-frame-pointer)
target_compile_definitions(belfry_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(belfry_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_link_options(belfry_flags INTERFACE -fuse-ld=lld -Wl,-z,relro,-z,now,--gc-sections)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

if(BELFRY_SANITIZE)
    target_compile_options(belfry_flags INTERFACE "-fsanitize=${BELFRY_SANITIZE}" -fno-sanitize-recover=all)
    target_link_options(belfry_flags INTERFACE "-fsanitize=${BELFRY_SANITIZE}")
    # What steers a fuzzer, for the code that it explores: it takes a third of the time that tests need to compile.
    set(BELFRY_EXPLORED "$<$<BOOL:${BELFRY_FUZZ}>:-fsanitize=fuzzer-no-link>")
else()
    target_compile_options(belfry_flags INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
endif()
