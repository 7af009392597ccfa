#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.hpp"
#include "cli/utf8.hpp"

namespace mullama::cli {
namespace {

std::string_view environment(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

// The first of these that is set decides, as setlocale() has it.
bool locale_is_utf8() {
    for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view value = environment(name);
        if (!value.empty()) {
            return value.find("UTF-8") != value.npos || value.find("utf8") != value.npos;
        }
    }
    return false;
}

[[noreturn]] void fail_to_write() {
    if (errno == EPIPE) {
        throw OutputClosed();
    }
    throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
}

std::string_view code_of(Style style) {
    switch (style) {
    case Style::plain:
        return "";
    case Style::bold:
        return "\x1b[1m";
    case Style::dim:
        return "\x1b[2m";
    case Style::red:
        return "\x1b[1;31m";
    case Style::yellow:
        return "\x1b[33m";
    }
    return "";
}

} // namespace

Terminal::Terminal(std::FILE *stream)
    : stream_(stream), is_terminal_(isatty(fileno(stream)) == 1),
      colours_(is_terminal_ && environment("NO_COLOR").empty() && environment("TERM") != "dumb"),
      unicode_(locale_is_utf8()) {
}

int Terminal::width() const noexcept {
    winsize size{};
    if (ioctl(fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return 80;
}

std::string Terminal::styled(Style style, std::string_view text) const {
    if (!colours_ || style == Style::plain) {
        return std::string(text);
    }
    std::string result(code_of(style));
    result += text;
    result += "\x1b[0m";
    return result;
}

void Terminal::write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) {
        fail_to_write();
    }
}

void Terminal::write_foreign(std::string_view text) {
    if (is_terminal_) {
        write(visible(text));
    } else {
        write(text);
    }
}

void Terminal::flush() {
    if (std::fflush(stream_) != 0) {
        fail_to_write();
    }
}

void Terminal::try_write(std::string_view text) noexcept {
    if (std::fwrite(text.data(), 1, text.size(), stream_) == text.size()) {
        static_cast<void>(std::fflush(stream_));
    }
}

bool input_is_given() {
    struct stat status{};
    if (fstat(STDIN_FILENO, &status) != 0) {
        return false;
    }
    return S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode);
}

std::string read_input() {
    std::string result;
    char buffer[65536];
    for (;;) {
        const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
        if (size == 0) {
            return result;
        }
        if (size > 0) {
            result.append(buffer, static_cast<std::size_t>(size));
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot read standard input");
        } else if (Interrupt::requested()) {
            throw Interrupted();
        }
    }
}

} // namespace mullama::cli
