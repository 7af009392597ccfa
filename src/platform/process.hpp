// Running another program and waiting for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mullama::platform {

struct ProcessOptions {
    // The program's path (no search, no shell), and what it gets as argv[1] and on. UTF-8.
    std::string program;
    std::vector<std::string> arguments;
    // How long it may take before it is killed.
    std::optional<std::chrono::milliseconds> time_limit;
    // How much is kept of each output; what comes after is read and dropped.
    std::size_t max_output = std::size_t{1} << 20;
};

struct ProcessResult {
    enum class End {
        exited,    // `code` is its exit code
        crashed,   // `code` is the signal, or on Windows the exception, that ended it
        timed_out, // killed
        unknown,   // the host ignores SIGCHLD, or waits for all children, and so took the code
    };

    End end = End::unknown;
    int code = 0;
    std::string output; // standard output
    std::string errors; // standard error

    [[nodiscard]] bool succeeded() const noexcept { return end == End::exited && code == 0; }

    // For a message: "exited with code 3", "was killed by signal 11 (Segmentation fault)".
    [[nodiscard]] std::string describe() const;
};

// Runs a program to its end. It reads nothing, inherits the environment, the working folder and the
// two outputs, which are captured, and no other file of ours; it starts with the system's own
// signal handling. The host's signal handlers and other children are left alone. Throws the reason
// when the program can't be started.
//
// Where End::unknown is possible, a child should also say in its output how it went.
[[nodiscard]] ProcessResult run_process(const ProcessOptions &options);

// Below: what differs between systems. What `code` means for End::crashed.
[[nodiscard]] std::string crash_name(int code);

} // namespace mullama::platform
