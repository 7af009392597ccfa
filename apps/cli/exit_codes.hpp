// What the program answers to its caller; docs/cli.md explains each.
#pragma once

namespace mullama::cli {

enum ExitCode : int {
    exit_ok = 0,
    exit_failure = 1,
    exit_usage = 2,
    exit_model = 3,
    // 128 and the signal's number, as shells count: SIGINT, SIGPIPE.
    exit_interrupted = 130,
    exit_output_closed = 141,
};

} // namespace mullama::cli
