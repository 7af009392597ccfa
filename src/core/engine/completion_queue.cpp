#include "core/engine/completion_queue.hpp"

#include <utility>

namespace mullama::core::engine {

CompletionQueue::CompletionQueue(bool pollable)
    : notifier_(pollable ? std::make_unique<platform::Notifier>() : nullptr) {
}

void CompletionQueue::add(std::shared_ptr<Stream> stream) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return;
        }
        if (ready_.empty() && notifier_) {
            notifier_->signal();
        }
        ready_.push_back(std::move(stream));
    }
    changed_.notify_one();
}

void CompletionQueue::take(std::vector<Delivery> &out, std::size_t most,
                           Clock::time_point deadline) {
    out.clear();
    std::unique_lock lock(mutex_);
    const auto something = [this] { return stopped_ || !ready_.empty(); };
    if (deadline == Clock::time_point::max()) {
        changed_.wait(lock, something);
    } else {
        changed_.wait_until(lock, deadline, something);
    }
    while (out.size() < most && !ready_.empty()) {
        const std::shared_ptr<Stream> stream = std::move(ready_.front());
        ready_.pop_front();
        // A stream adds itself, under this lock, once it is empty and gets an event again.
        lock.unlock();
        bool more = true;
        for (std::size_t taken = 0; more && taken < events_in_turn && out.size() < most; ++taken) {
            Delivery &next = out.emplace_back();
            more = stream->take_ready(next.event);
            if (next.event.kind == MULLAMA_EVENT_NONE) {
                out.pop_back();
            } else {
                next.stream = stream;
            }
        }
        lock.lock();
        if (more && !stopped_) {
            ready_.push_back(stream);
        }
    }
    if (ready_.empty() && notifier_ && !stopped_) {
        notifier_->reset();
    }
}

bool CompletionQueue::stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void CompletionQueue::stop() {
    // Streams keep their queue alive: what waits here must not keep them alive in turn.
    std::deque<std::shared_ptr<Stream>> forgotten;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        forgotten.swap(ready_);
        if (notifier_) {
            notifier_->signal();
        }
    }
    changed_.notify_all();
}

} // namespace mullama::core::engine
