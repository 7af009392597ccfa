#include "core/engine/stream.hpp"

#include "core/engine/completion_queue.hpp"

#include <algorithm>
#include <utility>

namespace mullama::core::engine {

Stream::Stream(std::shared_ptr<Inbox> inbox, std::uint32_t n, std::size_t capacity,
               std::shared_ptr<CompletionQueue> queue, std::uint64_t tag)
    : inbox_(std::move(inbox)), n_(n), queue_(std::move(queue)), tag_(tag), limit_(capacity * n),
      unfinished_(n), outcomes_(n), told_(n, false) {
}

bool Stream::take(Event &event) {
    if (size_ == 0) {
        event.clear();
        event.kind = unfinished_ == 0 ? MULLAMA_EVENT_END : MULLAMA_EVENT_NONE;
        return unfinished_ == 0;
    }
    std::swap(event, ring_[first_]);
    ring_[first_].clear();
    first_ = (first_ + 1) % ring_.size();
    --size_;
    if (event.kind == MULLAMA_EVENT_DONE) {
        told_[event.continuation] = true;
    }
    return true;
}

void Stream::after_take(std::unique_lock<std::mutex> &lock) {
    // Half empty, so that the engine is not woken for each event of a slow reader.
    const bool wake = stalled_ && size_ <= limit_ / 2;
    if (wake) {
        stalled_ = false;
    }
    lock.unlock();
    if (wake) {
        inbox_->wake();
    }
}

void Stream::try_next(Event &event) {
    std::unique_lock lock(mutex_);
    take(event);
    after_take(lock);
}

bool Stream::take_ready(Event &event) {
    std::unique_lock lock(mutex_);
    take(event);
    if (event.kind == MULLAMA_EVENT_END) {
        event.kind = MULLAMA_EVENT_NONE;
    }
    const bool more = size_ > 0;
    after_take(lock);
    return more;
}

template <class Wait>
void Stream::next_with(Event &event, const Wait &wait) {
    std::unique_lock lock(mutex_);
    if (!take(event)) {
        reader_waits_ = true;
        wait(lock);
        reader_waits_ = false;
        take(event);
    }
    after_take(lock);
}

void Stream::next(Event &event) {
    next_with(event, [this](std::unique_lock<std::mutex> &lock) {
        changed_.wait(lock, [this] { return size_ > 0 || unfinished_ == 0; });
    });
}

void Stream::next_until(Event &event, Clock::time_point deadline) {
    next_with(event, [this, deadline](std::unique_lock<std::mutex> &lock) {
        changed_.wait_until(lock, deadline, [this] { return size_ > 0 || unfinished_ == 0; });
    });
}

Outcome Stream::outcome(std::uint32_t continuation) const {
    const std::lock_guard lock(mutex_);
    return told_[continuation] ? outcomes_[continuation] : Outcome();
}

void Stream::cancel() {
    if (!cancelled_.exchange(true)) {
        inbox_->wake();
    }
}

bool Stream::has_room() noexcept {
    const std::lock_guard lock(mutex_);
    stalled_ = size_ + n_ > limit_ && size_ > 0;
    return !stalled_;
}

void Stream::announce(std::unique_lock<std::mutex> &lock) {
    const bool first = size_ == 1;
    const bool notify = reader_waits_;
    lock.unlock();
    if (notify) {
        changed_.notify_one();
    }
    if (first && queue_) {
        queue_->add(shared_from_this());
    }
}

void Stream::push(Event &event) {
    if (size_ == ring_.size()) {
        // Into a larger ring, in order.
        std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(first_),
                    ring_.end());
        first_ = 0;
        ring_.resize(std::max<std::size_t>(4, 2 * ring_.size()));
    }
    std::swap(ring_[(first_ + size_) % ring_.size()], event);
    event.clear();
    ++size_;
}

void Stream::put(Event &event) {
    std::unique_lock lock(mutex_);
    push(event);
    announce(lock);
}

void Stream::finish(std::uint32_t continuation, Outcome outcome) {
    Event last;
    last.kind = MULLAMA_EVENT_DONE;
    last.continuation = continuation;
    std::unique_lock lock(mutex_);
    push(last);
    outcomes_[continuation] = std::move(outcome);
    --unfinished_;
    announce(lock);
}

} // namespace mullama::core::engine
