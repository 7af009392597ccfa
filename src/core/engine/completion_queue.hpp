// Many streams behind one handle to wait for: which of them have something to read.
#pragma once

#include "core/engine/stream.hpp"
#include "platform/notifier.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace mullama::core::engine {

// An event and whose it is.
struct Delivery {
    std::shared_ptr<Stream> stream;
    Event event;
};

// Thread safety: all of it.
class CompletionQueue {
public:
    using Clock = Stream::Clock;

    // `pollable`: has a handle, which costs a system call when it becomes ready.
    explicit CompletionQueue(bool pollable);

    // A stream that was empty has something to read.
    void add(std::shared_ptr<Stream> stream);

    // Fills `out` with at most `most` events that are there, a stream's in their order and streams
    // in turn; waits until there is one, the deadline has come, or stop() was called.
    void take(std::vector<Delivery> &out, std::size_t most, Clock::time_point deadline);
    // Every take() returns at once from now on, and what was not taken is forgotten.
    void stop();
    [[nodiscard]] bool stopped();

    // Ready while there is something to take. Only of a pollable queue.
    [[nodiscard]] platform::Handle::Native handle() const noexcept { return notifier_->handle(); }

private:
    // At most this many of one stream before the next has its turn.
    static constexpr std::size_t events_in_turn = 16;

    std::unique_ptr<platform::Notifier> notifier_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Stream>> ready_;
    bool stopped_ = false;
};

} // namespace mullama::core::engine
