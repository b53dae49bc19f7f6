// How many events were published since the start, by their type and the door they came by. So many
// types have a count of their own; all others share one, so that whoever makes up types fills no
// memory. Owned by the hub. I/O thread only.
#pragma once

#include "engine/log.h"
#include "event/event.h"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace belfry {

class PublishCounts {
 public:
    static constexpr std::size_t kTypesMax = 200;  // of one door
    static constexpr std::string_view kOtherTypes = "__other__";

    // The counts that one request adds to, found while its events are there.
    class Tally {
     public:
        // What is a duplicate was published before.
        void add(std::span<const Appended> receipts) const;

     private:
        friend class PublishCounts;
        std::uint64_t* all_ = nullptr;      // of all events, when they have one type
        std::vector<std::uint64_t*> each_;  // else
    };
    // `events` is not empty. The tally must not outlive this.
    [[nodiscard]] Tally tally(std::span<const Event> events, std::string_view door);

    // visit(door, type, count)
    template <typename F>
    void for_each(F visit) const {
        for (const auto& [door, types] : doors_) {
            for (const auto& [type, count] : types) {
                visit(door, type, count);
            }
        }
    }

 private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Types = std::unordered_map<std::string, std::uint64_t, TextHash, std::equal_to<>>;

    [[nodiscard]] static std::uint64_t& count_of(Types& types, std::string_view type);

    std::map<std::string, Types, std::less<>> doors_;
};

}  // namespace belfry
