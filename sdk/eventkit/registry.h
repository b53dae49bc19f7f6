// The listeners and index members an extension has so far, and the Index made of them. Owned by the
// extension; any thread. What the index says and the tag it says it under change together.
#pragma once

#include "base/error.h"
#include "eventkit/index.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace belfry::eventkit {

class Registry {
 public:
    Registry();

    // bad_request says what is wrong with a path, the names or a member; nothing has changed then.
    [[nodiscard]] Result<void> listen(const std::string& path, Method method, Route::Wish wish);
    [[nodiscard]] Result<void> set_member(const std::string& name, const std::string& json);
    [[nodiscard]] std::shared_ptr<const Index> current() const;

 private:
    void make_index();

    const std::string start_;  // the part of tags that is of this process alone
    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::uint64_t version_ = 0;
    std::vector<std::shared_ptr<const Route>> routes_;
    std::map<std::string, std::string> members_;
    std::shared_ptr<const Index> index_;
};

}  // namespace belfry::eventkit
