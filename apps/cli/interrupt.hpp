// Ctrl-C: the first one asks the work in progress to end cleanly, the second one ends the program.
#pragma once

#include <csignal>
#include <exception>

namespace mullama::cli {

// The user pressed Ctrl-C and there is nothing left to finish.
class Interrupted : public std::exception {};

// While one lives, Ctrl-C only sets a flag. At most one at a time.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt &) = delete;
    Interrupt &operator=(const Interrupt &) = delete;

    [[nodiscard]] static bool requested() noexcept;

private:
    struct sigaction previous_{};
};

} // namespace mullama::cli
