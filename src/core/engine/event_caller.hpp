// Calls for each event of a completion queue, on a thread of its own.
#pragma once

#include "core/engine/completion_queue.hpp"

#include <functional>
#include <memory>
#include <thread>

namespace mullama::core::engine {

class EventCaller {
public:
    // `call` must not throw.
    EventCaller(std::shared_ptr<CompletionQueue> queue, std::function<void(const Delivery &)> call);
    EventCaller(const EventCaller &) = delete;
    EventCaller &operator=(const EventCaller &) = delete;
    // Stops the queue and waits for the call under way.
    ~EventCaller();

private:
    void run();

    std::shared_ptr<CompletionQueue> queue_;
    std::function<void(const Delivery &)> call_;
    std::thread thread_;
};

} // namespace mullama::core::engine
