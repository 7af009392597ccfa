// The events of one request on their way to whoever asked: bounded, so that a reader who stops
// costs no more memory than its queue.
#pragma once

#include "core/engine/event.hpp"
#include "core/engine/inbox.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace mullama::core::engine {

class CompletionQueue;

// Thread safety: one reader, one writer, cancel() from any thread.
class Stream : public std::enable_shared_from_this<Stream> {
public:
    using Clock = std::chrono::steady_clock;

    // `n`: continuations; `capacity`: events of each that may wait; `queue`: who is told when there
    // is something to read, perhaps nobody; `tag`: what it calls this stream.
    Stream(std::shared_ptr<Inbox> inbox, std::uint32_t n, std::size_t capacity,
           std::shared_ptr<CompletionQueue> queue, std::uint64_t tag);
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    // For the reader.

    // Fills `event` with what is next: MULLAMA_EVENT_END when nothing more comes, _NONE when
    // nothing is there (yet, or within the time given).
    void try_next(Event &event);
    void next(Event &event);
    void next_until(Event &event, Clock::time_point deadline);
    // For the completion queue: as try_next(), and _NONE where nothing is there. Whether there is
    // more now; the stream adds itself to the queue when it becomes so later.
    bool take_ready(Event &event);
    // How a continuation went; its reason is MULLAMA_STOP_NONE until its last event was read.
    [[nodiscard]] Outcome outcome(std::uint32_t continuation) const;
    [[nodiscard]] std::uint32_t n() const noexcept { return n_; }
    [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
    [[nodiscard]] bool has_queue() const noexcept { return queue_ != nullptr; }

    // Any thread: all continuations end with MULLAMA_STOP_CANCELLED.
    void cancel();
    [[nodiscard]] bool cancelled() const noexcept {
        return cancelled_.load(std::memory_order_relaxed);
    }

    // For the engine.

    // Whether each continuation could put an event; where not, the reader will wake the engine.
    [[nodiscard]] bool has_room() noexcept;
    // Only after has_room(). Swaps the event's memory with that of one that was read.
    void put(Event &event);
    // The last event of a continuation; never waits.
    void finish(std::uint32_t continuation, Outcome outcome);

private:
    // The mutex is held.
    bool take(Event &event);
    void push(Event &event);
    void announce(std::unique_lock<std::mutex> &lock);
    void after_take(std::unique_lock<std::mutex> &lock);
    template <class Wait>
    void next_with(Event &event, const Wait &wait);

    const std::shared_ptr<Inbox> inbox_;
    const std::uint32_t n_;
    const std::shared_ptr<CompletionQueue> queue_;
    const std::uint64_t tag_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // A ring: grows up to limit_ and n_ last events more.
    std::vector<Event> ring_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    std::size_t limit_;
    bool reader_waits_ = false;
    // The engine left the stream out because it was full.
    bool stalled_ = false;
    std::uint32_t unfinished_;
    std::vector<Outcome> outcomes_;
    // Which of them were read.
    std::vector<bool> told_;
    std::atomic<bool> cancelled_{false};
};

} // namespace mullama::core::engine
