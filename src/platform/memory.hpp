// How much main memory there is.
#pragma once

#include <cstdint>

namespace mullama::platform {

// In bytes; what a container's limit leaves of the machine counts, swap space does not.
struct MemoryInfo {
    std::uint64_t total = 0;
    // What can be allocated now without pushing anything to disk but cached files. 0 when the
    // system doesn't tell.
    std::uint64_t available = 0;
};

[[nodiscard]] MemoryInfo memory_info();

} // namespace mullama::platform
