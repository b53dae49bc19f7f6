#include "event/event.h"

namespace belfry {

namespace {

std::optional<std::string_view> if_present(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

std::optional<std::string_view> Event::attribute(std::string_view name) const {
    // The length tells the eight names nearly apart.
    switch (name.size()) {
        case 2:
            if (name == "id") {
                return if_present(id);
            }
            break;
        case 4:
            if (name == "type") {
                return if_present(type);
            }
            if (name == "time") {
                return if_present(time);
            }
            break;
        case 6:
            if (name == "source") {
                return if_present(source);
            }
            break;
        case 7:
            if (name == "subject") {
                return if_present(subject);
            }
            break;
        case 10:
            if (name == "dataschema") {
                return if_present(dataschema);
            }
            break;
        case 11:
            if (name == "specversion") {
                return "1.0";
            }
            break;
        case 15:
            if (name == "datacontenttype") {
                return if_present(datacontenttype);
            }
            break;
        default:
            break;
    }
    for (const Extension& extension : extensions) {
        if (extension.name == name) {
            return extension.value;
        }
    }
    return std::nullopt;
}

std::string StoredEvent::id() const {
    if (!event.id.empty()) {
        return std::string(event.id);
    }
    const UuidText text = uuid_text(uuid());
    return {text.data(), text.size()};
}

}  // namespace belfry
