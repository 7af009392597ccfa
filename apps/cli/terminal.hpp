// The standard streams: what is a terminal, how wide, whether in colour, and writing to them.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

namespace mullama::cli {

// Nobody reads the output any more (`| head`): time to end, without a word.
class OutputClosed : public std::exception {};

enum class Style { plain, bold, dim, red, yellow };

// One of the standard streams.
class Terminal {
public:
    explicit Terminal(std::FILE *stream);
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;

    [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }
    // In columns, now; 80 where it cannot be known.
    [[nodiscard]] int width() const noexcept;
    // Whether more than ASCII can be shown.
    [[nodiscard]] bool unicode() const noexcept { return unicode_; }

    // The text in a style, or as it is where there are no colours.
    [[nodiscard]] std::string styled(Style style, std::string_view text) const;

    // The bytes as they are. Throws OutputClosed, or std::system_error where the disk is full and
    // the like.
    void write(std::string_view text);
    // The same for text from a model or its file: on a terminal, made harmless first.
    void write_foreign(std::string_view text);
    void flush();
    // Writes and flushes where that matters to nobody: what goes wrong is forgotten.
    void try_write(std::string_view text) noexcept;

private:
    std::FILE *stream_;
    bool is_terminal_;
    bool colours_;
    bool unicode_;
};

// Whether standard input is a pipe or a file: something that somebody meant to be read. A terminal
// is not, and neither is /dev/null.
[[nodiscard]] bool input_is_given();

// All of standard input. Throws Interrupted.
[[nodiscard]] std::string read_input();

} // namespace mullama::cli
