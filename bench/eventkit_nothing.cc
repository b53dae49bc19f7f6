// An extension whose listener does nothing: what the kit costs by itself.
#include <belfry/eventkit.h>

int main() {
    belfry::eventkit::Extension extension;
    extension.listen("/events", {"*"}, [](const belfry::eventkit::Event&) {});
    return extension.run();
}
