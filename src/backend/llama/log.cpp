#include "backend/llama/log.hpp"

#include <atomic>
#include <new>

#include <llama.h>

namespace mullama::backend::llama {

namespace {

std::atomic<LogSink> current_sink{nullptr};
thread_local LogCapture *innermost = nullptr;

// Whether this thread's unfinished line is gone, as it is when a context ends after it: one that
// the host keeps in a static or thread-local variable. Needs no destructor, so it stays.
thread_local constinit bool is_over = false;

// llama.cpp builds some lines out of several calls, of level CONT or of the same level again.
struct Unfinished {
    ggml_log_level level = GGML_LOG_LEVEL_NONE;
    std::string text;

    Unfinished() = default;
    Unfinished(const Unfinished &) = delete;
    Unfinished &operator=(const Unfinished &) = delete;
    ~Unfinished() { is_over = true; }
};
thread_local Unfinished unfinished;

mullama_log_level_t level_of(ggml_log_level level) noexcept {
    switch (level) {
    case GGML_LOG_LEVEL_ERROR:
        return MULLAMA_LOG_ERROR;
    case GGML_LOG_LEVEL_WARN:
        return MULLAMA_LOG_WARN;
    case GGML_LOG_LEVEL_DEBUG:
        return MULLAMA_LOG_DEBUG;
    default:
        return MULLAMA_LOG_INFO;
    }
}

void finish_line() noexcept {
    if (!is_over && !unfinished.text.empty()) {
        log_line(level_of(unfinished.level), unfinished.text);
        unfinished.text.clear();
    }
}

void on_log(ggml_log_level level, const char *text, void * /*user_data*/) noexcept {
    // Every decode of llama.cpp may log at level DEBUG: nobody listens, nothing is done.
    if (text == nullptr || is_over || (innermost == nullptr && current_sink.load() == nullptr)) {
        return;
    }
    try {
        std::string_view rest = text;
        if (level != GGML_LOG_LEVEL_CONT && level != unfinished.level) {
            finish_line();
            unfinished.level = level;
        }
        for (std::size_t end = rest.find('\n'); end != std::string_view::npos;
             end = rest.find('\n')) {
            unfinished.text.append(rest.substr(0, end));
            finish_line();
            rest.remove_prefix(end + 1);
        }
        unfinished.text.append(rest);
    } catch (...) {
        // Out of memory: the line is lost, the call goes on.
        unfinished.text.clear();
    }
}

} // namespace

void install_log() {
    llama_log_set(on_log, nullptr);
}

void set_sink(LogSink sink) noexcept {
    current_sink.store(sink);
}

void log_line(mullama_log_level_t level, std::string_view line) noexcept {
    if (innermost != nullptr && (level == MULLAMA_LOG_WARN || level == MULLAMA_LOG_ERROR)) {
        try {
            innermost->keep(line);
        } catch (const std::bad_alloc &) {
            // The error goes without this line.
        }
    }
    const LogSink sink = current_sink.load();
    if (sink != nullptr && (innermost == nullptr || !innermost->quiet_)) {
        sink(level, line);
    }
}

LogCapture::LogCapture(Also also) noexcept
    : outer_(innermost), quiet_(also == Also::keep_quiet || (outer_ != nullptr && outer_->quiet_)) {
    finish_line();
    innermost = this;
}

LogCapture::~LogCapture() {
    finish_line();
    innermost = outer_;
}

void LogCapture::keep(std::string_view line) {
    line = line.substr(0, max_kept);
    std::string &where = first_.size() + line.size() <= max_kept && last_.empty() ? first_ : last_;
    where.append(line).push_back('\n');
    if (last_.size() > max_kept) {
        last_.erase(0, last_.find('\n', last_.size() - max_kept) + 1);
    }
}

std::string LogCapture::text() const {
    finish_line();
    std::string all = last_.empty() ? first_ : first_ + "...\n" + last_;
    if (!all.empty()) {
        all.pop_back();
    }
    return all;
}

bool LogCapture::mentions(std::string_view words) const {
    finish_line();
    return first_.find(words) != std::string::npos || last_.find(words) != std::string::npos;
}

std::string_view LogCapture::after(std::string_view words) const {
    finish_line();
    for (const std::string *lines : {&first_, &last_}) {
        if (const std::size_t at = lines->find(words); at != std::string::npos) {
            const std::size_t begin = at + words.size();
            return std::string_view(*lines).substr(begin, lines->find('\n', begin) - begin);
        }
    }
    return {};
}

} // namespace mullama::backend::llama
