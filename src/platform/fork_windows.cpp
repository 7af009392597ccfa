#include "platform/fork.hpp"

namespace mullama::platform {

// Windows has no fork.
std::uint32_t fork_count() noexcept {
    return 0;
}

} // namespace mullama::platform
