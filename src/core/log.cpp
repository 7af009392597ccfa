#include "core/log.hpp"

#include "base/utf8.hpp"
#include "core/runtime.hpp"

#include <utility>

namespace mullama::core {
namespace {

// A pointer and no more, so that there is nothing to construct or destroy with the thread.
thread_local constinit LogScope *innermost = nullptr;

// Of what one call's error takes along: the end says more than the beginning.
constexpr std::size_t max_kept_bytes = 16384;

} // namespace

void Log::set_sink(mullama_log_level_t level, mullama_log_fn sink, void *user_data) {
    auto replacing = sink == nullptr ? nullptr : std::make_shared<Sink>(Sink{sink, user_data});
    std::unique_lock lock(sink_mutex_);
    const std::shared_ptr<const Sink> old = std::exchange(sink_, std::move(replacing));
    sink_level_ = sink == nullptr ? MULLAMA_LOG_NONE : level;
    if (old)
        sink_left_.wait(lock, [&] { return old->inside == 0; });
}

void Log::set_ring(mullama_log_level_t level, std::size_t size) {
    const std::lock_guard lock(ring_mutex_);
    while (ring_.size() > size) {
        ring_.pop_front();
        ++lost_;
    }
    ring_size_ = size;
    ring_level_ = size == 0 ? MULLAMA_LOG_NONE : level;
}

Log::Taken Log::take() {
    const std::lock_guard lock(ring_mutex_);
    Taken taken;
    taken.lost = std::exchange(lost_, 0);
    if (!ring_.empty()) {
        taken.line = std::move(ring_.front());
        ring_.pop_front();
    }
    return taken;
}

void Log::write(mullama_log_level_t level, std::string_view line) noexcept {
    if (level == MULLAMA_LOG_NONE || !wants(level))
        return;
    try {
        std::string text = base::replace_invalid_utf8(line);
        if (level <= sink_level_)
            write_to_sink(level, text);
        if (level <= ring_level_)
            write_to_ring(level, std::move(text));
    } catch (...) {
        // No memory for a log line is no reason to fail what it is about.
        return;
    }
}

void Log::write_to_sink(mullama_log_level_t level, const std::string &line) {
    std::unique_lock lock(sink_mutex_);
    const std::shared_ptr<Sink> sink = sink_;
    if (!sink || level > sink_level_)
        return;
    ++sink->inside;
    lock.unlock();
    sink->call(level, line.c_str(), line.size(), sink->user_data);
    lock.lock();
    if (--sink->inside == 0)
        sink_left_.notify_all();
}

void Log::write_to_ring(mullama_log_level_t level, std::string &&line) {
    const std::lock_guard lock(ring_mutex_);
    if (ring_size_ == 0)
        return;
    if (ring_.size() == ring_size_) {
        ring_.pop_front();
        ++lost_;
    }
    ring_.push_back({level, std::move(line)});
}

LogScope::LogScope(Log &log) noexcept : log_(log), outer_(innermost) {
    innermost = this;
}

LogScope::~LogScope() {
    innermost = outer_;
}

void LogScope::route(mullama_log_level_t level, std::string_view line) noexcept {
    try {
        if (innermost == nullptr) {
            Runtime::process_default()->log().write(level, line);
            return;
        }
        if (level == MULLAMA_LOG_ERROR || level == MULLAMA_LOG_WARN)
            innermost->keep(line);
        innermost->log_.write(level, line);
    } catch (...) {
        // The same: called from inside an engine, which may be C.
        return;
    }
}

void LogScope::keep(std::string_view line) {
    line = line.substr(0, max_kept_bytes);
    if (kept_.size() + line.size() > max_kept_bytes) {
        const std::size_t cut = kept_.find('\n', kept_.size() + line.size() - max_kept_bytes);
        kept_.erase(0, cut == std::string::npos ? cut : cut + 1);
    }
    if (!kept_.empty())
        kept_ += '\n';
    kept_ += line;
}

void LogScope::attach_to(base::Error &error) const {
    if (error.parts().log.empty())
        error.log(kept_);
}

} // namespace mullama::core
