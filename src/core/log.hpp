// Log lines: from an engine, which has one sink for the whole process, to the runtime on whose
// behalf a thread is working, and into the error of the call that failed.
#pragma once

#include "base/error.hpp"
#include "mullama/runtime.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mullama::core {

struct LogLine {
    mullama_log_level_t level = MULLAMA_LOG_NONE;
    std::string text;
};

// Where one runtime's lines go. Thread safety: all of it.
class Log {
public:
    // Replaces the sink. When this returns, no thread is inside the old one.
    void set_sink(mullama_log_level_t level, mullama_log_fn sink, void *user_data);
    // Keeps the newest `size` lines.
    void set_ring(mullama_log_level_t level, std::size_t size);

    struct Taken {
        std::optional<LogLine> line; // the oldest in the ring
        std::size_t lost = 0;        // lines that made room since the last call
    };
    [[nodiscard]] Taken take();

    // Whether a line of this level would reach anybody.
    [[nodiscard]] bool wants(mullama_log_level_t level) const noexcept {
        return level <= sink_level_.load(std::memory_order_relaxed) ||
               level <= ring_level_.load(std::memory_order_relaxed);
    }
    // Drops the line when there is no memory for it. What is not UTF-8 becomes U+FFFD.
    void write(mullama_log_level_t level, std::string_view line) noexcept;

private:
    struct Sink {
        mullama_log_fn call = nullptr;
        void *user_data = nullptr;
        std::size_t inside = 0; // how many threads are
    };

    void write_to_sink(mullama_log_level_t level, const std::string &line);
    void write_to_ring(mullama_log_level_t level, std::string &&line);

    // Not held while a sink runs. Who replaces it waits for those inside the old one, and lines
    // that come meanwhile go to the new one, so that a busy log keeps nobody waiting.
    std::mutex sink_mutex_;
    std::condition_variable sink_left_;
    std::shared_ptr<Sink> sink_;
    std::atomic<int> sink_level_{MULLAMA_LOG_NONE};

    std::mutex ring_mutex_;
    std::deque<LogLine> ring_;
    std::size_t ring_size_ = 0;
    std::size_t lost_ = 0;
    std::atomic<int> ring_level_{MULLAMA_LOG_NONE};
};

// While it lives, the engine's lines from this thread go to `log`, and the newest warnings and
// errors among them are kept for an error. Scopes nest; the innermost one counts. Costs two writes
// to a thread-local variable when nothing is said.
class LogScope {
public:
    explicit LogScope(Log &log) noexcept;
    LogScope(const LogScope &) = delete;
    LogScope &operator=(const LogScope &) = delete;
    ~LogScope();

    // What an engine says on this thread goes here: to the innermost scope, or to the default
    // runtime without one.
    static void route(mullama_log_level_t level, std::string_view line) noexcept;

    // Gives the kept lines to an error that has none of its own.
    void attach_to(base::Error &error) const;

private:
    void keep(std::string_view line);

    Log &log_;
    LogScope *outer_;
    std::string kept_;
};

// Runs `body` in a LogScope; an error that it throws takes the engine's warnings and errors along.
template <class Body>
decltype(auto) with_log(Log &log, Body &&body) {
    LogScope scope(log);
    try {
        return std::forward<Body>(body)();
    } catch (base::Error &error) {
        scope.attach_to(error);
        throw;
    }
}

} // namespace mullama::core
