# The commit, read when the build is configured; `cmake` again brings it up to date. Packages set BELFRY_COMMIT.
set(BELFRY_COMMIT "" CACHE STRING "Commit shown by `belfry version`; empty: ask git")
set(belfry_commit_text "${BELFRY_COMMIT}")
if(NOT belfry_commit_text)
    execute_process(
        COMMAND git describe --always --dirty --abbrev=12
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        OUTPUT_VARIABLE belfry_commit_text OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT belfry_commit_text)
    set(belfry_commit_text "unknown")
endif()
configure_file("${PROJECT_SOURCE_DIR}/src/app/build_version.h.in" "${PROJECT_BINARY_DIR}/generated/build_version.h" @ONLY)
