// The request that the load generator sends again and again: one event as a plain body or fired as
// by a client of Consul, or a batch of CloudEvents whose ids are made anew for each sending. Owned
// by a connection; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

enum class LoadFormat : std::uint8_t {
    plain,       // one event, described by parameters
    consul,      // one event, fired by Consul's API
    json_batch,  // application/cloudevents-batch+json
    ndjson,      // application/x-ndjson
};

struct LoadShape {
    std::string type = "bench";
    std::size_t size = 200;  // bytes of data of an event
    std::size_t events = 1;  // of a request; plain and consul have one
    LoadFormat format = LoadFormat::plain;
};

class LoadRequest {
 public:
    // `headers` are lines that end in CRLF: Host, Authorization. `run` tells the ids of this run
    // from those of any other.
    LoadRequest(const LoadShape& shape, std::string_view headers, std::uint32_t run);

    // Gives the events of a batch the ids `first`, `first` + 1, …
    void number_events(std::uint64_t first);
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
    std::string bytes_;
    std::vector<std::size_t> numbers_;  // where in bytes_ an id's number stands
};

}  // namespace belfry
