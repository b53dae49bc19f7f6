// Reads bodies of events, one a line, and writes one line for each: `made`, a tab and the body that
// the kit makes of what it read, or `refused`, a tab, the member at fault, a tab and what is wrong.
#include <belfry/eventkit.h>

#include <iostream>
#include <string>

namespace kit = belfry::eventkit;

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        if (const auto event = kit::parse_event(line)) {
            std::cout << "made\t" << kit::to_json(*event) << '\n';
        } else {
            std::cout << "refused\t" << event.error().field << '\t' << event.error().detail << '\n';
        }
    }
    return 0;
}
