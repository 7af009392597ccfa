// How other threads reach the one that decodes: what they submit, and a reason to look again.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace mullama::core::engine {

struct Job;

// Thread safety: all of it. Streams keep it alive: they may outlive the engine.
class Inbox {
public:
    // Puts jobs behind those that are there.
    void post(std::vector<std::shared_ptr<Job>> jobs) {
        {
            const std::lock_guard lock(mutex_);
            if (jobs_.empty()) {
                jobs_ = std::move(jobs);
            } else {
                jobs_.insert(jobs_.end(), std::make_move_iterator(jobs.begin()),
                             std::make_move_iterator(jobs.end()));
            }
            woken_ = true;
        }
        changed_.notify_one();
    }

    // Makes a wait() in progress, or the next one, return.
    void wake() {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        changed_.notify_one();
    }

    // What was posted since the last time, in order.
    void collect(std::vector<std::shared_ptr<Job>> &out) {
        out.clear();
        const std::lock_guard lock(mutex_);
        out.swap(jobs_);
        woken_ = false;
    }

    // Until something was posted or woke it, or the time has come.
    template <class TimePoint>
    void wait_until(const TimePoint &time) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, time, [this] { return woken_; });
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return woken_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Job>> jobs_;
    bool woken_ = false;
};

} // namespace mullama::core::engine
