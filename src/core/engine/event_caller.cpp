#include "core/engine/event_caller.hpp"

#include "platform/signal_mask.hpp"
#include "platform/thread.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace mullama::core::engine {
namespace {

constexpr std::size_t events_at_once = 64;

} // namespace

EventCaller::EventCaller(std::shared_ptr<CompletionQueue> queue,
                         std::function<void(const Delivery &)> call)
    : queue_(std::move(queue)), call_(std::move(call)) {
    // The host's signals are not for this thread.
    const platform::SignalsBlocked blocked;
    thread_ = std::thread([this] {
        platform::set_thread_name("mullama-queue");
        run();
    });
}

EventCaller::~EventCaller() {
    queue_->stop();
    thread_.join();
}

void EventCaller::run() {
    std::vector<Delivery> taken;
    while (!queue_->stopped()) {
        queue_->take(taken, events_at_once, Stream::Clock::time_point::max());
        for (const Delivery &delivery : taken) {
            call_(delivery);
        }
    }
}

} // namespace mullama::core::engine
