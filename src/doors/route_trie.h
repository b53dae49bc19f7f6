// Path patterns as a tree of segments: what a path matches, in as many steps as it has segments.
// Literal segments win over parameters, parameters over the rest of the path.
#pragma once

#include "doors/routes.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

// Owned by the Router. I/O thread only.
class RouteTrie {
 public:
    static constexpr std::size_t kMethods = static_cast<std::size_t>(Method::other) + 1;

    // What stands at one pattern: a route number per method.
    struct Entry {
        static constexpr std::uint32_t kNone = ~0U;
        std::array<std::uint32_t, kMethods> routes;
        std::vector<std::string> parameters;  // names, in path order
        std::string allow;                    // "GET, HEAD, OPTIONS"
    };
    struct Match {
        const Entry* entry = nullptr;  // nullptr: nothing matches
        PathParameters parameters;
    };
    enum class Slash : bool { separates, may_be_encoded };

    RouteTrie();
    ~RouteTrie();
    RouteTrie(const RouteTrie&) = delete;
    RouteTrie& operator=(const RouteTrie&) = delete;

    // ASSERTs that the pattern is well-formed and the method still free.
    void add(Method method, std::string_view pattern, std::uint32_t route);

    // `raw`: the path as it came. Values are views into it or into `memory`. bad_request for
    // malformed escapes, control characters, `.` and `..` segments, and encoded slashes unless they
    // are allowed.
    [[nodiscard]] Result<Match> find(std::string_view raw, Slash slash, std::string& memory) const;

 private:
    struct Node;
    struct Path;
    static const Entry* walk(
        const Node& node,
        const Path& path,
        std::size_t segment,
        std::size_t count,
        PathParameters& parameters
    );

    std::unique_ptr<Node> root_;
};

}  // namespace belfry
