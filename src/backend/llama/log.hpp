// llama.cpp's log: whole lines to the sink, and the warnings and errors of a call kept for its
// error. Nothing of it reaches stdout or stderr.
#pragma once

#include <string>
#include <string_view>

#include "backend/port.hpp"

namespace mullama::backend::llama {

// Takes over llama.cpp's and ggml's log callbacks. Called once, before anything else of theirs.
void install_log();

void set_sink(LogSink sink) noexcept;

// One whole line, to the sink and to the captures of this thread.
void log_line(mullama_log_level_t level, std::string_view line) noexcept;

// While it lives, keeps the warnings and errors that this thread logs. Captures nest; the inner one
// has the lines.
class LogCapture {
public:
    enum class Also {
        // The sink hears everything too.
        tell_sink,
        // The sink hears nothing: for questions to the engine that are no failure.
        keep_quiet,
    };

    explicit LogCapture(Also also = Also::tell_sink) noexcept;
    LogCapture(const LogCapture &) = delete;
    LogCapture &operator=(const LogCapture &) = delete;
    ~LogCapture();

    // The lines so far, joined by line breaks; of very many, the first and the last ones.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool mentions(std::string_view words) const;
    // What follows `words` in the first line that has them; empty without.
    [[nodiscard]] std::string_view after(std::string_view words) const;

private:
    friend void log_line(mullama_log_level_t level, std::string_view line) noexcept;
    void keep(std::string_view line);

    static constexpr std::size_t max_kept = 8192;

    LogCapture *outer_;
    bool quiet_;
    std::string first_;
    std::string last_;
};

} // namespace mullama::backend::llama
