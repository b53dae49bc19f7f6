#include "catalog/extensions.h"

#include "base/logging.h"
#include "catalog/extension_document.h"

#include <utility>

namespace belfry {

namespace {

constexpr std::string_view kExtensions = "extensions/";

std::unexpected<Error> unknown_extension(std::string_view key) {
    return fail(
        Errc::not_found,
        "there is no extension named '" + std::string(key.substr(key.find('/') + 1)) + "'"
    );
}

}  // namespace

Extensions::Key Extensions::key(std::string_view tenant, std::string_view name) {
    return std::string(tenant).append("/").append(name);
}

void Extensions::start(Task on_ready) {
    kv_.watch(
        std::string(kExtensions),
        [this](const KvChange& change) { changed(change); },
        std::move(on_ready)
    );
}

void Extensions::changed(const KvChange& change) {
    const Key place = change.key.substr(kExtensions.size());
    extensions_.erase(place);
    if (!change.value) {
        return;
    }
    Result<RegisteredExtension> extension = parse_stored_extension(*change.value);
    if (extension && key(extension->tenant, extension->name) == place) {
        extensions_.emplace(place, *std::move(extension));
        return;
    }
    log_error(
        "an extension's document cannot be read; the extension counts as not registered",
        {{"extension", place}, {"error", extension ? "it names another" : extension.error().detail}}
    );
}

const RegisteredExtension* Extensions::find(std::string_view key) const {
    const auto found = extensions_.find(key);
    return found == extensions_.end() ? nullptr : &found->second;
}

const RegisteredExtension* Extensions::find_identity(
    std::string_view tenant, std::string_view identity
) const {
    for (const auto& [place, extension] : extensions_) {
        if (extension.tenant == tenant && extension.identity() == identity) {
            return &extension;
        }
    }
    return nullptr;
}

std::vector<const RegisteredExtension*> Extensions::list(std::string_view tenant) const {
    std::vector<const RegisteredExtension*> found;
    for (const auto& [place, extension] : extensions_) {
        if (extension.tenant == tenant) {
            found.push_back(&extension);
        }
    }
    return found;
}

std::vector<const RegisteredExtension*> Extensions::all() const {
    std::vector<const RegisteredExtension*> found;
    for (const auto& [place, extension] : extensions_) {
        found.push_back(&extension);
    }
    return found;
}

void Extensions::put(const RegisteredExtension& extension, Done done) {
    const Key place = key(extension.tenant, extension.name);
    if (!extensions_.contains(place) && list(extension.tenant).size() >= limits_.extensions) {
        return done(std::unexpected(Error{
            .code = Errc::rate_limited,
            .detail = "the tenant has as many extensions as it may; remove one first",
            .limit = limits_.extensions
        }));
    }
    std::string document = stored_extension_json(extension);
    if (document.size() > limits_.document_bytes) {
        return done(std::unexpected(Error{
            .code = Errc::too_large,
            .detail = "the extension's document has " + std::to_string(document.size()) + " bytes",
            .limit = limits_.document_bytes
        }));
    }
    kv_.put(
        std::string(kExtensions) + place,
        std::move(document),
        Expect{},
        [done = std::move(done)](Result<Revision> written) mutable {
            done(written ? Result<void>() : std::unexpected(std::move(written.error())));
        }
    );
}

void Extensions::remove(const Key& key, Done done) {
    if (!extensions_.contains(key)) {
        return done(unknown_extension(key));
    }
    kv_.remove(
        std::string(kExtensions) + key,
        Expect{},
        [key, done = std::move(done)](Result<Revision> removed) mutable {
            if (removed) {
                return done({});
            }
            done(
                removed.error().code == Errc::not_found
                    ? Result<void>(unknown_extension(key))
                    : std::unexpected(std::move(removed.error()))
            );
        }
    );
}

}  // namespace belfry
