// A bar on standard error while something takes its time; nothing where that is no terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "cli/terminal.hpp"

namespace mullama::cli {

class Progress {
public:
    // `label`: what is being done, "loading the model".
    Progress(Terminal &terminal, std::string_view label);
    // Leaves the line as it found it.
    ~Progress();
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

    // What is being done from now on.
    void label(std::string label) { label_ = std::move(label); }
    // 0 to 1. False once the user pressed Ctrl-C: what progress callbacks return.
    bool update(float progress);

private:
    using Clock = std::chrono::steady_clock;

    Terminal &terminal_;
    std::string label_;
    Clock::time_point next_;
    bool drawn_ = false;
};

} // namespace mullama::cli
