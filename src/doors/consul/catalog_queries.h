// Blocking queries of the catalog (contract: the Consul API, "Blocking Queries"): an answer waits
// as long as the services are those of the index that the client has. Services change seldom and
// few clients watch them, so who waits is looked at once a second. Owned by the door. I/O thread
// only.
#pragma once

#include "base/clock.h"
#include "catalog/services.h"
#include "doors/consul/answer.h"

#include <functional>
#include <string>
#include <vector>

namespace belfry {

class CatalogQueries {
 public:
    using MakeJson = std::function<std::string()>;

    CatalogQueries(Clock& clock, const Services& services, ConsulAnswers& answers)
        : clock_(clock), services_(services), answers_(answers) {}
    ~CatalogQueries() { clock_.cancel(timer_); }
    CatalogQueries(const CatalogQueries&) = delete;
    CatalogQueries& operator=(const CatalogQueries&) = delete;

    // Answers what `make` gives, then or later; nothing of the request is needed after return but
    // what `make` holds.
    void ask(RequestContext& context, MakeJson make);
    // Answers whoever waits, as at his deadline: the program stops.
    void release_all();
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
    struct Waiting {
        Exchange exchange;
        MakeJson make;
        JsonForm form;
        std::shared_ptr<const Grant> grant;
        std::uint64_t index = 0;
        MonoTime deadline{};
    };
    void answer(Waiting& waiting);
    void look();

    // Constant after construction.
    Clock& clock_;
    const Services& services_;
    ConsulAnswers& answers_;
    // I/O thread.
    std::vector<Waiting> waiting_;
    TimerId timer_;
};

}  // namespace belfry
