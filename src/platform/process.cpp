#include "platform/process.hpp"

namespace mullama::platform {

std::string ProcessResult::describe() const {
    switch (end) {
    case End::exited:
        return "exited with code " + std::to_string(code);
    case End::crashed:
        return "was killed by " + crash_name(code);
    case End::timed_out:
        return "took too long and was killed";
    case End::unknown:
        break;
    }
    return "ended, but how is not known: this process ignores SIGCHLD or waits for all its "
           "children";
}

} // namespace mullama::platform
