// Work as a value, and the places that run it.
#pragma once

#include <functional>

namespace belfry {

using Task = std::move_only_function<void()>;

// A place where tasks run one after another, in the order posted. The I/O loop is one, each worker
// thread is one, and the simulation's queue is one. `post` may be called from any thread and never
// runs the task itself. Queues behind it are bounded by what their callers may have outstanding.
class Executor {
 public:
    virtual ~Executor() = default;
    virtual void post(Task task) = 0;
};

}  // namespace belfry
