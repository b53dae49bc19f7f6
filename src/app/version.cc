#include "app/version.h"

#include "build_version.h"

namespace belfry {

std::string_view version() {
    return kBuildVersion;
}

std::string_view build_commit() {
    return kBuildCommit;
}

std::string version_text() {
    return "belfry " + std::string(version()) + " (" + std::string(build_commit()) + ")";
}

}  // namespace belfry
