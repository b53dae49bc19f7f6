// The promise of router.h that routing allocates nothing. The sanitizers bring their own operator
// new, so it is held in the other builds.
#include "auth/open_access.h"
#include "doors/router.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace {
std::size_t allocations = 0;
}

// They stand on malloc, as the library's do.
// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
void* operator new(std::size_t size) {
    ++allocations;
    void* memory = std::malloc(size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

namespace belfry {
namespace {

class CountingConnection final : public HttpConnection {
 public:
    int answers = 0;

    void respond(std::uint64_t, const HttpResponse& response) override {
        answers += response.status == 200 ? 1 : 0;
    }
    void begin_stream(std::uint64_t, const HttpResponse&) override {}
    bool write(std::uint64_t, const StreamPiece&) override { return true; }
    void end_stream(std::uint64_t) override {}
    [[nodiscard]] std::size_t unsent(std::uint64_t) const override { return 0; }
    void on_drained(std::uint64_t, std::move_only_function<void()>) override {}
    [[nodiscard]] bool alive(std::uint64_t) const override { return true; }
    void on_gone(std::uint64_t, std::move_only_function<void()>) override {}
    void dropped(std::uint64_t) override {}
};

std::size_t allocations_of(Router& router, const HttpRequest& request) {
    CountingConnection connection;
    std::size_t before = allocations;
    for (std::uint64_t i = 0; i < 100; ++i) {
        EXPECT_GT(router.admit(request).body_limit, 0U);
        router.handle(request, Exchange(&connection, i));
    }
    std::size_t made = allocations - before;
    EXPECT_EQ(connection.answers, 100);
    return made;
}

TEST(RouterAllocations, AFoundRequestCostsNone) {
    std::vector<Door> doors;
    doors.push_back(Door{.name = "only", .prefixes = {"/api/"}, .routes = {}, .refuse = nullptr});
    doors.front().routes.push_back(Route{
        .method = Method::post,
        .path = "/api/v1/events/{id}/data",
        .needs = Needs(Resource::event, Verb::write, "id"),
        .handler = [](RequestContext& context) { context.exchange.respond(HttpResponse()); },
        .doc = {.summary = "nothing", .parameters = {{.name = "type", .text = ""}}},
        .body = BodyKind::events,
    });
    OpenAccess access(Exposure::loopback_only);
    Limits limits;
    Router router(std::move(doors), access, limits);
    std::array<HeaderField, 3> headers{{
        {"Host", "localhost:8420"},
        {"Content-Type", "application/octet-stream"},
        {"Authorization", "Bearer a-token-of-some-length-that-fits-no-small-string"},
    }};
    HttpRequest request;
    request.method = Method::post;
    request.path = "/api/v1/events/an-id-of-some-length-that-fits-no-small-string/data";
    request.query = "type=deploy.of.something.with.a.long.name.indeed";
    request.headers = headers;
    request.peer_is_loopback = true;
    allocations_of(router, request);  // what all requests share is made once
    EXPECT_EQ(allocations_of(router, request), 0U);

    // The control: an escape costs memory, and the counter sees it.
    request.query = "type=deploy%2eof.something.with.a.long.name.indeed";
    EXPECT_GE(allocations_of(router, request), 100U);
}

}  // namespace
}  // namespace belfry

#endif
